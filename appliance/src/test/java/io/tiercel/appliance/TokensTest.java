package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.ChunkDecoder;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.HelloEncoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.ExpandableArrayBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Models that take tokens, and sessions that fill up: what clients are told, and what may not get to an executor. */
class TokensTest {

    private static final int FEATURES = 8;
    private static final int TOKENS = 1;
    private static final int TAPE = 2;
    private static final int VOCABULARY = TransformerSetting.SMALL_VOCABULARY;
    private static final int CONTEXT = 10;
    private static final long BUDGET_NS = 1_000_000;

    /** Where an answer's flags stand, which are padding before version 4. */
    private static final int RESULT_FLAGS = Frames.HEADER_LENGTH + ResultDecoder.flagsEncodingOffset();
    private static final int CHUNK_FLAGS = Frames.HEADER_LENGTH + ChunkDecoder.flagsEncodingOffset();

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private final Answers answers = new Answers();

    @BeforeEach
    void setUp() {
        harness = new PipelineHarness(directory, List.of(
                RandomModels.lstm(1).features(FEATURES).write(directory),
                RandomTransformers.writeTokens(2, CONTEXT, directory),
                RandomTransformers.writeFeatures(3, CONTEXT, directory)), context -> {});
    }

    @AfterEach
    void tearDown() {
        harness.close();
    }

    @Test
    void shouldTellAClientWhatEachModelTakes() {
        final TiercelClient client = harness.connect("desk");
        final List<ModelInfo> models = client.models();
        assertEquals(List.of(0, VOCABULARY, 0), models.stream().map(ModelInfo::vocabularySize).toList());
        assertEquals(List.of(0, CONTEXT, 0), models.stream().map(ModelInfo::contextTokens).toList());
        assertEquals(List.of(FEATURES, 1, TransformerSetting.SMALL_FEATURES),
                models.stream().map(ModelInfo::featureCount).toList());
        assertEquals(List.of(3, 6, 3), models.stream().map(ModelInfo::outputCount).toList());
    }

    @Test
    void shouldNameTheLikeliestTokensWhenATokenIsAsked() {
        final TiercelClient client = harness.connect("desk");
        assertTrue(client.inferTokens(TOKENS, 1, new int[] {0, VOCABULARY - 1}, 0) > 0);
        harness.exchange(client, answers, 1);
        final float[] outputs = answers.results.get(0).outputs();
        assertEquals(6, outputs.length);
        for (int pair = 0; pair < 3; pair++) {
            final int token = Float.floatToRawIntBits(outputs[2 * pair]);
            assertTrue(token >= 0 && token < VOCABULARY, () -> "token=" + token);
            assertTrue(outputs[2 * pair + 1] > 0 && outputs[2 * pair + 1] < 1);
        }
    }

    @Test
    void shouldRefuseATokenThatTheVocabularyDoesNotHave() {
        final RawClient client = harness.rawClient().welcome("desk");
        assertStray(client, 0, VOCABULARY, VOCABULARY);
        assertStray(client, 2, 1_000, 0, VOCABULARY - 1, 1_000, 2_000);
        assertStray(client, 0, 0x8000_0000L, Integer.MIN_VALUE);
        assertStray(client, 1, 0x7F7F_FFFFL, 5, 0x7F7F_FFFF);
        assertEquals(0, harness.counter(CounterId.SESSIONS));
        assertEquals(0, harness.pipeline.takenCount());
        assertEquals(0, harness.requests.size());
        client.tokens(77, TOKENS, 5, false, 0, VOCABULARY - 1);
        client.until("answered", () -> client.results.size() == 1);
        assertEquals(ResultStatus.OK, client.results.get(0).status());
        assertEquals(1, harness.counter(CounterId.SESSIONS));
    }

    @Test
    void shouldRefuseACellThatIsNeitherATokenNorAFiniteFloat() {
        final RawClient client = harness.rawClient().welcome("desk");
        client.tokens(7, TOKENS, 5, false, 0, 3, -1);
        client.until("refused", () -> client.rejections.size() == 1);
        assertEquals(RejectCode.NON_FINITE_FEATURE, client.rejections.get(0).code());
        assertEquals(1, client.rejections.get(0).offendingValue());
        assertEquals(0, harness.pipeline.takenCount());
    }

    /** A session takes ten steps; what does not fit any more leaves it as it was, and may be asked for in part. */
    @Test
    void shouldAnswerContextFullUntilTheSessionIsReset() {
        final TiercelClient client = harness.connect("desk");
        steps(client, 1, 4);
        steps(client, 1, 4);
        steps(client, 1, 3);
        steps(client, 1, 2);
        steps(client, 1, 1);
        steps(client, 2, CONTEXT + 1);
        assertTrue(client.resetSession(TOKENS, 1) > 0);
        steps(client, 1, CONTEXT);
        harness.exchange(client, answers, 8);
        assertEquals(List.of(ResultStatus.OK, ResultStatus.OK, ResultStatus.CONTEXT_FULL, ResultStatus.OK,
                ResultStatus.CONTEXT_FULL, ResultStatus.CONTEXT_FULL, ResultStatus.RESET, ResultStatus.OK),
                bySequence().stream().map(Answers.Result::status).toList());
        for (final Answers.Result result : answers.results) {
            assertEquals(result.status() == ResultStatus.OK ? 6 : 0, result.outputs().length);
        }
        harness.drain();
        assertEquals(3, harness.counter(CounterId.CONTEXT_FULL));
        assertEquals(stateHash(1), stateHash(2));
        assertEquals(stateHash(3), stateHash(4));
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }

    @Test
    void shouldSendNoChunksWhenTheContextIsFull() {
        final TiercelClient client = harness.connect("desk");
        assertTrue(client.inferTokens(TOKENS, 1, new int[CONTEXT - 2], 0, CONTEXT - 2, 0, true) > 0);
        assertTrue(client.inferTokens(TOKENS, 1, new int[3], 0, 3, 0, true) > 0);
        harness.exchange(client, answers, 2);
        assertEquals(CONTEXT - 3, answers.chunks.size());
        assertEquals(ResultStatus.CONTEXT_FULL, bySequence().get(1).status());
    }

    /** It follows from the requests before it, so it need not be in the journal before it is said. */
    @Test
    void shouldSayThatTheContextIsFullBeforeItsOutcomeIsJournaled() {
        final TiercelClient client = harness.connect("desk");
        harness.outcomes.stall(true);
        steps(client, 1, CONTEXT);
        steps(client, 1, 1);
        harness.exchange(client, answers, 2);
        assertEquals(ResultStatus.CONTEXT_FULL, bySequence().get(1).status());
        assertEquals(0, harness.outcomes.size());
        harness.outcomes.stall(false);
        harness.drain();
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }

    @Test
    void shouldBeExpiredWhenTheBudgetHasRunOutToo() throws Exception {
        final TiercelClient client = harness.connect("desk");
        steps(client, 1, CONTEXT);
        harness.exchange(client, answers, 1);
        assertTrue(client.inferTokens(TOKENS, 1, new int[1], BUDGET_NS) > 0);
        harness.stages().get(0).doWork();
        harness.stages().get(1).doWork();
        harness.clock.update(harness.clock.nanoTime() + BUDGET_NS + 1);
        harness.exchange(client, answers, 2);
        assertEquals(ResultStatus.EXPIRED, answers.results.get(1).status());
        harness.drain();
        assertEquals(0, harness.counter(CounterId.CONTEXT_FULL));
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }

    @Test
    void shouldSlideWithoutEndWhenTheModelDoesNotRefuse() {
        final TiercelClient client = harness.connect("desk");
        final float[] features = new float[TransformerSetting.SMALL_FEATURES];
        for (int step = 0; step < 3 * CONTEXT; step++) {
            assertTrue(client.infer(TAPE, 1, features, 0) > 0);
        }
        harness.exchange(client, answers, 3 * CONTEXT);
        assertTrue(answers.results.stream().allMatch(result -> result.status() == ResultStatus.OK));
    }

    @Test
    void shouldRepeatThatTheContextWasFullWhenTheRequestComesAgain() {
        final RawClient client = harness.rawClient().welcome("desk");
        client.tokens(1, TOKENS, 5, false, 0, new int[CONTEXT]);
        client.tokens(2, TOKENS, 5, true, 0, 1, 2);
        client.until("answered", () -> client.results.size() == 2);
        client.reset(3, TOKENS, 5);
        client.tokens(2, TOKENS, 5, true, 0, 1, 2);
        client.until("answered", () -> client.results.size() == 4);
        assertEquals(List.of(ResultStatus.OK, ResultStatus.CONTEXT_FULL, ResultStatus.RESET,
                ResultStatus.CONTEXT_FULL), client.results.stream().map(RawClient.Result::status).toList());
        assertEquals(client.answers.get(1), client.answers.get(3));
        assertEquals(0, client.chunkCount);
        assertEquals(3, harness.pipeline.takenCount());
        assertEquals(1, harness.counter(CounterId.RETRIES_ANSWERED));
    }

    /** The only model that it is told of is the one that version 1 has words for. */
    @Test
    void shouldSpeakVersionOneToAClientThatDoes() {
        final RawClient client = harness.rawClient().version(1).welcome("desk");
        assertEquals(List.of(0, 2), client.welcomedModels);
        assertEquals(70, client.welcomedEntryLength);
        client.steps(1, 5, 3, true, 0, new float[3 * FEATURES]);
        client.steps(1, 5, 3, true, 0, new float[3 * FEATURES]);
        client.infer(2, 5, new float[FEATURES + 1]);
        client.heartbeat(7);
        client.until("answered", () -> client.results.size() == 2 && client.rejections.size() == 1 &&
                client.heartbeats.size() == 1);
        assertEquals(client.answers.get(0), client.answers.get(1));
        assertEquals(4, client.chunkCount);
        assertEquals(0, (byte) client.answers.get(0).get(CHUNK_FLAGS));
        client.tokens(3, TOKENS, 5, false, 0, 1);
        client.tokens(4, TOKENS, 5, false, 0, VOCABULARY);
        client.reset(5, TOKENS, 5);
        client.until("refused", () -> client.rejections.size() == 4);
        for (int index = 1; index < 4; index++) {
            assertEquals(RejectCode.UNKNOWN_MODEL, client.rejections.get(index).code());
            assertEquals(TOKENS, client.rejections.get(index).offendingValue());
        }
        assertEquals(Set.of(1), client.heardVersions);
        assertEquals(1, harness.pipeline.takenCount());
    }

    /** The frames of two versions lie in one journal. */
    @Test
    void shouldServeClientsOfBothVersionsAtOnce() {
        final RawClient older = harness.rawClient().version(1).welcome("desk");
        final RawClient newer = harness.rawClient().listen(RawClient.RESPONSE_STREAM + 1).welcome("desk");
        assertEquals(List.of(0, 1, 2), newer.welcomedModels);
        assertEquals(78, newer.welcomedEntryLength);
        older.infer(1, 5, new float[FEATURES]);
        newer.tokens(2, TOKENS, 5, false, 0, 1);
        older.until("answered", () -> older.results.size() == 1);
        newer.until("answered", () -> newer.results.size() == 1);
        assertEquals(Set.of(1), older.heardVersions);
        assertEquals(Set.of(Frames.VERSION), newer.heardVersions);
        assertEquals(0, (byte) older.answers.get(0).get(RESULT_FLAGS));
        assertEquals(1, (byte) newer.answers.get(0).get(RESULT_FLAGS));
        harness.drain();
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }

    /** As its own version it is longer; it is told which one the appliance speaks, and can say hello in that. */
    @Test
    void shouldTellAClientOfALaterVersionWhichOneIsSpoken() {
        final ExpandableArrayBuffer frame = new ExpandableArrayBuffer();
        final int length = Frames.HEADER_LENGTH + new HelloEncoder()
                .wrapAndApplyHeader(frame, 0, new MessageHeaderEncoder())
                .responseStreamId(RawClient.RESPONSE_STREAM)
                .nonce(7)
                .principal("desk")
                .responseChannel(RawClient.CHANNEL)
                .encodedLength();
        final int blockEnd = Frames.HEADER_LENGTH + HelloEncoder.BLOCK_LENGTH;
        final byte[] texts = new byte[length - blockEnd];
        frame.getBytes(blockEnd, texts);
        frame.putShort(0, (short) (HelloEncoder.BLOCK_LENGTH + 8), ByteOrder.LITTLE_ENDIAN);
        frame.putShort(Frames.VERSION_OFFSET, (short) (Frames.VERSION + 1), ByteOrder.LITTLE_ENDIAN);
        frame.putLong(blockEnd, -1);
        frame.putBytes(blockEnd + 8, texts);
        frame.putLong(length + 8, -1);
        final RawClient client = harness.rawClient();
        client.send(frame, length + 16);
        client.until("refused", () -> client.rejections.size() == 1);
        final RawClient.Rejection rejection = client.rejections.get(0);
        assertEquals(RejectCode.UNSUPPORTED_VERSION, rejection.code());
        assertEquals(Frames.VERSION + 1, rejection.offendingValue());
        assertEquals(Frames.VERSION, rejection.allowedValue());
        assertEquals(HelloDecoder.TEMPLATE_ID, rejection.templateId());
        client.until("gone", () -> !client.hears());
        harness.rawClient().welcome("desk");
    }

    private void assertStray(final RawClient client, final int step, final long token, final int... tokens) {
        final int count = client.rejections.size();
        final long refused = harness.counter(CounterId.FRAMES_REFUSED);
        client.tokens(77, TOKENS, 5, false, 0, tokens);
        client.until("refused", () -> client.rejections.size() > count);
        assertEquals(new RawClient.Rejection(77, RejectCode.TOKEN_OUT_OF_VOCABULARY, token, VOCABULARY,
                InferDecoder.TEMPLATE_ID, "step=" + step + " token=" + token + " vocabularySize=" + VOCABULARY),
                client.rejections.get(count));
        assertEquals(refused + 1, harness.counter(CounterId.FRAMES_REFUSED));
    }

    private static void steps(final TiercelClient client, final long sessionKey, final int count) {
        assertTrue(client.inferTokens(TOKENS, sessionKey, new int[count], 0) > 0);
    }

    private List<Answers.Result> bySequence() {
        final List<Answers.Result> results = new ArrayList<>(answers.results);
        results.sort((one, other) -> Long.compare(one.sequence(), other.sequence()));
        return results;
    }

    private long stateHash(final long sequence) {
        return StraightRun.Outcome.of(harness.outcomes.find(sequence)).stateHash();
    }
}
