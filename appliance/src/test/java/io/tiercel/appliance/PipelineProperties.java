package io.tiercel.appliance;

import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.config.FullSessionsPolicy;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.OverloadPolicy;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;
import org.agrona.IoUtil;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The stages in random orders, with random stages left out of each round: every interleaving that the layouts' threads
 * could produce, at the granularity of a duty cycle. The seed is in jqwik's report of a failure.
 */
class PipelineProperties {

    private static final int FEATURES = 8;

    private Path directory;
    private List<Path> bundles;

    @BeforeProperty
    void setUp() throws IOException {
        directory = Files.createTempDirectory("tiercel-pipeline-");
        bundles = List.of(
                RandomModels.lstm(1).hidden(16).features(FEATURES).outputs(3).write(directory),
                RandomModels.lstm(2).layers(2).hidden(8).features(5).outputs(4).write(directory),
                RandomTransformers.writeTokens(3, 12, directory),
                RandomTransformers.writeFeatures(4, 12, directory));
    }

    @AfterProperty
    void tearDown() {
        IoUtil.delete(directory.toFile(), true);
    }

    @Property(tries = 25, shrinking = ShrinkingMode.OFF)
    void shouldComputeTheSameBitsWhenStagesRunInAnyOrder(
            @ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 32) final int maxBatch,
            @ForAll @IntRange(min = 1, max = 3) final int inferWorkers,
            @ForAll final boolean hasBudgets,
            @ForAll final boolean hasWindow) {
        try (PipelineHarness harness = new PipelineHarness(directory, bundles, context -> context
                .layout(Layout.DEDICATED)
                .maxBatch(maxBatch)
                .inferWorkers(inferWorkers)
                .foreseenTokens(maxBatch % 4)
                .foreseenGeneratedTokens(maxBatch / 2)
                .ringCapacity(32)
                .batchWindowNs(hasWindow ? 3 * PipelineHarness.ROUND_NS : 0))) {
            final RandomRun run = new RandomRun(harness, seed, hasBudgets);
            run.exchange(300, false);
            StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
            run.assertAnswersAreTheOutcomes();
        }
    }

    @Property(tries = 25, shrinking = ShrinkingMode.OFF)
    void shouldAnswerNothingBeforeItsRecordWhenTheJournalStallsAnywhere(
            @ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 6) final int ringBits,
            @ForAll @IntRange(min = 1, max = 3) final int inferWorkers,
            @ForAll final DurabilityLevel durability) {
        try (PipelineHarness harness = new PipelineHarness(directory, bundles, context -> context
                .layout(Layout.DEDICATED)
                .durability(durability)
                .ringCapacity(1 << ringBits)
                .maxBatch(Math.min(8, 1 << ringBits))
                .inferWorkers(inferWorkers))) {
            final RandomRun run = new RandomRun(harness, seed, true);
            run.exchange(200, true);
            StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
            run.assertAnswersAreTheOutcomes();
        }
    }

    @Property(tries = 25, shrinking = ShrinkingMode.OFF)
    void shouldAnswerOrRefuseEachRequestOnceWhenThereAreTooMany(
            @ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 16) final int unfinishedLimit,
            @ForAll @IntRange(min = 1, max = 3) final int inferWorkers,
            @ForAll final boolean hasRateLimit) {
        try (PipelineHarness harness = new PipelineHarness(directory, bundles, context -> context
                .layout(Layout.DEDICATED)
                .ringCapacity(16)
                .maxBatch(8)
                .inferWorkers(inferWorkers)
                .overloadPolicy(OverloadPolicy.SHED)
                .overloadUnfinished(unfinishedLimit)
                .maxRatePerSecond(hasRateLimit ? 5_000 : 0))) {
            final RandomRun run = new RandomRun(harness, seed, true);
            run.exchangeBursts(600, unfinishedLimit);
            StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
            run.assertAnswersAreTheOutcomes();
        }
    }

    @Property(tries = 40, shrinking = ShrinkingMode.OFF)
    void shouldForgetTheSessionUnusedForLongestWhenAnotherNeedsItsPlace(
            @ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 24) final int maxSessions,
            @ForAll @IntRange(min = 1, max = 6) final int ringBits,
            @ForAll @IntRange(min = 1, max = 3) final int inferWorkers,
            @ForAll final boolean stalls,
            @ForAll final boolean hasWindow,
            @ForAll final DurabilityLevel durability) {
        try (PipelineHarness harness = new PipelineHarness(directory, bundles, context -> context
                .layout(Layout.DEDICATED)
                .durability(durability)
                .maxSessions(maxSessions)
                .fullSessionsPolicy(FullSessionsPolicy.EVICT)
                .foreseenTokens(ringBits % 3)
                .foreseenGeneratedTokens(2 * ringBits)
                .ringCapacity(1 << ringBits)
                .maxBatch(Math.min(8, 1 << ringBits))
                .batchWindowNs(hasWindow ? 3 * PipelineHarness.ROUND_NS : 0)
                .inferWorkers(inferWorkers))) {
            final RandomRun run = new RandomRun(harness, seed, true);
            run.exchange(300, stalls);
            StraightRun.assertSameOutcomes(harness.models, maxSessions, harness.requests, harness.outcomes);
            run.assertAnswersAreTheOutcomes();
            run.assertDecisionsWereRecordedFirst();
            assertTrue(maxSessions > 18 || harness.counter(CounterId.SESSIONS_EVICTED) > 0);
        }
    }

    @Property(tries = 40, shrinking = ShrinkingMode.OFF)
    void shouldGiveEveryRepeatTheAnswerOfTheFirstWhenStagesRunInAnyOrder(
            @ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 6) final int ringBits,
            @ForAll @IntRange(min = 0, max = 24) final int windowSlack,
            @ForAll @IntRange(min = 1, max = 3) final int inferWorkers,
            @ForAll final boolean stalls) {
        try (PipelineHarness harness = new PipelineHarness(directory, bundles, context -> context
                .layout(Layout.DEDICATED)
                .ringCapacity(1 << ringBits)
                .maxBatch(Math.min(8, 1 << ringBits))
                .maxInFlight(RepeatingRun.IN_FLIGHT)
                .maxSteps(RepeatingRun.MAX_STEPS)
                .retryWindow(RepeatingRun.IN_FLIGHT + windowSlack)
                .inferWorkers(inferWorkers))) {
            final RepeatingRun run = new RepeatingRun(harness, seed);
            run.exchange(400, stalls);
            run.assertAnswers();
            StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
        }
    }

    @Property(tries = 25, shrinking = ShrinkingMode.OFF)
    void shouldMakeTheSameTokensWhenStagesRunInAnyOrder(
            @ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 6) final int ringBits,
            @ForAll @IntRange(min = 1, max = 3) final int inferWorkers,
            @ForAll @IntRange(min = 0, max = 200) final int retryWindow,
            @ForAll @IntRange(min = 0, max = 16) final int foreseenGeneratedTokens,
            @ForAll final boolean stalls) {
        try (PipelineHarness harness = new PipelineHarness(directory, bundles, context -> context
                .layout(Layout.DEDICATED)
                .ringCapacity(1 << ringBits)
                .maxBatch(Math.min(8, 1 << ringBits))
                .maxInFlight(GeneratingRun.IN_FLIGHT)
                .maxSteps(GeneratingRun.MAX_STEPS)
                .maxGenerations(GeneratingRun.IN_FLIGHT)
                .foreseenTokens(ringBits % 3)
                .foreseenGeneratedTokens(foreseenGeneratedTokens)
                .retryWindow(retryWindow < GeneratingRun.IN_FLIGHT ? 0 : 10 * retryWindow)
                .inferWorkers(inferWorkers))) {
            final GeneratingRun run = new GeneratingRun(harness, seed, retryWindow >= GeneratingRun.IN_FLIGHT);
            run.exchange(GeneratingRun.MAX_REQUESTS, stalls);
            run.assertAnswers();
            StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
        }
    }

    @Property(tries = 20, shrinking = ShrinkingMode.OFF)
    void shouldStayWholeWhenFramesAreGarbage(@ForAll final long seed) {
        final Random random = new Random(seed);
        try (PipelineHarness harness = new PipelineHarness(directory, bundles, context -> {})) {
            final TiercelClient good = harness.connect("good");
            final RawClient bad = harness.rawClient();
            if (random.nextInt(4) > 0) {
                bad.welcome("bad");
            }
            final UnsafeBuffer frame = new UnsafeBuffer(new byte[8192]);
            final int count = 300;
            final long spoken = harness.counter(CounterId.FRAMES_REFUSED) +
                    harness.counter(CounterId.FRAMES_UNANSWERABLE);
            for (int index = 0; index < count; index++) {
                bad.send(frame, garbage(random, frame));
                bad.poll();
            }
            harness.rounds(100);
            assertEquals(0, harness.pipeline.takenCount());
            assertNull(harness.pipeline.state().failure());
            assertEquals(count, harness.counter(CounterId.FRAMES_REFUSED) +
                    harness.counter(CounterId.FRAMES_UNANSWERABLE) - spoken);
            final Answers answers = new Answers();
            assertTrue(good.infer(0, 1, new float[FEATURES], 0) > 0);
            harness.exchange(good, answers, 1);
            assertEquals(ResultStatus.OK, answers.results.get(0).status());
        }
    }

    /** Noise, or a sound request with one thing wrong: never a frame that may pass. */
    private static int garbage(final Random random, final UnsafeBuffer frame) {
        if (random.nextInt(3) == 0) {
            final byte[] noise = new byte[random.nextInt(600)];
            random.nextBytes(noise);
            frame.putBytes(0, noise);
            if (noise.length >= 8 && random.nextBoolean()) {
                frame.putShort(4, (short) 7001);
                frame.putShort(6, (short) 1);
                frame.putShort(2, (short) 4);
            }
            return noise.length;
        }
        final float[] features = new float[FEATURES];
        final int length = RawClient.putInfer(frame, random.nextLong(), random.nextLong(), features);
        switch (random.nextInt(5)) {
            case 0 -> frame.putShort(2 * random.nextInt(4), (short) (100 + random.nextInt(1000)));
            case 1 -> {
                return random.nextInt(length);
            }
            case 2 -> {
                return length + 1 + random.nextInt(4000);
            }
            case 3 -> frame.putInt(48 + 4 * random.nextInt(FEATURES), 0x7F80_0000 | random.nextInt());
            default -> frame.putInt(44, random.nextInt() | 1);
        }
        return length;
    }

    /** One client's random traffic through stages that run in random order, with what must always hold checked. */
    private static final class RandomRun {

        private final PipelineHarness harness;
        private final Random random;
        private final TiercelClient client;
        private final Answers answers = new Answers();
        private final RandomTraffic traffic;
        private final List<Agent> order;
        private int checkedCount;
        private boolean mayRefuse;
        /** Sequences of answers that were there before their outcomes were safe. */
        private final List<Long> answeredFirst = new ArrayList<>();

        RandomRun(final PipelineHarness harness, final long seed, final boolean hasBudgets) {
            this.harness = harness;
            random = new Random(seed);
            client = harness.connect("desk");
            traffic = new RandomTraffic(seed, client, hasBudgets);
            order = new ArrayList<>(harness.stages());
        }

        void exchange(final int requestCount, final boolean stalls) {
            int sentCount = 0;
            for (int round = 0; answers.results.size() < requestCount; round++) {
                assertTrue(round < PipelineHarness.MAX_ROUNDS, "answers=" + answers.results.size());
                if (sentCount < requestCount && random.nextInt(3) > 0 && traffic.sendNext()) {
                    sentCount++;
                }
                if (stalls) {
                    harness.requests.stallFrom(random.nextInt(4) == 0
                            ? Long.MAX_VALUE
                            : harness.requests.size() + random.nextInt(2));
                    harness.outcomes.stallFrom(random.nextInt(4) == 0
                            ? Long.MAX_VALUE
                            : harness.outcomes.size() + random.nextInt(2));
                }
                randomRound();
            }
            harness.requests.stall(false);
            harness.outcomes.stall(false);
            harness.drain();
        }

        /** More than the appliance takes, now and then; each request is answered or refused, once. */
        void exchangeBursts(final int requestCount, final int unfinishedLimit) {
            mayRefuse = true;
            int sentCount = 0;
            for (int round = 0; answers.count() < requestCount; round++) {
                assertTrue(round < PipelineHarness.MAX_ROUNDS, "answers=" + answers.count());
                for (int burst = random.nextInt(2 * unfinishedLimit); sentCount < requestCount && burst > 0 &&
                        traffic.sendNext(); burst--) {
                    sentCount++;
                }
                randomRound();
                assertTrue(harness.pipeline.takenCount() - harness.pipeline.recordedCount() <= unfinishedLimit);
            }
            harness.drain();
            final Set<Long> ids = new HashSet<>();
            answers.results.forEach(result -> ids.add(result.correlationId()));
            answers.rejections.forEach(rejection -> ids.add(rejection.correlationId()));
            assertEquals(requestCount, ids.size());
            assertEquals(requestCount, answers.count());
            assertEquals(answers.results.size(), harness.requests.size());
            assertEquals(answers.rejections.stream().filter(RandomRun::isOverload).count(),
                    harness.counter(CounterId.SHED) + harness.counter(CounterId.RATE_LIMITED));
        }

        /** A fork from a session whose first request was refused is refused for that. */
        private static boolean isOverload(final Answers.Rejection rejection) {
            return rejection.code() != RejectCode.UNKNOWN_SESSION;
        }

        /** Some of the stages in some order; the client looks after each of them. */
        private void randomRound() {
            harness.randomRound(random, order, () -> {
                client.poll(answers, 16);
                check();
            });
        }

        /**
         * No answer without its request's record; no answer that the clock decided without its outcome's. With
         * durability {@code disk}, no answer before a sync has covered them.
         */
        private void check() {
            for (; checkedCount < answers.results.size(); checkedCount++) {
                final Answers.Result result = answers.results.get(checkedCount);
                assertEquals(checkedCount, result.sequence());
                final boolean isDisk = harness.context.durability() == DurabilityLevel.DISK;
                assertTrue(result.sequence() < count(harness.requests, isDisk), "answered before journaled: " + result);
                if (result.sequence() >= count(harness.outcomes, isDisk)) {
                    assertNotEquals(ResultStatus.EXPIRED, result.status(), "answered before decided: " + result);
                    answeredFirst.add(result.sequence());
                }
            }
            assertTrue(mayRefuse || answers.rejections.isEmpty(), () -> answers.rejections.toString());
        }

        /** Where sessions may be evicted: that one begins is in the journal before it is answered. */
        void assertDecisionsWereRecordedFirst() {
            for (final long sequence : answeredFirst) {
                assertFalse(StraightRun.Outcome.of(harness.outcomes.find(sequence)).hasBegun(),
                        "answered before decided: sequence=" + sequence);
            }
        }

        private static int count(final MemoryRecordLog log, final boolean isSynced) {
            return isSynced ? log.syncedCount() : log.size();
        }

        /** What the client heard is what the outcome journal says, chunks included. */
        void assertAnswersAreTheOutcomes() {
            int chunkIndex = 0;
            for (final Answers.Result result : answers.results) {
                final StraightRun.Outcome outcome =
                        StraightRun.Outcome.of(harness.outcomes.find(result.sequence()));
                assertEquals(outcome.status().name(), result.status().name());
                assertEquals(outcome.hasBegun(), result.hasSessionBegun(), () -> result.toString());
                assertTrue(result.applianceNs() >= 0, () -> "answered before it came: " + result);
                final List<Float> heard = new ArrayList<>();
                for (; chunkIndex < answers.chunks.size() &&
                        answers.chunks.get(chunkIndex).sequence() == result.sequence(); chunkIndex++) {
                    add(heard, answers.chunks.get(chunkIndex).outputs());
                }
                add(heard, result.outputs());
                final UnsafeBuffer recorded = new UnsafeBuffer(outcome.outputs());
                assertEquals(recorded.capacity() / Float.BYTES, heard.size(), () -> result.toString());
                for (int index = 0; index < heard.size(); index++) {
                    assertEquals(recorded.getInt(index * Float.BYTES), Float.floatToRawIntBits(heard.get(index)));
                }
            }
            assertEquals(answers.chunks.size(), chunkIndex);
        }

        private static void add(final List<Float> list, final float[] values) {
            for (final float value : values) {
                list.add(value);
            }
        }
    }
}
