package io.tiercel.appliance;

import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.cycle.CycleClock;
import io.tiercel.appliance.cycle.StageClocks;
import io.tiercel.appliance.transport.TransportAgent;
import org.agrona.concurrent.Agent;

import java.util.ArrayList;
import java.util.List;

/**
 * Which thread runs which stages, for each layout. The stages of one thread stand in the order of a request's way.
 *
 * <pre>
 *   compact     io: transport, echo, ingress, journal, infer, egress, outcome
 *   paired      io: transport, echo, ingress, journal, egress, outcome       infer: infer
 *   dedicated   io: transport, echo, ingress     journal     infer-0 .. n     egress     outcome     (driver: its own)
 * </pre>
 */
final class Threads {

    /**
     * One thread's share.
     *
     * @param clock of the thread.
     */
    record Share(String roleName, List<Agent> stages, CycleClock clock) {
    }

    private Threads() {
    }

    /** @param echo null if it is off. */
    static List<Share> plan(
            final Layout layout,
            final Pipeline pipeline,
            final TransportAgent transport,
            final Agent echo) {
        final StageClocks clocks = pipeline.clocks();
        final List<Agent> front = new ArrayList<>();
        front.add(transport);
        if (echo != null) {
            front.add(echo);
        }
        front.add(pipeline.ingress());
        return switch (layout) {
            case COMPACT -> List.of(io(front, behindIngress(pipeline), clocks.io()));
            case PAIRED -> List.of(
                    io(front, List.of(pipeline.journal(), pipeline.egress(), pipeline.outcome()), clocks.io()),
                    new Share("infer", List.copyOf(pipeline.inferWorkers()), clocks.infer()[0]));
            case DEDICATED -> dedicated(front, pipeline, clocks);
            case AUTO -> throw new IllegalStateException("layout=auto is resolved by the configuration");
        };
    }

    /** Every stage on one thread. */
    static List<Agent> stagesInOrder(final Pipeline pipeline, final TransportAgent transport) {
        return plan(Layout.COMPACT, pipeline, transport, null).get(0).stages();
    }

    private static List<Share> dedicated(
            final List<Agent> front, final Pipeline pipeline, final StageClocks clocks) {
        final List<Share> shares = new ArrayList<>();
        shares.add(io(front, List.of(), clocks.io()));
        shares.add(alone(pipeline.journal(), clocks.journal()));
        for (int worker = 0; worker < pipeline.inferWorkers().size(); worker++) {
            shares.add(alone(pipeline.inferWorkers().get(worker), clocks.infer()[worker]));
        }
        shares.add(alone(pipeline.egress(), clocks.egress()));
        shares.add(alone(pipeline.outcome(), clocks.outcome()));
        return shares;
    }

    private static Share io(final List<Agent> front, final List<Agent> rest, final CycleClock clock) {
        final List<Agent> stages = new ArrayList<>(front);
        stages.addAll(rest);
        return new Share("io", stages, clock);
    }

    private static List<Agent> behindIngress(final Pipeline pipeline) {
        final List<Agent> stages = new ArrayList<>();
        stages.add(pipeline.journal());
        stages.addAll(pipeline.inferWorkers());
        stages.add(pipeline.egress());
        stages.add(pipeline.outcome());
        return stages;
    }

    private static Share alone(final Agent stage, final CycleClock clock) {
        return new Share(stage.roleName(), List.of(stage), clock);
    }
}
