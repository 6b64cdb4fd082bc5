package io.tiercel.appliance.ingress;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.Subscription;
import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.OverloadPolicy;
import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.generation.GenerationProgress;
import io.tiercel.appliance.rollout.VersionLoader;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.sequencer.Sequencer;
import io.tiercel.appliance.session.ClientCommands;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.appliance.session.RetryIndex;
import io.tiercel.appliance.session.Rights;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.telemetry.Counters;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;

/** The ingress stage and what belongs to it, put together. */
public final class Ingress implements AutoCloseable {

    /** In the place of a stream id. */
    public static final int NO_STREAM = -1;

    private final Aeron aeron;
    private final String channel;
    private final int streamId;
    private final ClientConnection[] clients;
    private final IngressAgent agent;
    private final int adminStreamId;
    private Subscription subscription;
    private Subscription adminSubscription;

    /**
     * Ingress's part of what the appliance remembers.
     *
     * @param all      sessions, of which the table is ingress's.
     * @param routes   of new sessions to versions.
     * @param loader   of further versions.
     * @param cut      where snapshots of it are asked for.
     * @param progress of the generations, from egress; its capacity is their limit.
     */
    public record Memory(
            Sessions all,
            Routes routes,
            VersionLoader loader,
            RetryIndex retries,
            SnapshotCut cut,
            GenerationProgress progress) {
    }

    /**
     * How clients come in.
     *
     * @param maxRatePerSecond requests a second of one client; 0 for no limit.
     * @param adminStreamId    where administrators are heard; {@link #NO_STREAM} if they are not.
     */
    public record Door(Access access, int maxRatePerSecond, int responseMtuLength, int adminStreamId) {
    }

    public Ingress(
            final Aeron aeron,
            final ApplianceContext context,
            final int streamId,
            final Memory memory,
            final Door way,
            final ModelVersions models,
            final Sequencer sequencer,
            final ClientCommands commands,
            final PipelineState state,
            final NanoClock cycleClock,
            final Counters counters) {
        this.aeron = aeron;
        this.channel = context.requestChannel();
        this.streamId = streamId;
        adminStreamId = way.access().isOpen() ? NO_STREAM : way.adminStreamId();
        clients = Admission.places(context.maxClients());
        final Admission.Rules rules = new Admission.Rules(
                context.maxClients(),
                context.principals(),
                Rights.ofAnyone(context.maxInFlight(), way.maxRatePerSecond(), memory.all().table().maxSessions(),
                        context.maxClients()),
                context.responseChannels(),
                context.responseTermLength(),
                way.responseMtuLength(),
                context.connectTimeoutNs(),
                context.heartbeatTimeoutNs());
        final IngressAgent.Limits limits = new IngressAgent.Limits(
                context.maxFrameLength(),
                context.maxSteps(),
                context.inferWorkers(),
                context.overloadPolicy() == OverloadPolicy.SHED ? context.overloadUnfinished() : 0,
                context.evictsSessions());
        agent = new IngressAgent(
                new Admission(aeron, rules, way.access(), models, memory.routes(), commands, clients, counters),
                sequencer, memory, commands, models, limits, state, cycleClock, counters);
    }

    public Agent agent() {
        return agent;
    }

    /** Places of the clients, which egress shares. */
    public ClientConnection[] clients() {
        return clients;
    }

    /**
     * Begins to listen: from here on clients are heard. Called once, before the stage runs; blocks for a moment while
     * the media driver makes the subscription.
     */
    public void open() {
        subscription = aeron.addSubscription(
                channel, streamId, image -> {}, image -> agent.onImageGone(image.sessionId(), false));
        if (adminStreamId != NO_STREAM) {
            adminSubscription = aeron.addSubscription(CommonContext.IPC_CHANNEL, adminStreamId, image -> {},
                    image -> agent.onImageGone(image.sessionId(), true));
        }
        agent.listenTo(subscription, adminSubscription);
    }

    /** Asks for a goodbye to every client; true when egress has said them all. Any thread. */
    public boolean sayGoodbye() {
        agent.sayGoodbye();
        return agent.isGoodbyeSaid();
    }

    /** Stops listening. The stage must not run any more. */
    @Override
    public void close() {
        CloseHelper.quietCloseAll(subscription, adminSubscription);
    }
}
