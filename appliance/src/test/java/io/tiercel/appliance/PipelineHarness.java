package io.tiercel.appliance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.cycle.CycleClock;
import io.tiercel.appliance.cycle.DutyCycle;
import io.tiercel.appliance.cycle.StageClocks;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.journal.RecordLog;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.HiccupRecorder;
import io.tiercel.appliance.telemetry.StageRecorder;
import io.tiercel.appliance.transport.AeronErrors;
import io.tiercel.appliance.transport.TransportAgent;
import io.tiercel.protocol.client.AsyncConnect;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.TiercelClient;
import org.agrona.CloseHelper;
import org.agrona.IoUtil;
import org.agrona.LangUtil;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.CachedNanoClock;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The real pipeline over a real media driver, all of it run by the test's own thread, one round at a time: no sleeps,
 * no waits, and the journal does what the test says. Each round takes {@link #ROUND_NS} on the fake clock, which is
 * the media driver's and Aeron's clock too.
 *
 * <p>{@link #round} runs the stages in order, on the clocks of the layout. {@link #stages} gives them one by one, so
 * that a test can run them in any order: every interleaving that threads could produce at the granularity of a duty
 * cycle.
 */
final class PipelineHarness implements AutoCloseable {

    static final String ALIAS = "model";
    static final String SECOND_ALIAS = "model-1";
    static final int REQUEST_STREAM = 7001;
    static final long ROUND_NS = 10_000;
    static final int MAX_ROUNDS = 200_000;
    private static final long FIRST_TICK_NS = 1_000_000_000L;
    private static final long EPOCH_OFFSET_NS = 1_700_000_000_000_000_000L;
    private static final long TIME_STEP_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int ROUNDS_PER_TIME_STEP = 4;
    /** From one connection's first correlation id to the next one's: different, and the same in every run. */
    private static final long CONNECTION_IDS = 1L << 32;

    final MemoryRecordLog requests = new MemoryRecordLog();
    final MemoryRecordLog outcomes = new MemoryRecordLog();
    final CachedNanoClock clock = new CachedNanoClock();
    final Counters counters = Counters.inMemory();
    final StageRecorder recorder;
    final ApplianceContext context;
    final List<LoadedModel> models;
    final SnapshotCut cut = new SnapshotCut();
    final Sessions sessions;
    final RetryWindow retries;
    final Pipeline pipeline;
    private final MediaDriver driver;
    private final Aeron aeron;
    private final TransportAgent transport;
    private final DutyCycle cycle;
    private final List<Agent> stages = new ArrayList<>();
    private final List<TiercelClient> clients = new ArrayList<>();
    private final List<RawClient> rawClients = new ArrayList<>();
    private long contextCount;

    /** Changes to the configuration before it is concluded. */
    interface Change {
        void apply(ApplianceContext context);
    }

    PipelineHarness(final Path directory, final Path bundlePath) {
        this(directory, bundlePath, context -> {});
    }

    PipelineHarness(final Path directory, final Path bundlePath, final Change change) {
        this(directory, List.of(bundlePath), change);
    }

    PipelineHarness(final Path directory, final List<Path> bundlePaths, final Change change) {
        this(directory, bundlePaths, change, null, null);
    }

    /** With logs of the test's own instead of {@link #requests} and {@link #outcomes}, where they are not null. */
    PipelineHarness(
            final Path directory,
            final List<Path> bundlePaths,
            final Change change,
            final RecordLog ownRequests,
            final RecordLog ownOutcomes) {
        this(directory, bundlePaths, change, ownRequests, ownOutcomes, Access.open());
    }

    /** With principals that have keys. */
    PipelineHarness(final Path directory, final Path bundlePath, final Access access, final Change change) {
        this(directory, List.of(bundlePath), change, null, null, access);
    }

    private PipelineHarness(
            final Path directory,
            final List<Path> bundlePaths,
            final Change change,
            final RecordLog ownRequests,
            final RecordLog ownOutcomes,
            final Access access) {
        clock.update(FIRST_TICK_NS);
        context = new ApplianceContext()
                .layout(Layout.COMPACT)
                .rehearseAfterNs(ROUND_NS)
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .journalDirectory(directory.resolve("journal"));
        for (int index = 0; index < bundlePaths.size(); index++) {
            context.addModel(new ModelConfig(aliasOf(index), bundlePaths.get(index)));
        }
        change.apply(context);
        context.conclude();
        models = loadReferences(bundlePaths);
        recorder = new StageRecorder(models.size());
        driver = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(context.aeronDirectoryName())
                .threadingMode(ThreadingMode.INVOKER)
                .nanoClock(clock)
                .epochClock(() -> TimeUnit.NANOSECONDS.toMillis(clock.nanoTime()))
                .timerIntervalNs(TimeUnit.MILLISECONDS.toNanos(1))
                .publicationLingerTimeoutNs(TimeUnit.MILLISECONDS.toNanos(1))
                .imageLivenessTimeoutNs(TimeUnit.MILLISECONDS.toNanos(10))
                .ipcMtuLength(Foundation.mtuLength(context, models))
                .ipcTermBufferLength(1024 * 1024)
                .dirDeleteOnShutdown(true));
        aeron = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(context.aeronDirectoryName())
                .nanoClock(clock)
                .epochClock(() -> TimeUnit.NANOSECONDS.toMillis(clock.nanoTime()))
                .useConductorAgentInvoker(true)
                .driverAgentInvoker(driver.sharedAgentInvoker())
                .errorHandler(LangUtil::rethrowUnchecked)
                .subscriberErrorHandler(LangUtil::rethrowUnchecked));
        final StageClocks clocks = StageClocks.of(context.layout(), context.inferWorkers(), clock);
        sessions = new Sessions(models, context.maxSessions());
        retries = Pipeline.newRetryWindow(context, models);
        pipeline = new Pipeline(new Pipeline.Parts(
                context, aeron, REQUEST_STREAM, Pipeline.Served.fixed(models), sessions, retries, 0, cut,
                context.maxRatePerSecond(), access, ownRequests == null ? requests : ownRequests,
                ownOutcomes == null ? outcomes : ownOutcomes, clocks, EPOCH_OFFSET_NS, recorder, counters));
        pipeline.open();
        transport = new TransportAgent(
                driver.sharedAgentInvoker(), aeron.conductorAgentInvoker(), 1, clocks.io(), new AeronErrors());
        stages.add(transport);
        stages.add(cycle(pipeline.ingress(), clocks.io()));
        stages.add(cycle(pipeline.journal(), clocks.journal()));
        for (int worker = 0; worker < context.inferWorkers(); worker++) {
            stages.add(cycle(pipeline.inferWorkers().get(worker), clocks.infer()[worker]));
        }
        stages.add(cycle(pipeline.egress(), clocks.egress()));
        stages.add(cycle(pipeline.outcome(), clocks.outcome()));
        cycle = context.layout() == Layout.COMPACT
                ? new DutyCycle("test", Threads.stagesInOrder(pipeline, transport), clocks.io(),
                        new HiccupRecorder(true, counters), pipeline.state())
                : null;
    }

    /** A welcomed client; the harness closes it. */
    TiercelClient connect(final String principal) {
        return connect(clientContext(principal));
    }

    TiercelClient connect(final ClientContext clientContext) {
        try (AsyncConnect connecting = TiercelClient.asyncConnect(clientContext)) {
            for (int round = 0; round < MAX_ROUNDS; round++) {
                round();
                final TiercelClient client = connecting.poll();
                if (client != null) {
                    clients.add(client);
                    return client;
                }
            }
        }
        throw new AssertionError("no welcome in " + MAX_ROUNDS + " rounds");
    }

    ClientContext clientContext(final String principal) {
        return new ClientContext()
                .aeron(aeron)
                .driverInvoker(driver.sharedAgentInvoker())
                .requestStreamId(REQUEST_STREAM)
                .principal(principal)
                .connectTimeoutNs(TimeUnit.SECONDS.toNanos(30))
                .firstCorrelationId(1 + CONNECTION_IDS * contextCount++)
                .nanoClock(clock);
    }

    /** A client that has not said hello and can say anything. */
    RawClient rawClient() {
        final RawClient client = new RawClient(this);
        rawClients.add(client);
        return client;
    }

    Aeron aeron() {
        return aeron;
    }

    /** The stages one by one, transport first, in the order of a request's way. */
    List<Agent> stages() {
        return stages;
    }

    void tick() {
        clock.update(clock.nanoTime() + ROUND_NS);
    }

    /** One round of the appliance. */
    int round() {
        tick();
        return cycle != null ? cycle.doWork() : work(0, false);
    }

    void rounds(final int count) {
        for (int round = 0; round < count; round++) {
            round();
        }
    }

    /** A round without the media driver and the conductor, which allocate as they like; time passes in between. */
    int roundOfStages() {
        return work(1, true);
    }

    private int work(final int firstStage, final boolean ticks) {
        int work = 0;
        for (int index = firstStage; index < stages.size(); index++) {
            if (ticks) {
                tick();
            }
            try {
                work += stages.get(index).doWork();
            } catch (final RuntimeException ex) {
                throw ex;
            } catch (final Exception ex) {
                throw new AssertionError(ex);
            }
        }
        return work;
    }

    /** A turn of the media driver and the conductor. */
    void transportRound() {
        transport.doWork();
    }

    /** Lets time pass, in steps that the media driver does not take for a pause of its clients. */
    void pass(final long durationNs) {
        for (long passedNs = 0; passedNs < durationNs; passedNs += TIME_STEP_NS) {
            clock.update(clock.nanoTime() + Math.min(TIME_STEP_NS, durationNs - passedNs));
            rounds(ROUNDS_PER_TIME_STEP);
        }
    }

    /** Rounds until something is so. */
    void roundsUntil(final String what, final BooleanSupplier condition) {
        for (int round = 0; round < MAX_ROUNDS; round++) {
            if (condition.getAsBoolean()) {
                return;
            }
            round();
        }
        throw new AssertionError(what + ": not in " + MAX_ROUNDS + " rounds");
    }

    /**
     * Some of the stages, in some order, after a moment or none.
     *
     * @param order    all stages; shuffled.
     * @param afterEach of the stages that run.
     */
    void randomRound(final Random random, final List<Agent> order, final Runnable afterEach) {
        if (random.nextBoolean()) {
            tick();
        }
        Collections.shuffle(order, random);
        for (final Agent stage : order) {
            if (random.nextInt(4) > 0) {
                try {
                    stage.doWork();
                } catch (final Exception ex) {
                    throw new AssertionError(stage.roleName(), ex);
                }
                afterEach.run();
            }
        }
    }

    /** Rounds of appliance and client until the client has answers for so many requests. */
    void exchange(final TiercelClient client, final Answers answers, final int answerCount) {
        roundsUntil("answers=" + answerCount, () -> {
            client.poll(answers, 16);
            return answers.count() >= answerCount;
        });
    }

    /** Steps that were computed before they were asked for, those that were asked for, and those that others were. */
    void assertForeseen(final long foreseen, final long hits, final long misses) {
        assertEquals(foreseen, counter(CounterId.FORESEEN));
        assertEquals(hits, counter(CounterId.FORESEEN_HITS));
        assertEquals(misses, counter(CounterId.FORESEEN_MISSES));
    }

    /** Everything is answered, and each outcome is what a run of its requests alone comes to. */
    void assertSound() {
        drain();
        StraightRun.assertSameOutcomes(models, requests, outcomes);
    }

    /** Rounds until every request taken has its outcome in the journal. */
    void drain() {
        roundsUntil("drained", () -> pipeline.recordedCount() == pipeline.takenCount());
    }

    long counter(final CounterId id) {
        return counters.value(id);
    }

    @Override
    public void close() {
        CloseHelper.quietCloseAll(clients);
        CloseHelper.quietCloseAll(rawClients);
        stages.forEach(Agent::onClose);
        CloseHelper.quietCloseAll(pipeline, retries, sessions, aeron, driver);
        models.forEach(LoadedModel::close);
        IoUtil.delete(new File(context.aeronDirectoryName()), true);
    }

    /** Bundles as the Java reference computes them, under {@link #ALIAS} and its numbers. */
    static List<LoadedModel> loadReferences(final List<Path> bundlePaths) {
        final List<LoadedModel> loaded = new ArrayList<>();
        for (int index = 0; index < bundlePaths.size(); index++) {
            final Bundle bundle = Bundle.open(bundlePaths.get(index));
            loaded.add(LoadedModel.of(index, aliasOf(index), bundle.version(), "reference",
                    Backends.select("reference", bundle).load(bundle, 1)));
        }
        return loaded;
    }

    private static String aliasOf(final int index) {
        return index == 0 ? ALIAS : ALIAS + "-" + index;
    }

    private DutyCycle cycle(final Agent stage, final CycleClock stageClock) {
        return new DutyCycle(stage.roleName(), List.of(stage), stageClock, new HiccupRecorder(true, counters),
                pipeline.state());
    }
}
