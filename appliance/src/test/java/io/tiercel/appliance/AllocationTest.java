package io.tiercel.appliance;

import com.sun.management.ThreadMXBean;
import io.tiercel.appliance.config.FullSessionsPolicy;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.OverloadPolicy;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.infer.InferAgent;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.journal.RecordLog;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.Generation;
import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The steady state of every hot stage, and of the client, allocates nothing: bytes that the thread has allocated, as
 * the JVM counts them, over some ten thousand requests after the warm-up. Clients neither come nor go meanwhile, and
 * the media driver and Aeron's conductor, which allocate as they like, have their turns between the measurements.
 */
class AllocationTest {

    private static final int FEATURES = 8;
    private static final int WARM_UP_REQUESTS = 30_000;
    private static final int MEASURED_REQUESTS = 20_000;
    private static final int REQUESTS_PER_TURN = 100;
    private static final int TRIES = 20;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private long lastCorrelationId;

    @TempDir
    Path directory;

    /** Copies each record to one place and counts: a journal that costs nothing. */
    private static final class CountingLog implements RecordLog {
        private final UnsafeBuffer record = new UnsafeBuffer(BufferUtil.allocateDirectAligned(64 * 1024, 64));
        private long count;

        @Override
        public boolean append(
                final long sequence,
                final long ingressNs,
                final long principalId,
                final DirectBuffer modelVersion,
                final DirectBuffer frame,
                final int frameOffset,
                final int frameLength) {
            record.putBytes(0, modelVersion, 0, 32);
            record.putBytes(32, frame, frameOffset, frameLength);
            count++;
            return true;
        }

        @Override
        public int onIdle() {
            return 0;
        }

        @Override
        public void sync() {
        }

        @Override
        public boolean isSpaceLow() {
            return false;
        }

        @Override
        public long freeBytes() {
            return Long.MAX_VALUE;
        }

        @Override
        public void close() {
        }
    }

    /** Counts answers. */
    private static final class Counting implements ResponseHandler {
        private long resultCount;
        private long chunkCount;
        private float lastOutput;

        @Override
        public void onResult(
                final long correlationId,
                final long sessionKey,
                final long sequence,
                final ResultStatus status,
                final int applianceNs,
                final int batchSize,
                final DirectBuffer outputs,
                final int offset,
                final int outputCount) {
            resultCount++;
            lastOutput = outputCount == 0 ? 0 : outputs.getFloat(offset);
        }

        @Override
        public void onChunk(
                final long correlationId,
                final long sessionKey,
                final long sequence,
                final int stepIndex,
                final DirectBuffer outputs,
                final int offset,
                final int outputCount) {
            chunkCount++;
        }

        @Override
        public void onReject(
                final long correlationId,
                final RejectCode code,
                final long offendingValue,
                final long allowedValue,
                final String detail) {
            throw new AssertionError(detail);
        }

        @Override
        public void onGoodbye(final GoodbyeReason reason) {
            throw new AssertionError(reason);
        }

        @Override
        public void onDisconnect() {
            throw new AssertionError("disconnected");
        }
    }

    /** What one turn of an exchange sends. */
    private interface Sender {
        void send(TiercelClient client, int request);
    }

    /** Puts one frame of a burst; returns its length. */
    private interface FrameWriter {
        int put(UnsafeBuffer frame, int request);
    }

    private final float[] features = new float[FEATURES];
    private final UnsafeBuffer steps = new UnsafeBuffer(BufferUtil.allocateDirectAligned(4 * FEATURES * 4, 64));

    @Test
    void shouldAllocateNothingWhenEachRequestIsAnsweredBeforeTheNext() {
        try (PipelineHarness harness = harness(1, new CountingLog(), new CountingLog())) {
            assertNoAllocation(harness, 1, (client, request) -> client.infer(0, request & 15, features, 0));
        }
    }

    @Test
    void shouldAllocateNothingWhenRequestsAreBatchedOverWorkers() {
        try (PipelineHarness harness = harness(3, new CountingLog(), new CountingLog())) {
            assertNoAllocation(harness, 10, (client, request) -> client.infer(0, request & 15, features, 0));
        }
    }

    @Test
    void shouldAllocateNothingWhenRequestsAreOfEveryKind() {
        try (PipelineHarness harness = harness(1, new CountingLog(), new CountingLog())) {
            assertNoAllocation(harness, 4, (client, request) -> {
                switch (request & 3) {
                    case 0 -> client.resetSession(0, request & 15);
                    case 1 -> client.infer(0, request & 15, features, 1);
                    case 2 -> client.infer(0, request & 15, steps, 0, 4, 0, true);
                    default -> client.infer(0, request & 15, steps, 0, 3, 0, false);
                }
            });
            assertTrue(harness.counter(CounterId.EXPIRED) > 0);
        }
    }

    @Test
    void shouldAllocateNothingWhenStepsAreTokensAndSessionsFull() {
        final int[] tokens = {3, 22, 0, 7};
        final List<Path> bundle = List.of(RandomTransformers.writeTokens(3, 40, directory));
        try (PipelineHarness harness = new PipelineHarness(directory, bundle,
                context -> context.layout(Layout.DEDICATED).ringCapacity(64), new CountingLog(), new CountingLog())) {
            assertNoAllocation(harness, 4, (client, request) -> {
                switch (request % 128) {
                    case 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 -> client.resetSession(0, request & 15);
                    default -> client.inferTokens(0, request & 15, tokens, 0, 1 + (request & 3), 0, request % 3 == 0);
                }
            });
            assertTrue(harness.counter(CounterId.CONTEXT_FULL) > 1_000);
            assertTrue(harness.counter(CounterId.CONTEXT_FULL) < harness.counter(CounterId.RESULTS) / 2);
        }
    }

    /** Drawn and likeliest ones, foreseen or not, and copies of sessions, also between workers. */
    @Test
    void shouldAllocateNothingWhenTokensAreMadeAndSessionsForked() {
        final int[] tokens = {3, 22};
        final Generation drawn = new Generation().maxTokens(4).temperature(1).topTokens(5).stopTokens(7);
        final Generation likeliest = new Generation().maxTokens(3);
        final List<Path> bundle = List.of(RandomTransformers.write(
                TransformerSetting.tokens(3, 40), WhenFull.SLIDE, directory));
        try (PipelineHarness harness = new PipelineHarness(directory, bundle,
                context -> context.layout(Layout.DEDICATED).inferWorkers(2).ringCapacity(64)
                        .foreseenGeneratedTokens(3),
                new CountingLog(), new CountingLog())) {
            assertNoAllocation(harness, 4, (client, request) -> {
                for (int round = 0; round < 4; round++) {
                    harness.pipeline.inferWorkers().forEach(InferAgent::doWork);
                }
                switch (request & 3) {
                    case 0 -> client.generate(0, request & 15, tokens, drawn.seed(request), 0);
                    case 1 -> client.forkSession(0, request & 15, request - 1 & 15);
                    case 2 -> client.generate(0, request & 15, tokens, likeliest, 0);
                    default -> client.inferTokens(0, request & 15, tokens, 0, 1, 0, false);
                }
            });
            assertTrue(harness.counter(CounterId.REQUESTS) > 2 * harness.counter(CounterId.SESSIONS));
            assertTrue(harness.counter(CounterId.FORESEEN_HITS) > 1_000);
        }
    }

    @Test
    void shouldAllocateNothingWhenTokensAreForeseen() {
        final int[] tokens = new int[1];
        final List<Path> bundle = List.of(RandomTransformers.write(
                TransformerSetting.tokens(3, 40), WhenFull.SLIDE, directory));
        try (PipelineHarness harness = new PipelineHarness(directory, bundle,
                context -> context.layout(Layout.DEDICATED).foreseenTokens(2),
                new CountingLog(), new CountingLog())) {
            assertNoAllocation(harness, 1, (client, request) -> {
                for (int round = 0; round < 6; round++) {
                    harness.roundOfStages();
                }
                tokens[0] = request % TransformerSetting.SMALL_VOCABULARY;
                client.inferTokens(0, request & 15, tokens, 0, 1, 0, false);
            });
            assertTrue(harness.counter(CounterId.FORESEEN) > 1_000);
            assertTrue(harness.counter(CounterId.FORESEEN_HITS) > 100);
        }
    }

    @Test
    void shouldAllocateNothingWhenTokensAreRefused() {
        final List<Path> bundle = List.of(RandomTransformers.writeTokens(3, 40, directory));
        try (PipelineHarness harness = new PipelineHarness(directory, bundle,
                context -> context.layout(Layout.DEDICATED), new CountingLog(), new CountingLog())) {
            assertNoAllocationOfBursts(
                    harness, (frame, request) -> RawClient.putInfer(frame, 7, 1, Float.intBitsToFloat(23 + request)));
            assertEquals(0, harness.pipeline.takenCount());
        }
    }

    @Test
    void shouldSeeTheAllocationWhenAStageAllocates() {
        try (PipelineHarness harness = harness(1, null, new CountingLog())) {
            final TiercelClient client = harness.connect("desk");
            final long allocated = run(harness, client, new Counting(), 1,
                    (sender, request) -> sender.infer(0, 1, features, 0), 1_000);
            assertTrue(allocated >= 1_000 * 100, "the log in memory keeps a copy of each record");
        }
    }

    @Test
    void shouldAllocateNothingWhenFramesAreRefused() {
        try (PipelineHarness harness = harness(1, new CountingLog(), new CountingLog())) {
            assertNoAllocationOfBursts(harness, (frame, request) -> {
                final int length = RawClient.putInfer(frame, 7, 1, features);
                frame.putShort(request % 4 * 2, (short) 999);
                return request % 5 == 0 ? request % 8 : length;
            });
            assertEquals(0, harness.pipeline.takenCount());
        }
    }

    @Test
    void shouldAllocateNothingWhenRequestsAreShed() {
        try (PipelineHarness harness = new PipelineHarness(directory, bundles(), context -> context
                .overloadPolicy(OverloadPolicy.SHED).overloadUnfinished(4), new CountingLog(), new CountingLog())) {
            assertNoAllocationOfBursts(harness, this::putNewInfer);
            assertTrue(harness.counter(CounterId.SHED) > harness.counter(CounterId.RESULTS));
            assertTrue(harness.counter(CounterId.RESULTS) > 0);
        }
    }

    @Test
    void shouldAllocateNothingWhenAClientIsOverItsRate() {
        try (PipelineHarness harness = new PipelineHarness(directory, bundles(), context -> context
                .maxRatePerSecond(10_000), new CountingLog(), new CountingLog())) {
            assertNoAllocationOfBursts(harness, this::putNewInfer);
            assertTrue(harness.counter(CounterId.RATE_LIMITED) > harness.counter(CounterId.RESULTS));
            assertTrue(harness.counter(CounterId.RESULTS) > 1_000);
        }
    }

    @Test
    void shouldAllocateNothingWhenRequestsAreRepeated() {
        try (PipelineHarness harness = harness(1, new CountingLog(), new CountingLog())) {
            final RawClient raw = harness.rawClient().welcome("raw");
            final UnsafeBuffer frame = new UnsafeBuffer(new byte[256]);
            long allocated = Long.MAX_VALUE;
            for (int turn = 0; turn < 400 || (turn < 2_000 && allocated > 0); turn++) {
                if (turn % 200 == 0) {
                    allocated = 0;
                }
                for (int request = 0; request < 50; request++) {
                    final int id = turn + 1 - request % 5;
                    final int length = RawClient.putSteps(
                            frame, id, request == 45 ? 2 : 1, 2, id % 2 == 0, 0, new float[2 * FEATURES]);
                    assertTrue(raw.trySend(frame, length) || raw.trySend(frame, length), "at a term's end");
                }
                final long before = threads.getCurrentThreadAllocatedBytes();
                for (int round = 0; round < 8; round++) {
                    harness.roundOfStages();
                }
                allocated += threads.getCurrentThreadAllocatedBytes() - before;
                harness.transportRound();
                raw.poll();
                raw.rejections.clear();
                raw.answers.clear();
                raw.results.clear();
            }
            assertEquals(0, allocated);
            assertTrue(harness.counter(CounterId.RETRIES_ANSWERED) > 20 * harness.pipeline.takenCount());
            assertTrue(harness.counter(CounterId.RETRIES_REFUSED) > 0);
        }
    }

    @Test
    void shouldAllocateNothingWhenSessionsMakeRoomForOthers() {
        try (PipelineHarness harness = new PipelineHarness(directory, bundles(),
                context -> context.layout(Layout.DEDICATED).inferWorkers(3).ringCapacity(64)
                        .maxSessions(12).fullSessionsPolicy(FullSessionsPolicy.EVICT),
                new CountingLog(), new CountingLog())) {
            assertNoAllocation(harness, 8,
                    (client, request) -> client.infer(0, request % 4 == 0 ? request : request & 7, features, 0));
            assertTrue(harness.counter(CounterId.SESSIONS_EVICTED) > 10_000);
        }
    }

    @Test
    void shouldAllocateNothingWhenTheJournalIsReal() {
        try (JournalDirectory journal = JournalDirectory.open(directory.resolve("journal-real"),
                new JournalSettings().populateAheadBytes(16L << 20));
                PipelineHarness harness = harness(1, journal.requests(), journal.outcomes())) {
            assertNoAllocation(harness, 4, (client, request) -> client.infer(0, request & 15, features, 0));
        }
    }

    private PipelineHarness harness(final int workers, final RecordLog requests, final RecordLog outcomes) {
        return new PipelineHarness(directory, bundles(),
                context -> context.layout(Layout.DEDICATED).inferWorkers(workers).ringCapacity(64), requests, outcomes);
    }

    private List<Path> bundles() {
        return List.of(RandomModels.lstm(1).features(FEATURES).write(directory));
    }

    /** Of a session for each place in the burst, under an id that was never there. */
    private int putNewInfer(final UnsafeBuffer frame, final int request) {
        return RawClient.putInfer(frame, ++lastCorrelationId, request, features);
    }

    /** Bursts of frames at one instant, of which some are refused. Only the stages are measured. */
    private void assertNoAllocationOfBursts(final PipelineHarness harness, final FrameWriter writer) {
        final RawClient raw = harness.rawClient().welcome("raw");
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[256]);
        long allocated = Long.MAX_VALUE;
        for (int turn = 0; turn < 400 || (turn < 2_000 && allocated > 0); turn++) {
            if (turn % 200 == 0) {
                allocated = 0;
            }
            for (int request = 0; request < 50; request++) {
                final int length = writer.put(frame, request);
                assertTrue(raw.trySend(frame, length) || raw.trySend(frame, length), "at a term's end");
            }
            final long before = threads.getCurrentThreadAllocatedBytes();
            for (int round = 0; round < 8; round++) {
                harness.roundOfStages();
            }
            allocated += threads.getCurrentThreadAllocatedBytes() - before;
            harness.transportRound();
            raw.poll();
            raw.rejections.clear();
            raw.results.clear();
        }
        assertEquals(0, allocated);
    }

    /**
     * The JIT decides when an allocation that does not escape is gone, so the measurement is repeated until it has, a
     * few times at most. What a stage really allocates is there in every one.
     */
    private void assertNoAllocation(final PipelineHarness harness, final int inFlight, final Sender sender) {
        final long connectedNs = harness.clock.nanoTime();
        // A clock that stands still: the client then leaves the driver and the conductor to the harness.
        final TiercelClient client = harness.connect(
                harness.clientContext("desk").serviceInterval(1_000_000).nanoClock(() -> connectedNs));
        final Counting answers = new Counting();
        run(harness, client, answers, inFlight, sender, WARM_UP_REQUESTS);
        long allocated = Long.MAX_VALUE;
        for (int attempt = 0; attempt < TRIES && allocated > 0; attempt++) {
            allocated = run(harness, client, answers, inFlight, sender, MEASURED_REQUESTS);
        }
        assertEquals(0, allocated, "bytes in " + MEASURED_REQUESTS + " requests");
    }

    private long run(
            final PipelineHarness harness,
            final TiercelClient client,
            final Counting answers,
            final int inFlight,
            final Sender sender,
            final int requestCount) {
        long allocated = 0;
        for (int turn = 0; turn < requestCount / REQUESTS_PER_TURN; turn++) {
            final long goal = answers.resultCount + REQUESTS_PER_TURN;
            long sent = answers.resultCount;
            final long before = threads.getCurrentThreadAllocatedBytes();
            for (int round = 0; answers.resultCount < goal; round++) {
                if (sent < goal && sent - answers.resultCount < inFlight) {
                    sender.send(client, (int) sent++);
                }
                harness.roundOfStages();
                client.poll(answers, 16);
                if (round > PipelineHarness.MAX_ROUNDS) {
                    throw new AssertionError("answers=" + answers.resultCount + " of " + goal);
                }
            }
            allocated += threads.getCurrentThreadAllocatedBytes() - before;
            harness.transportRound();
        }
        return allocated;
    }
}
