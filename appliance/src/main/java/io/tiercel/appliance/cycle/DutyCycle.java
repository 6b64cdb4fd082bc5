package io.tiercel.appliance.cycle;

import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.telemetry.HiccupRecorder;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentTerminationException;

import java.util.List;

/**
 * The stages of one thread as one agent: reads the clock once, then lets each stage do what is there. The order of
 * the list is the order of a request's way, so a request can go all of it in one round.
 *
 * <p>Between two rounds in which nothing was done, the clock shows what the machine itself took away: that is
 * recorded as a hiccup. A round with work is measured whole, from its beginning to that of the next. A stage that
 * throws has broken an invariant: the pipeline's state gets the cause and this thread ends.
 */
public final class DutyCycle implements Agent {

    private static final int NO_ROUND = -1;

    private final Agent[] stages;
    private final String roleName;
    private final CycleClock clock;
    private final HiccupRecorder hiccups;
    private final PipelineState state;
    private long roundStartNs;
    /** Of the last round; before the first one there is none to speak of. */
    private int lastWork = NO_ROUND;

    /**
     * @param clock of this thread and all its stages; read at the beginning of each round.
     */
    public DutyCycle(
            final String roleName,
            final List<? extends Agent> stages,
            final CycleClock clock,
            final HiccupRecorder hiccups,
            final PipelineState state) {
        this.stages = stages.toArray(Agent[]::new);
        this.roleName = roleName;
        this.clock = clock;
        this.hiccups = hiccups;
        this.state = state;
    }

    @Override
    public void onStart() {
        hiccups.stalls().onStart();
        for (final Agent stage : stages) {
            stage.onStart();
        }
    }

    @Override
    public int doWork() {
        final long lastNs = clock.nanoTime();
        final long nowNs = clock.read();
        if (lastWork == 0) {
            hiccups.onIdleRound(lastNs, nowNs);
        } else if (lastWork > 0) {
            hiccups.onBusyRound(roundStartNs, nowNs, lastWork);
        }
        roundStartNs = nowNs;
        int work = 0;
        try {
            for (final Agent stage : stages) {
                work += stage.doWork();
            }
        } catch (final Throwable ex) {
            state.stageFailed(ex);
            throw new AgentTerminationException(ex);
        }
        lastWork = work;
        return work;
    }

    @Override
    public void onClose() {
        for (final Agent stage : stages) {
            stage.onClose();
        }
    }

    @Override
    public String roleName() {
        return roleName;
    }
}
