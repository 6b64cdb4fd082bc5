package io.tiercel.appliance;

import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.cycle.DutyCycle;
import io.tiercel.appliance.cycle.StageClocks;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.recovery.RecoveryProgress;
import io.tiercel.appliance.recovery.RecoveryReport;
import io.tiercel.appliance.rollout.VersionLoader;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.snapshot.SnapshotAgent;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.DeskAgent;
import io.tiercel.appliance.telemetry.EventTrack;
import io.tiercel.appliance.telemetry.HiccupRecorder;
import io.tiercel.appliance.telemetry.JvmLog;
import io.tiercel.appliance.telemetry.RunDirectory;
import io.tiercel.appliance.telemetry.StageRecorder;
import io.tiercel.appliance.telemetry.StallWriter;
import io.tiercel.appliance.telemetry.TelemetryFacts;
import io.tiercel.appliance.telemetry.TelemetryWriter;
import io.tiercel.appliance.transport.EchoAgent;
import io.tiercel.appliance.transport.TransportException;
import io.tiercel.protocol.TelemetryFile;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.CompositeAgent;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.agrona.concurrent.SystemEpochClock;
import org.agrona.concurrent.SystemEpochNanoClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The appliance in one process: journal, models, media driver, pipeline, threads. {@link #launch} returns when the
 * path is warm and clients are heard; {@link #close} drains what has been taken, says goodbye, syncs the journal and
 * stops.
 *
 * <p>One appliance a journal directory and a media driver directory. Any thread may call its methods.
 */
public final class Appliance implements AutoCloseable {

    private static final Logger LOGGER = LoggerFactory.getLogger(Appliance.class);
    private static final long DRAIN_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(10);
    private static final long GOODBYE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long SNAPSHOT_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long TELEMETRY_SLEEP_MS = 100;
    private static final long BACKGROUND_SLEEP_MS = 10;
    private static final long POLL_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Foundation foundation;
    private final Counters counters;
    private final Pipeline pipeline;
    private final List<AgentRunner> runners = new ArrayList<>();
    private final AgentRunner telemetry;
    private final EventTrack events;
    private final RunDirectory run;
    private JvmLog jvmLog;
    private final SnapshotAgent snapshots;
    private final AgentRunner backgroundRunner;
    /** Of its own: a load takes as long as it takes. */
    private final AgentRunner loaderRunner;
    private final WarmUp.Report warmUp;
    private ShutdownReport shutdownReport;

    /**
     * What {@link #close} did.
     *
     * @param drained     whether every request taken has been answered and its outcome journaled.
     * @param takenCount  requests taken into the ring.
     * @param recordedCount outcomes in the journal.
     * @param failure     why it stopped, if nobody asked it to; else null.
     */
    public record ShutdownReport(boolean drained, long takenCount, long recordedCount, Throwable failure) {
    }

    private Appliance(final Foundation foundation) throws IOException {
        this.foundation = foundation;
        final ApplianceContext context = foundation.context();
        counters = Counters.inDriver(foundation.aeron());
        JvmLog.prepare();
        warmUp = new WarmUp(foundation).run(context.warmUpRequests());
        final StageRecorder stages = new StageRecorder(foundation.models().capacity());
        final SnapshotCut cut = new SnapshotCut();
        final VersionLoader loader = foundation.newLoader();
        pipeline = new Pipeline(new Pipeline.Parts(context, foundation.aeron(), context.requestStreamId(),
                new Pipeline.Served(foundation.models(), foundation.routes(), loader, context.adminStreamId()),
                foundation.sessions(), foundation.retries(), foundation.recovered().nextSequence(), cut,
                context.maxRatePerSecond(),
                foundation.access(),
                foundation.journal().requests(),
                foundation.journal().outcomes(),
                StageClocks.of(context.layout(), context.inferWorkers(), foundation.clock()),
                foundation.epochOffsetNs(), stages,
                counters));
        final Map<String, HiccupRecorder> hiccups = new LinkedHashMap<>();
        for (final Threads.Share share : plan(context)) {
            final HiccupRecorder recorder = new HiccupRecorder(context.idle() == IdleMode.SPIN, counters);
            hiccups.put(share.roleName(), recorder);
            runners.add(runner(new DutyCycle(share.roleName(), share.stages(), share.clock(),
                    recorder, pipeline.state())));
        }
        run = RunDirectory.create(context.telemetryDirectory(), foundation.clock().nanoTime(),
                foundation.epochOffsetNs(), List.copyOf(hiccups.keySet()), context.inferWorkers());
        events = EventTrack.in(run);
        snapshots = snapshots(cut);
        final List<Agent> background = new ArrayList<>(foundation.watches());
        background.add(snapshots);
        background.add(new StateToucher(foundation.sessions()));
        backgroundRunner = new AgentRunner(
                new SleepingMillisIdleStrategy(BACKGROUND_SLEEP_MS), this::onError, null,
                new CompositeAgent(background));
        loaderRunner = new AgentRunner(
                new SleepingMillisIdleStrategy(BACKGROUND_SLEEP_MS), this::onError, null, loader);
        final DeskAgent desk = desk();
        telemetry = new AgentRunner(new SleepingMillisIdleStrategy(TELEMETRY_SLEEP_MS), this::onError, null,
                new CompositeAgent(
                        new TelemetryWriter(stages, hiccups, context.telemetryDirectory(),
                                context.telemetryIntervalNs(), SystemEpochClock.INSTANCE, desk),
                        new StallWriter(hiccups, run, counters.happenings()),
                        desk));
    }

    /**
     * Starts an appliance and returns when it is ready for clients.
     *
     * @throws ApplianceException or the part's own exception if it cannot start; nothing is left running.
     */
    public static Appliance launch(final ApplianceContext context) {
        return launch(context, (doneCount, totalCount) -> {});
    }

    /**
     * Starts an appliance and returns when it is ready for clients.
     *
     * @param progress told how far the recovery is, on the calling thread.
     * @throws ApplianceException or the part's own exception if it cannot start; nothing is left running.
     */
    public static Appliance launch(final ApplianceContext context, final RecoveryProgress progress) {
        final ApplianceContext concluded = context.isConcluded() ? context : context.conclude();
        final Foundation foundation = new Foundation(concluded, progress);
        try {
            final Appliance appliance = new Appliance(foundation);
            appliance.start();
            return appliance;
        } catch (final IOException ex) {
            CloseHelper.quietClose(foundation);
            throw new ApplianceException("cannot start: " + ex, ex);
        } catch (final RuntimeException | Error ex) {
            CloseHelper.quietClose(foundation);
            throw ex;
        }
    }

    public ApplianceContext context() {
        return foundation.context();
    }

    public List<LoadedModel> models() {
        return List.copyOf(foundation.models());
    }

    /** What was found in the journal at the start. */
    public RecoveryReport recovered() {
        return foundation.recovered();
    }

    /** Folders of its own that others have rights to, each with the command that takes them. */
    public List<String> openFolders() {
        return foundation.openFolders();
    }

    /** Requests that the warm-up sent through the scratch pipeline, and how long it took. */
    public long warmUpRequestCount() {
        return warmUp.requestCount();
    }

    public long warmUpNs() {
        return warmUp.durationNs();
    }

    /** A counter's value now. */
    public long counter(final CounterId id) {
        return counters.value(id);
    }

    /** Why the appliance cannot go on, or null. A failed journal leaves it running, refusing everything. */
    public Throwable failure() {
        return pipeline.state().failure();
    }

    /** Whether one of its threads has died: nobody is answered or refused any more, and it is to be closed. */
    public boolean isDead() {
        return failure() != null && pipeline.state().phase() != PipelineState.Phase.JOURNAL_FAILED;
    }

    /**
     * Stops taking requests, finishes those in the ring, says goodbye, takes a snapshot, syncs. A second call returns
     * the first one's report.
     */
    public synchronized ShutdownReport shutdown() {
        if (shutdownReport == null) {
            pipeline.state().drain();
            await(() -> isDrained() || failure() != null, DRAIN_TIMEOUT_NS);
            await(pipeline::sayGoodbye, GOODBYE_TIMEOUT_NS);
            final boolean drained = await(() -> isDrained() || failure() != null, GOODBYE_TIMEOUT_NS) && isDrained();
            if (drained && failure() == null) {
                snapshots.takeSoon();
                await(snapshots::isIdle, SNAPSHOT_TIMEOUT_NS);
            }
            CloseHelper.quietCloseAll(runners);
            CloseHelper.quietCloseAll(loaderRunner, backgroundRunner, telemetry, events, jvmLog);
            shutdownReport = new ShutdownReport(
                    drained, pipeline.takenCount(), pipeline.recordedCount(), failure());
            pipeline.close();
            foundation.close();
        }
        return shutdownReport;
    }

    @Override
    public void close() {
        shutdown();
    }

    /** Once ingress has seen that the pipeline drains, this stays so. */
    private boolean isDrained() {
        return pipeline.recordedCount() >= pipeline.takenCount();
    }

    private List<Threads.Share> plan(final ApplianceContext context) {
        final EchoAgent echo = context.echo()
                ? new EchoAgent(foundation.aeron(), context.requestChannel(), context.requestStreamId())
                : null;
        return Threads.plan(context.layout(), pipeline, foundation.transport(pipeline.clocks().io()), echo);
    }

    private SnapshotAgent snapshots(final SnapshotCut cut) {
        final ApplianceContext context = foundation.context();
        return new SnapshotAgent(
                new SnapshotAgent.Settings(
                        context.snapshotIntervalNs(), context.snapshotKeep(), context.inferWorkers()),
                cut,
                foundation.sessions(),
                foundation.retries(),
                foundation.models(),
                new SnapshotStore(context.journalDirectory()),
                new SnapshotAgent.Progress(pipeline::takenSequence, pipeline::recordedSequence),
                new JournalHousekeeping(foundation.journal(), SystemEpochNanoClock.INSTANCE),
                foundation.recovered().snapshotSequence(),
                foundation.clock(),
                counters,
                events);
    }

    private DeskAgent desk() throws IOException {
        final ApplianceContext context = foundation.context();
        final TelemetryFacts.Limits limits = new TelemetryFacts.Limits(
                context.maxClients(), foundation.sessions().table().maxSessions(), context.maxGenerations(),
                context.maxInFlight(), context.maxBatch(), context.maxRatePerSecond(), context.ringCapacity(),
                context.inferWorkers(), context.journalWarnFreeBytes(), context.journalRefuseFreeBytes());
        final TelemetryFacts facts = new TelemetryFacts(
                context.name(), context.layout().toString(), context.journalDirectory().toString(), limits,
                served(foundation.models(), foundation.routes()));
        final DeskAgent.Sources sources = new DeskAgent.Sources(
                pipeline.state(), pipeline::takenSequence, pipeline::recordedSequence,
                foundation.journal()::sizeBytes, () -> foundation.journal().report().rolledCount(),
                foundation.clock(), foundation.epochOffsetNs());
        return new DeskAgent(
                TelemetryFile.create(Path.of(context.aeronDirectoryName()), context.name(),
                        ProcessHandle.current().pid(), SystemEpochClock.INSTANCE.time()),
                facts, sources, counters.happenings(), SystemEpochClock.INSTANCE,
                TimeUnit.NANOSECONDS.toMillis(context.telemetryIntervalNs()));
    }

    /** As many as there are whenever it is looked at. */
    private static List<TelemetryFacts.ServedModel> served(final List<LoadedModel> models, final Routes routes) {
        return new AbstractList<>() {
            @Override
            public TelemetryFacts.ServedModel get(final int index) {
                return describe(models.get(index), routes.told(index));
            }

            @Override
            public int size() {
                return models.size();
            }
        };
    }

    private static TelemetryFacts.ServedModel describe(final LoadedModel model, final Routes.Share share) {
        final byte[] version = new byte[LoadedModel.VERSION_LENGTH];
        model.version().getBytes(0, version);
        return new TelemetryFacts.ServedModel(
                model.alias(), version, model.model().shape().family(), model.backendName(), share.weight(),
                share.isDrained());
    }

    private AgentRunner runner(final DutyCycle cycle) {
        return new AgentRunner(IdleStrategies.of(foundation.context().idle()), this::onError, null, cycle);
    }

    /**
     * What the start has left, and what of it stays, is put in order now: the first collection would copy all that
     * stays, tens of milliseconds long, in the midst of requests, because a helper has filled the young generation.
     */
    private static void collectStart() {
        System.gc();
    }

    private void start() {
        foundation.sessions().touchAhead();
        pipeline.open();
        jvmLog = JvmLog.open(run.jvmLog());
        AgentRunner.startOnThread(telemetry);
        AgentRunner.startOnThread(backgroundRunner);
        AgentRunner.startOnThread(loaderRunner);
        collectStart();
        runners.forEach(AgentRunner::startOnThread);
    }

    /** The pause of a process needs no stack trace; {@link #failure()} says it. */
    private void onError(final Throwable error) {
        if (error.getCause() instanceof TransportException) {
            return;
        }
        LOGGER.error("{}: after sequence={}", foundation.context().name(), pipeline.recordedCount() - 1, error);
    }

    private static boolean await(final BooleanSupplier condition, final long timeoutNs) {
        for (long waitedNs = 0; waitedNs < timeoutNs; waitedNs += POLL_INTERVAL_NS) {
            if (condition.getAsBoolean()) {
                return true;
            }
            LockSupport.parkNanos(POLL_INTERVAL_NS);
        }
        return condition.getAsBoolean();
    }
}
