package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.client.Generation;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.GenerateEncoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.ExpandableArrayBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Tokens made one by one, each told when it is made. */
class GenerationTest {

    private static final int LSTM = 0;
    private static final int TOKENS = 1;
    private static final int TAPE = 2;
    private static final int VOCABULARY = TransformerSetting.SMALL_VOCABULARY;
    private static final int CONTEXT = 24;
    private static final int[] PROMPT = {3, 1, 4};
    private static final int LIMIT = 3;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private final Answers answers = new Answers();

    @BeforeEach
    void setUp() {
        harness = new PipelineHarness(directory, List.of(
                RandomModels.lstm(1).features(8).write(directory),
                RandomTransformers.writeTokens(2, CONTEXT, directory),
                RandomTransformers.writeFeatures(3, CONTEXT, directory)), context -> context.maxGenerations(LIMIT));
    }

    @AfterEach
    void tearDown() {
        harness.close();
    }

    /** What a client would get that asks for each token itself, and sends it back. */
    @Test
    void shouldMakeTheLikeliestTokensOneByOne() {
        final TiercelClient client = harness.connect("desk");
        final List<Integer> expected = likeliest(client, 10);
        final long id = client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(10), 0);
        assertTrue(id > 0);
        harness.exchange(client, answers, 1);
        assertEquals(expected, made(id));
        assertEquals(9, answers.chunks.size());
        long sequence = 9;
        for (int index = 0; index < 9; index++) {
            assertEquals(index, answers.chunks.get(index).stepIndex());
            assertEquals(++sequence, answers.chunks.get(index).sequence());
        }
        assertEquals(ResultStatus.OK, answers.results.get(0).status());
        assertEquals(1, answers.results.get(0).sessionKey());
        assertEquals(0, client.inFlight());
        assertSound();
    }

    @Test
    void shouldGiveTheFollowingIdToTheNextRequest() {
        final TiercelClient client = harness.connect("desk");
        final long id = client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(10), 0);
        assertEquals(id + 10, client.resetSession(TOKENS, 7));
        harness.exchange(client, answers, 2);
        assertSound();
    }

    @Test
    void shouldDrawTheSameTokensWithTheSameSeed() {
        final TiercelClient client = harness.connect("desk");
        final Generation generation = new Generation().maxTokens(12).temperature(0.9f).seed(-7).topTokens(20);
        final List<Integer> first = generate(client, 1, generation);
        assertEquals(first, generate(client, 2, generation));
        assertNotEquals(first, generate(client, 3, generation.seed(8)));
        assertNotEquals(first, generate(client, 4, generation.seed(-7).topTokens(0).temperature(3)));
        assertSound();
    }

    @Test
    void shouldEndWithAStopToken() {
        final TiercelClient client = harness.connect("desk");
        final List<Integer> all = generate(client, 1, new Generation().maxTokens(12).temperature(1.5f));
        final int stop = all.get(4);
        final List<Integer> stopped = generate(client, 2,
                new Generation().maxTokens(12).temperature(1.5f).stopTokens(VOCABULARY + 5, stop));
        assertEquals(all.subList(0, all.indexOf(stop) + 1), stopped);
        assertEquals(ResultStatus.OK, last().status());
        assertSound();
    }

    @Test
    void shouldGoOnFromTheLastTokenWithoutABreak() {
        final TiercelClient client = harness.connect("desk");
        final List<Integer> whole = generate(client, 1, new Generation().maxTokens(10));
        final List<Integer> parts = new ArrayList<>(generate(client, 2, new Generation().maxTokens(4)));
        final long id = client.generate(TOKENS, 2, new int[] {parts.get(3)}, new Generation().maxTokens(6), 0);
        harness.exchange(client, answers, answers.results.size() + 1);
        parts.addAll(made(id));
        assertEquals(whole, parts);
        assertSound();
    }

    @Test
    void shouldMakeNoMoreTokensWhenItIsCancelled() {
        final TiercelClient client = harness.connect("desk");
        final long id = client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(20), 0);
        harness.roundsUntil("three tokens", () -> {
            client.poll(answers, 16);
            return answers.chunks.size() >= 3;
        });
        assertEquals(id, client.cancelGeneration(id));
        harness.exchange(client, answers, 1);
        final int madeCount = answers.chunks.size();
        assertTrue(madeCount < 19, () -> "made=" + madeCount);
        assertEquals(new Answers.Result(id, 1, madeCount - 1, ResultStatus.CANCELLED, 0, 0, last().outputs(), false),
                last());
        assertEquals(0, last().outputs().length);
        assertEquals(0, client.inFlight());
        client.cancelGeneration(id);
        client.cancelGeneration(id + 1000);
        harness.rounds(100);
        assertEquals(madeCount, harness.pipeline.takenCount());
        assertEquals(0, harness.counter(CounterId.GENERATIONS));
        assertSound();
    }

    @Test
    void shouldNotHoldUpOtherSessions() {
        final TiercelClient client = harness.connect("desk");
        final TiercelClient other = harness.connect("other");
        final Answers others = new Answers();
        client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(20), 0);
        harness.roundsUntil("first token", () -> {
            client.poll(answers, 16);
            return !answers.chunks.isEmpty();
        });
        assertTrue(other.inferTokens(TOKENS, 1, PROMPT, 0) > 0);
        harness.roundsUntil("other answered", () -> {
            client.poll(answers, 16);
            other.poll(others, 16);
            return others.results.size() == 1;
        });
        assertTrue(answers.results.isEmpty());
        harness.exchange(client, answers, 1);
        assertSound();
    }

    @Test
    void shouldSayThatTheContextIsFull() {
        final TiercelClient client = harness.connect("desk");
        final long id = client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(100), 0);
        harness.exchange(client, answers, 1);
        assertEquals(ResultStatus.CONTEXT_FULL, last().status());
        assertEquals(CONTEXT - PROMPT.length + 1, answers.chunks.size());
        assertEquals(id, last().correlationId());
        assertSound();
    }

    @Test
    void shouldExpireBeforeTheFirstTokenOnly() throws Exception {
        final TiercelClient client = harness.connect("desk");
        client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(5), 1_000);
        harness.stages().get(0).doWork();
        harness.stages().get(1).doWork();
        harness.clock.update(harness.clock.nanoTime() + 2_000);
        harness.exchange(client, answers, 1);
        assertEquals(ResultStatus.EXPIRED, last().status());
        client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(5), 100 * PipelineHarness.ROUND_NS);
        harness.exchange(client, answers, 2);
        assertEquals(ResultStatus.OK, last().status());
        assertEquals(6, harness.pipeline.takenCount());
        assertSound();
    }

    /** The tokens that were made come again, and the others are made then: each once. */
    @Test
    void shouldGoOnWhereItWasBrokenOffWhenItComesAgain() {
        final Generation generation = new Generation().maxTokens(12).temperature(1).seed(5);
        final TiercelClient whole = harness.connect("whole");
        final List<Integer> expected = generate(whole, 1, generation);
        final TiercelClient first = harness.connect("desk");
        final long id = first.generate(TOKENS, 1, PROMPT, generation, 0);
        final Answers heard = new Answers();
        harness.roundsUntil("four tokens", () -> {
            first.poll(heard, 16);
            return heard.chunks.size() >= 4;
        });
        first.close();
        harness.rounds(100);
        assertEquals(0, harness.counter(CounterId.GENERATIONS));
        final long taken = harness.pipeline.takenCount();
        assertTrue(taken < 24, () -> "taken=" + taken);
        final TiercelClient second = harness.connect("desk");
        answers.results.clear();
        answers.chunks.clear();
        assertEquals(id, second.generateAgain(id, TOKENS, 1, PROMPT, generation, 0));
        harness.exchange(second, answers, 1);
        assertEquals(expected, made(id));
        assertEquals(heard.chunks.get(3).sequence(), answers.chunks.get(3).sequence());
        assertEquals(24, harness.pipeline.takenCount());
        assertEquals(id, second.generateAgain(id, TOKENS, 1, PROMPT, generation, 0));
        harness.exchange(second, answers, 2);
        assertEquals(24, harness.pipeline.takenCount());
        assertEquals(answers.results.get(0).sequence(), answers.results.get(1).sequence());
        assertEquals(22, answers.chunks.size());
        assertSound();
    }

    /** A repeat follows what is under way, and overtakes it if the first connection does not ask any more. */
    @Test
    void shouldTellBothWhenItIsAskedForTwiceAtOnce() {
        final Generation generation = new Generation().maxTokens(12);
        final TiercelClient client = harness.connect("desk");
        final long id = client.generate(TOKENS, 1, PROMPT, generation, 0);
        assertEquals(id, client.generateAgain(id, TOKENS, 1, PROMPT, generation, 0));
        harness.exchange(client, answers, 2);
        assertEquals(12, harness.pipeline.takenCount());
        assertEquals(22, answers.chunks.size());
        assertEquals(answers.results.get(0).sequence(), answers.results.get(1).sequence());
        assertSound();
    }

    @Test
    void shouldRefuseAnotherGenerationUnderAKnownId() {
        final TiercelClient client = harness.connect("desk");
        final Generation generation = new Generation().maxTokens(3);
        final long id = client.generate(TOKENS, 1, PROMPT, generation, 0);
        harness.exchange(client, answers, 1);
        client.generateAgain(id, TOKENS, 1, PROMPT, generation.seed(9), 0);
        harness.exchange(client, answers, 2);
        assertRefused(RejectCode.CORRELATION_ID_REUSED, 0, id);
        client.resetSessionAgain(id + 1, TOKENS, 1);
        harness.exchange(client, answers, 3);
        assertEquals(RejectCode.CORRELATION_ID_REUSED, answers.rejections.get(1).code());
        assertEquals(0, client.inFlight());
        assertEquals(3, harness.pipeline.takenCount());
    }

    /** An id of its own that another request has taken meanwhile: what is known is never taken for what is new. */
    @Test
    void shouldBreakOffWhenOneOfItsIdsIsTaken() {
        final TiercelClient client = harness.connect("desk");
        final long id = client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(20), 0);
        client.inferTokensAgain(id + 2, TOKENS, 2, PROMPT, 0, 1, 0, false);
        harness.exchange(client, answers, 2);
        assertRefused(RejectCode.CORRELATION_ID_REUSED, 0, id);
        assertEquals(0, client.inFlight());
        assertSound();
    }

    @Test
    void shouldRefuseWhatCannotBeGenerated() {
        final TiercelClient client = harness.connect("desk");
        final Generation generation = new Generation();
        final RawClient raw = harness.rawClient().welcome("raw");
        refused(raw, frame -> frame.modelId(LSTM), RejectCode.NOT_A_GENERATOR, LSTM, 0);
        refused(raw, frame -> frame.modelId(TAPE), RejectCode.NOT_A_GENERATOR, TAPE, 0);
        refused(raw, frame -> frame.modelId(9), RejectCode.UNKNOWN_MODEL, 9, 3);
        refused(raw, frame -> frame.maxTokens(0), RejectCode.GENERATION_OUT_OF_RANGE, 0, 65_534);
        refused(raw, frame -> frame.madeTokens(1), RejectCode.GENERATION_OUT_OF_RANGE, 1, 0);
        refused(raw, frame -> frame.madeTokens(2), RejectCode.GENERATION_OUT_OF_RANGE, 2, 1);
        refused(raw, frame -> frame.temperature(-1), RejectCode.GENERATION_OUT_OF_RANGE, 0xBF80_0000L, 0);
        refused(raw, frame -> frame.temperature(Float.NaN), RejectCode.GENERATION_OUT_OF_RANGE, 0x7FC0_0000L, 0);
        refused(raw, frame -> frame.temperature(Float.MIN_VALUE), RejectCode.GENERATION_OUT_OF_RANGE, 1, 0);
        refused(raw, frame -> frame.stopCount(3), RejectCode.LENGTH_MISMATCH, 76, 84);
        refused(raw, frame -> frame.tokenCount(0), RejectCode.LENGTH_MISMATCH, 76, 72);
        assertEquals(0, harness.pipeline.takenCount());
        client.generate(TOKENS, 1, PROMPT, generation, 0);
        harness.exchange(client, answers, 1);
        assertEquals(ResultStatus.OK, last().status());
    }

    @Test
    void shouldRefuseATokenThatTheVocabularyDoesNotHave() {
        final RawClient raw = harness.rawClient().welcome("raw");
        final ExpandableArrayBuffer frame = generate(1);
        frame.putInt(Frames.TOKENS_OFFSET, VOCABULARY);
        raw.send(frame, Frames.generateLength(1, 1));
        raw.until("refused", () -> raw.rejections.size() == 1);
        assertEquals(new RawClient.Rejection(1, RejectCode.TOKEN_OUT_OF_VOCABULARY, VOCABULARY, VOCABULARY,
                GenerateDecoder.TEMPLATE_ID, "step=0 token=" + VOCABULARY + " vocabularySize=" + VOCABULARY),
                raw.rejections.get(0));
    }

    @Test
    void shouldNotKnowTheTemplateInAFrameOfVersionTwo() {
        final RawClient raw = harness.rawClient().version(2).welcome("raw");
        final ExpandableArrayBuffer frame = generate(1);
        frame.putShort(Frames.VERSION_OFFSET, (short) 2);
        raw.send(frame, Frames.generateLength(1, 1));
        raw.until("refused", () -> raw.rejections.size() == 1);
        assertEquals(RejectCode.UNKNOWN_TEMPLATE, raw.rejections.get(0).code());
        assertEquals(Set.of(2), raw.heardVersions);
    }

    @Test
    void shouldRefuseMoreGenerationsThanTheLimit() {
        final TiercelClient client = harness.connect("desk");
        for (int session = 0; session <= LIMIT; session++) {
            client.generate(TOKENS, session, PROMPT, new Generation().maxTokens(15), 0);
        }
        harness.exchange(client, answers, LIMIT + 1);
        assertEquals(LIMIT, answers.results.size());
        assertRefused(RejectCode.GENERATION_LIMIT, LIMIT + 1, answers.rejections.get(0).correlationId());
        client.generate(TOKENS, 9, PROMPT, new Generation().maxTokens(15), 0);
        harness.exchange(client, answers, LIMIT + 2);
        assertEquals(LIMIT + 1, answers.results.size());
        assertSound();
    }

    @Test
    void shouldBreakOffWhenTheApplianceStops() {
        final TiercelClient client = harness.connect("desk");
        final long id = client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(20), 0);
        harness.roundsUntil("first token", () -> {
            client.poll(answers, 16);
            return !answers.chunks.isEmpty();
        });
        harness.pipeline.state().drain();
        harness.pipeline.sayGoodbye();
        harness.roundsUntil("goodbye", () -> {
            client.poll(answers, 16);
            return !answers.goodbyes.isEmpty();
        });
        assertEquals(id, answers.rejections.get(0).correlationId());
        assertEquals(RejectCode.SHUTTING_DOWN, answers.rejections.get(0).code());
        assertFalse(client.isConnected());
        assertSound();
    }

    @Test
    void shouldForgetAClientThatVanishesWhileItsRepeatWaits() {
        final Generation generation = new Generation().maxTokens(12);
        final TiercelClient first = harness.connect("desk");
        final long id = first.generate(TOKENS, 1, PROMPT, generation, 0);
        harness.requests.stall(true);
        harness.rounds(5);
        final TiercelClient second = harness.connect("desk");
        second.generateAgain(id, TOKENS, 1, PROMPT, generation, 0);
        harness.rounds(20);
        assertEquals(2, harness.counter(CounterId.GENERATIONS));
        second.close();
        first.close();
        harness.rounds(50);
        harness.requests.stall(false);
        harness.roundsUntil("forgotten", () -> harness.counter(CounterId.GENERATIONS) == 0);
        assertSound();
    }

    private interface Change {
        void on(GenerateEncoder frame);
    }

    private void refused(
            final RawClient client, final Change change, final RejectCode code, final long value,
            final long allowed) {
        final int count = client.rejections.size();
        final ExpandableArrayBuffer frame = generate(7);
        change.on(new GenerateEncoder().wrap(frame, Frames.HEADER_LENGTH));
        client.send(frame, Frames.generateLength(1, 1));
        client.until("refused", () -> client.rejections.size() > count);
        final RawClient.Rejection rejection = client.rejections.get(count);
        assertEquals(code, rejection.code());
        assertEquals(value, rejection.offendingValue());
        assertEquals(allowed, rejection.allowedValue());
        assertEquals(7, rejection.correlationId());
        assertEquals(GenerateDecoder.TEMPLATE_ID, rejection.templateId());
    }

    /** One token, one stop token, two to make. */
    private static ExpandableArrayBuffer generate(final long correlationId) {
        final ExpandableArrayBuffer frame = new ExpandableArrayBuffer();
        final GenerateEncoder generate = new GenerateEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(correlationId)
                .sessionKey(1)
                .modelId(TOKENS)
                .tokenCount(1)
                .maxTokens(2)
                .stopCount(1);
        generate.putTokens(new byte[Integer.BYTES], 0, Integer.BYTES);
        generate.putStopTokens(new byte[Integer.BYTES], 0, Integer.BYTES);
        return frame;
    }

    /** Asks for each token, and sends it back. */
    private List<Integer> likeliest(final TiercelClient client, final int count) {
        final List<Integer> tokens = new ArrayList<>();
        int[] next = PROMPT;
        for (int index = 0; index < count; index++) {
            assertTrue(client.inferTokens(TOKENS, 99, next, 0) > 0);
            harness.exchange(client, answers, 1);
            next = new int[] {Float.floatToRawIntBits(answers.results.remove(0).outputs()[0])};
            tokens.add(next[0]);
        }
        return tokens;
    }

    private List<Integer> generate(final TiercelClient client, final long sessionKey, final Generation generation) {
        final long id = client.generate(TOKENS, sessionKey, PROMPT, generation, 0);
        assertTrue(id > 0);
        harness.exchange(client, answers, answers.count() + 1);
        return made(id);
    }

    /** The tokens that were told under that id. */
    private List<Integer> made(final long id) {
        final List<Integer> tokens = new ArrayList<>();
        for (final Answers.Chunk chunk : answers.chunks) {
            if (chunk.correlationId() == id) {
                assertEquals(tokens.size(), chunk.stepIndex());
                tokens.add(token(chunk.outputs()));
            }
        }
        for (final Answers.Result result : answers.results) {
            if (result.correlationId() == id) {
                tokens.add(token(result.outputs()));
            }
        }
        return tokens;
    }

    private static int token(final float[] outputs) {
        assertEquals(2, outputs.length);
        assertTrue(outputs[1] > 0 && outputs[1] < 1);
        return Float.floatToRawIntBits(outputs[0]);
    }

    private Answers.Result last() {
        return answers.results.get(answers.results.size() - 1);
    }

    private void assertRefused(final RejectCode code, final long value, final long id) {
        assertEquals(1, answers.rejections.size());
        assertEquals(code, answers.rejections.get(0).code());
        assertEquals(value, code == RejectCode.CORRELATION_ID_REUSED ? 0 : answers.rejections.get(0).offendingValue());
        assertEquals(id, answers.rejections.get(0).correlationId());
    }

    private void assertSound() {
        harness.roundsUntil("all are over", () -> harness.counter(CounterId.GENERATIONS) == 0);
        harness.drain();
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }
}
