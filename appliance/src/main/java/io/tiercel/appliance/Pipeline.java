package io.tiercel.appliance;

import com.lmax.disruptor.Sequence;
import io.aeron.Aeron;
import io.aeron.exceptions.RegistrationException;
import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.config.OverloadPolicy;
import io.tiercel.appliance.cycle.StageClocks;
import io.tiercel.appliance.egress.EgressAgent;
import io.tiercel.appliance.egress.KeptAnswers;
import io.tiercel.appliance.egress.MadeTokens;
import io.tiercel.appliance.egress.ResponseWriter;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.generation.GenerationProgress;
import io.tiercel.appliance.infer.ForeseenTokens;
import io.tiercel.appliance.infer.InferAgent;
import io.tiercel.appliance.ingress.Ingress;
import io.tiercel.appliance.journal.JournalAgent;
import io.tiercel.appliance.journal.OutcomeAgent;
import io.tiercel.appliance.journal.RecordLog;
import io.tiercel.appliance.rollout.VersionLoader;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.sequencer.Sequencer;
import io.tiercel.appliance.session.ClientCommands;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.StageRecorder;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.Overload;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentInvoker;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * The whole graph of a request's way, in one place. It makes the stages and ties their sequences; which thread runs
 * which stage is the caller's affair.
 *
 * <pre>
 *                        journaled                              sent
 *            +--▶ journal ---------+                    +------------+
 *  ingress --┤                     ├--▶ egress ---------┘            ├--▶ outcome, telemetry --▶ slot free
 *            +--▶ infer 0..n ------+      ▲                          |
 *                  | inferred             | recorded (decided only)  |
 *                  +--------- settled ----+--------------------------+
 * </pre>
 *
 * <p>{@code journaled}, {@code inferred}, {@code settled}, {@code sent} and {@code recorded} are sequences; an arrow
 * into a stage is a barrier on them. A slot is free when both outcome and egress have passed it: of a request
 * that something was decided of the outcome comes first.
 */
final class Pipeline implements AutoCloseable {

    private static final int COMMAND_QUEUE_BYTES = 64 * 1024;
    /** So that the requests of those who have just gone are known when they come back. */
    private static final int RETRY_PRINCIPALS_PER_CLIENT = 2;

    /**
     * The models that are served.
     *
     * @param loader        of further versions; null if there is none.
     * @param adminStreamId where administrators are heard; {@link Ingress#NO_STREAM} if they are not.
     */
    record Served(ModelVersions versions, Routes routes, VersionLoader loader, int adminStreamId) {

        /** Each in one version, and nobody to change that. */
        static Served fixed(final List<LoadedModel> models) {
            return new Served(ModelVersions.of(models), Routes.ofConfigured(models, models.size()), null,
                    Ingress.NO_STREAM);
        }
    }

    /** What a pipeline is built from and does not own. */
    record Parts(
            ApplianceContext context,
            Aeron aeron,
            int requestStreamId,
            Served served,
            Sessions sessions,
            RetryWindow retries,
            long firstSequence,
            SnapshotCut cut,
            int maxRatePerSecond,
            Access access,
            RecordLog requests,
            RecordLog outcomes,
            StageClocks clocks,
            long epochOffsetNs,
            StageRecorder stages,
            Counters counters) {
    }

    private final PipelineState state;
    private final StageClocks clocks;
    private final Sequencer sequencer;
    private final Ingress ingress;
    private final JournalAgent journal;
    private final List<InferAgent> inferWorkers = new ArrayList<>();
    private final EgressAgent egress;
    private final OutcomeAgent outcome;
    private final String requestChannel;

    Pipeline(final Parts parts) {
        final ApplianceContext context = parts.context();
        final boolean isWrittenThrough = context.durability() == DurabilityLevel.DISK;
        state = new PipelineState(context.journalRefuseFreeBytes());
        clocks = parts.clocks();
        requestChannel = context.requestChannel();
        final ModelVersions models = parts.served().versions();
        final int maxOutputsLength = maxOutputsLength(models, context.maxSteps());
        final ClientCommands commands = new ClientCommands(COMMAND_QUEUE_BYTES);

        sequencer = new Sequencer(context.ringCapacity(), context.maxFrameLength(), maxOutputsLength,
                parts.firstSequence());
        final GenerationProgress progress = new GenerationProgress(context.maxGenerations());
        ingress = new Ingress(parts.aeron(), context, parts.requestStreamId(),
                new Ingress.Memory(parts.sessions(), parts.served().routes(), parts.served().loader(),
                        parts.retries().index(), parts.cut(), progress),
                new Ingress.Door(parts.access(), parts.maxRatePerSecond(), Foundation.mtuLength(context, models),
                        parts.served().adminStreamId()),
                models, sequencer, commands, state,
                clocks.io(), parts.counters());
        journal = new JournalAgent(sequencer, parts.requests(), models, clocks.journal(), parts.epochOffsetNs(),
                isWrittenThrough, state, parts.counters());
        final Sequence[] finished = new Sequence[context.inferWorkers()];
        Arrays.setAll(finished, worker -> sequencer.newSequence());
        for (int worker = 0; worker < finished.length; worker++) {
            inferWorkers.add(new InferAgent(sequencer, worker, finished, models, parts.sessions(), parts.cut(),
                    context.maxBatch(), context.batchWindowNs(), context.rehearseAfterNs(),
                    new ForeseenTokens(context.foreseenTokens(), context.foreseenGeneratedTokens()),
                    clocks.infer()[worker], parts.counters()));
        }
        final Sequence recorded = sequencer.newSequence();
        final ResponseWriter writer = new ResponseWriter(models, limits(context), driverOf(parts.aeron()));
        final MadeTokens madeTokens = new MadeTokens(writer, progress);
        final KeptAnswers kept = new KeptAnswers(
                parts.retries().answers(), writer, madeTokens, context.maxFrameLength(), parts.counters());
        egress = new EgressAgent(sequencer, journal.sequence(), sequences(InferAgent::inferred), recorded, commands,
                ingress.clients(), writer, kept, madeTokens, clocks.egress(), state, parts.counters());
        final Sequence[] settled = sequences(InferAgent::settled);
        final Sequence[] settledAndJournaled = Arrays.copyOf(settled, settled.length + 1);
        settledAndJournaled[settled.length] = journal.sequence();
        outcome = new OutcomeAgent(sequencer, egress.sequence(), settledAndJournaled, recorded, maxOutputsLength,
                parts.outcomes(), models, parts.epochOffsetNs(), isWrittenThrough, parts.stages(), state,
                parts.counters());
        sequencer.gateOn(recorded, egress.sequence());
    }

    /** A window, as yet empty, for a pipeline with this configuration. Whoever asks for it closes it. */
    static RetryWindow newRetryWindow(final ApplianceContext context, final List<LoadedModel> models) {
        return new RetryWindow(RETRY_PRINCIPALS_PER_CLIENT * context.maxClients(), context.retryWindow(),
                maxOutputCount(models));
    }

    PipelineState state() {
        return state;
    }

    StageClocks clocks() {
        return clocks;
    }

    Agent ingress() {
        return ingress.agent();
    }

    Agent journal() {
        return journal;
    }

    List<InferAgent> inferWorkers() {
        return inferWorkers;
    }

    Agent egress() {
        return egress;
    }

    Agent outcome() {
        return outcome;
    }

    /**
     * Begins to listen. The stages must be about to run.
     *
     * @throws ApplianceException if the channel cannot be listened on.
     */
    void open() {
        try {
            ingress.open();
        } catch (final RegistrationException ex) {
            throw new ApplianceException("aeron.request-channel=" + requestChannel + " cannot be listened on: " +
                    DriverDirectory.reasonOf(ex), ex);
        }
    }

    /** Asks ingress to tell every client goodbye; true when all of it is with egress. */
    boolean sayGoodbye() {
        return ingress.sayGoodbye();
    }

    /** Requests taken, and of them those that are answered and have their outcome in the journal. */
    long takenCount() {
        return takenSequence() + 1 - sequencer.firstSequence();
    }

    long recordedCount() {
        return recordedSequence() + 1 - sequencer.firstSequence();
    }

    /** The last request that was taken, since the journal began; and the last that is through. */
    long takenSequence() {
        return sequencer.cursor();
    }

    long recordedSequence() {
        return Math.min(outcome.sequence().get(), egress.sequence().get());
    }

    /** Stops listening. No stage may run any more. */
    @Override
    public void close() {
        ingress.close();
    }

    private Sequence[] sequences(final Function<InferAgent, Sequence> sequenceOf) {
        return inferWorkers.stream().map(sequenceOf).toArray(Sequence[]::new);
    }

    /** Where the driver has no thread of its own it shares that of ingress and egress, in every layout. */
    private static AgentInvoker driverOf(final Aeron aeron) {
        return aeron.context().driverAgentInvoker();
    }

    private static ResponseWriter.WelcomeLimits limits(final ApplianceContext context) {
        return new ResponseWriter.WelcomeLimits(
                context.maxFrameLength(),
                context.maxSteps(),
                context.heartbeatTimeoutNs() / 1_000_000,
                context.durability() == DurabilityLevel.DISK ? Durability.DISK : Durability.PROCESS,
                context.overloadPolicy() == OverloadPolicy.SHED ? Overload.SHED : Overload.BACKPRESSURE,
                context.retryWindow());
    }

    private static int maxOutputsLength(final List<LoadedModel> models, final int maxSteps) {
        return Math.multiplyExact(Math.multiplyExact(maxOutputCount(models), maxSteps), Float.BYTES);
    }

    private static int maxOutputCount(final List<LoadedModel> models) {
        return models.stream().mapToInt(model -> model.model().shape().outputCount()).max().orElse(1);
    }
}
