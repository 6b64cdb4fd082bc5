package io.tiercel.appliance;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.FullSessionsPolicy;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.cycle.DutyCycle;
import io.tiercel.appliance.cycle.StageClocks;
import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotAgent;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.EventTrack;
import io.tiercel.appliance.telemetry.HiccupRecorder;
import io.tiercel.appliance.telemetry.StageRecorder;
import io.tiercel.appliance.transport.AeronErrors;
import io.tiercel.appliance.transport.TransportAgent;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.GoodbyeReason;
import org.agrona.CloseHelper;
import org.agrona.IoUtil;
import org.agrona.LangUtil;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The layouts with threads of their own: the same requests come to the same bits in each. */
@Timeout(120)
class LayoutsTest {

    private static final int REQUESTS = 400;
    private static final long SEED = 20_260_101;

    @TempDir
    Path directory;

    @Test
    void shouldComputeTheSameBitsWhenTheLayoutDiffers() {
        final List<List<StraightRun.Outcome>> outcomes = new ArrayList<>();
        for (final Layout layout : new Layout[] {Layout.COMPACT, Layout.PAIRED, Layout.DEDICATED}) {
            try (Threaded appliance = new Threaded(directory, layout)) {
                appliance.exchange("desk", SEED, REQUESTS);
                appliance.drain();
                StraightRun.assertSameOutcomes(appliance.models, appliance.requests, appliance.outcomes);
                outcomes.add(appliance.outcomes.entries().stream().map(StraightRun.Outcome::of).toList());
            }
        }
        for (int index = 0; index < REQUESTS; index++) {
            for (final List<StraightRun.Outcome> other : outcomes) {
                assertEquals(outcomes.get(0).get(index).status(), other.get(index).status());
                assertEquals(outcomes.get(0).get(index).stateHash(), other.get(index).stateHash());
                assertArrayEquals(outcomes.get(0).get(index).outputs(), other.get(index).outputs());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Layout.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
    void shouldServeEveryClientWhenSeveralComeAndGoAtOnce(final Layout layout) throws Exception {
        serveSeveralThatComeAndGo(layout, context -> {});
    }

    /** Places pass between the infer workers, while snapshots are taken. */
    @ParameterizedTest
    @EnumSource(value = Layout.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
    void shouldServeEveryClientWhenSessionsMakeRoomForOthers(final Layout layout) throws Exception {
        serveSeveralThatComeAndGo(layout, context -> context
                .maxSessions(20).fullSessionsPolicy(FullSessionsPolicy.EVICT));
    }

    private void serveSeveralThatComeAndGo(final Layout layout, final PipelineHarness.Change change)
            throws Exception {
        final ExecutorService executor = Executors.newFixedThreadPool(3);
        try (Threaded appliance = new Threaded(directory, layout, change)) {
            final List<Callable<Void>> tasks = new ArrayList<>();
            for (int index = 0; index < 3; index++) {
                final int client = index;
                tasks.add(() -> {
                    for (int turn = 0; turn < 6; turn++) {
                        appliance.exchange("desk-" + client, SEED + client * 10 + turn, 60);
                    }
                    return null;
                });
            }
            for (final Future<Void> future : executor.invokeAll(tasks)) {
                rethrow(future);
            }
            appliance.drain();
            assertEquals(3 * 6 * 60, appliance.requests.size());
            assertEquals(3 * 6 * 60, appliance.counters.value(CounterId.RESULTS));
            StraightRun.assertSameOutcomes(appliance.models, appliance.context.maxSessions(), appliance.requests,
                    appliance.outcomes);
            appliance.assertSnapshots();
        } finally {
            executor.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource(value = Layout.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
    void shouldSayGoodbyeToEveryClientWhenItStops(final Layout layout) {
        try (Threaded appliance = new Threaded(directory, layout)) {
            final List<TiercelClient> clients = new ArrayList<>();
            for (int index = 0; index < 8; index++) {
                clients.add(appliance.connect("desk-" + index));
            }
            appliance.pipeline.state().drain();
            appliance.await(appliance.pipeline::sayGoodbye);
            appliance.stop();
            for (final TiercelClient client : clients) {
                final Answers answers = new Answers();
                client.poll(answers, 16);
                assertEquals(List.of(GoodbyeReason.SHUTTING_DOWN), answers.goodbyes);
                client.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Layout.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
    void shouldCountItsThreadsAndTheDriversWhenAskedHowManyCoresItWants(final Layout layout) {
        try (Threaded appliance = new Threaded(directory, layout)) {
            final int driverThreads = layout == Layout.DEDICATED ? 1 : 0;
            assertEquals(
                    appliance.runners.size() + driverThreads, layout.threadCount(appliance.context.inferWorkers()));
        }
    }

    /** A publication is connected a moment before the driver's thread gives it room. */
    @Test
    void shouldWelcomeAtTheFirstAttemptWhenTheDriverHasAThreadOfItsOwn() {
        try (Threaded appliance = new Threaded(directory, Layout.DEDICATED)) {
            for (int index = 0; index < 100; index++) {
                appliance.connect("desk-" + index % 10).close();
            }
            assertEquals(0, appliance.counters.value(CounterId.CLIENTS_SLOW));
        }
    }

    private static void rethrow(final Future<Void> future) throws Exception {
        try {
            future.get();
        } catch (final ExecutionException ex) {
            throw new AssertionError(ex.getCause());
        }
    }

    /** A pipeline on threads that do not spin; the clients run on the test's threads. */
    private static final class Threaded implements AutoCloseable {

        private static final long SNAPSHOT_INTERVAL_NS = 2_000_000;
        private static final int INFER_WORKERS = 2;
        private static final int IN_FLIGHT = 24;

        final MemoryRecordLog requests = new MemoryRecordLog();
        final MemoryRecordLog outcomes = new MemoryRecordLog();
        final Counters counters = Counters.inMemory();
        final List<LoadedModel> models = new ArrayList<>();
        final RetryWindow retries;
        final Pipeline pipeline;
        private final SnapshotCut cut = new SnapshotCut();
        private final Sessions sessions;
        private final SnapshotStore store;
        private final SnapshotAgent snapshots;
        private final AgentRunner snapshotRunner;
        private final ApplianceContext context;
        private final MediaDriver driver;
        private final Aeron aeron;
        private final List<AgentRunner> runners = new ArrayList<>();
        private final List<Throwable> errors = new ArrayList<>();

        Threaded(final Path directory, final Layout layout) {
            this(directory, layout, context -> {});
        }

        Threaded(final Path directory, final Layout layout, final PipelineHarness.Change change) {
            store = new SnapshotStore(directory);
            context = new ApplianceContext()
                    .layout(layout)
                    .inferWorkers(layout == Layout.DEDICATED ? INFER_WORKERS : 1)
                    .aeronDirectoryName(directory.resolve("aeron-" + layout).toString())
                    .journalDirectory(directory)
                    .ringCapacity(64)
                    .addModel(new ModelConfig("one", RandomModels.lstm(1).hidden(16).write(directory)))
                    .addModel(new ModelConfig("two", RandomModels.lstm(2).layers(2).features(5).write(directory)))
                    .addModel(new ModelConfig("tokens", RandomTransformers.writeTokens(3, 12, directory)))
                    .addModel(new ModelConfig("tape", RandomTransformers.writeFeatures(4, 12, directory)));
            change.apply(context);
            context.conclude();
            for (final ModelConfig config : context.models()) {
                final Bundle bundle = Bundle.open(config.bundle());
                final Backend backend = Backends.select("reference", bundle);
                models.add(LoadedModel.of(
                        models.size(), config.alias(), bundle.version(), backend.name(),
                        backend.load(bundle, config.threads())));
            }
            driver = MediaDriver.launch(new MediaDriver.Context()
                    .aeronDirectoryName(context.aeronDirectoryName())
                    .threadingMode(layout == Layout.DEDICATED ? ThreadingMode.SHARED : ThreadingMode.INVOKER)
                    .sharedIdleStrategy(polite())
                    .ipcMtuLength(Foundation.mtuLength(context, models))
                    .ipcTermBufferLength(1024 * 1024)
                    .dirDeleteOnShutdown(true));
            aeron = Aeron.connect(new Aeron.Context()
                    .aeronDirectoryName(context.aeronDirectoryName())
                    .useConductorAgentInvoker(true)
                    .driverAgentInvoker(driver.sharedAgentInvoker())
                    .subscriberErrorHandler(LangUtil::rethrowUnchecked));
            sessions = new Sessions(models, context.maxSessions());
            retries = Pipeline.newRetryWindow(context, models);
            pipeline = new Pipeline(new Pipeline.Parts(context, aeron, context.requestStreamId(),
                    Pipeline.Served.fixed(models), sessions, retries, 0, cut, context.maxRatePerSecond(), Access.open(),
                    requests, outcomes,
                    StageClocks.of(layout, context.inferWorkers(), SystemNanoClock.INSTANCE),
                    0, new StageRecorder(models.size()), counters));
            pipeline.open();
            final TransportAgent transport =
                    new TransportAgent(driver.sharedAgentInvoker(), aeron.conductorAgentInvoker(), 4,
                            pipeline.clocks().io(), new AeronErrors());
            for (final Threads.Share share : Threads.plan(layout, pipeline, transport, null)) {
                runners.add(new AgentRunner(polite(), this::onError, null, new DutyCycle(share.roleName(),
                        share.stages(), share.clock(), new HiccupRecorder(false, counters),
                        pipeline.state())));
            }
            snapshots = new SnapshotAgent(
                    new SnapshotAgent.Settings(SNAPSHOT_INTERVAL_NS, 1_000, context.inferWorkers()), cut, sessions,
                    retries, models, store,
                    new SnapshotAgent.Progress(pipeline::takenSequence, pipeline::recordedSequence),
                    new UnwrittenJournal(), -1, SystemNanoClock.INSTANCE, counters, EventTrack.none());
            snapshotRunner = new AgentRunner(polite(), this::onError, null, snapshots);
            runners.forEach(AgentRunner::startOnThread);
            AgentRunner.startOnThread(snapshotRunner);
        }

        TiercelClient connect(final String principal) {
            return TiercelClient.connect(new ClientContext()
                    .aeronDirectoryName(context.aeronDirectoryName())
                    .principal(principal)
                    .connectTimeoutNs(30_000_000_000L)
                    .idleStrategy(polite()));
        }

        /** A whole connection: hello, traffic, every answer, goodbye. */
        void exchange(final String principal, final long seed, final int requestCount) {
            try (TiercelClient client = connect(principal)) {
                final RandomTraffic traffic = new RandomTraffic(seed, client, false);
                if (context.evictsSessions()) {
                    traffic.withoutForks();
                }
                final Answers answers = new Answers();
                final IdleStrategy idle = polite();
                int sentCount = 0;
                while (answers.count() < requestCount) {
                    int work = client.poll(answers, 16);
                    if (sentCount < requestCount && sentCount - answers.count() < IN_FLIGHT && traffic.sendNext()) {
                        sentCount++;
                        work++;
                    }
                    idle.idle(work);
                    assertTrue(client.isConnected(), client::disconnectCause);
                }
                assertTrue(answers.rejections.isEmpty(), () -> "seed=" + seed + " " + answers.rejections);
            }
        }

        void drain() {
            await(() -> pipeline.recordedCount() == pipeline.takenCount());
        }

        void await(final BooleanSupplier condition) {
            final IdleStrategy idle = polite();
            while (!condition.getAsBoolean()) {
                assertNull(pipeline.state().failure());
                idle.idle();
            }
        }

        /** Those that were taken while it ran, and one of how it stands. */
        void assertSnapshots() {
            snapshots.takeSoon();
            await(snapshots::isIdle);
            final List<SnapshotStore.Entry> entries =
                    SnapshotCheck.assertEachIsOfItsSequence(
                            store, models, context.maxSessions(), requests, outcomes);
            assertEquals(pipeline.takenSequence(), entries.get(entries.size() - 1).sequence());
            assertEquals(0, counters.value(CounterId.SNAPSHOTS_FAILED));
        }

        void stop() {
            CloseHelper.closeAll(runners);
            CloseHelper.close(snapshotRunner);
        }

        @Override
        public void close() {
            stop();
            CloseHelper.closeAll(pipeline, retries, sessions, aeron, driver);
            models.forEach(LoadedModel::close);
            IoUtil.delete(new File(context.aeronDirectoryName()), true);
            synchronized (errors) {
                assertEquals(List.of(), errors);
            }
        }

        private void onError(final Throwable error) {
            synchronized (errors) {
                errors.add(error);
            }
        }

        private static IdleStrategy polite() {
            return new BackoffIdleStrategy(10, 10, 1_000, 100_000);
        }
    }
}
