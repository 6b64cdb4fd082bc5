package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.ResultStatus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Answers before the question: what is computed when, and that nobody can tell but by the clock. */
class ForesightTest {

    private static final int TOKENS = 1;
    private static final int CONTEXT = 12;
    private static final int FORESEEN = 2;
    /** The model names three. */
    private static final int NAMED = 3;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private TiercelClient client;
    private final Answers answers = new Answers();

    @AfterEach
    void tearDown() {
        harness.close();
    }

    @Test
    void shouldHaveTheAnswerWhenALikelyTokenIsAsked() {
        start(FORESEEN);
        ask(1, 5);
        ask(1, likely(0));
        ask(1, likely(1));
        ask(1, likely(0));
        harness.assertForeseen(8, 3, 0);
        assertEquals(List.of(1, 0, 0, 0), answers.results.stream().map(Answers.Result::batchSize).toList());
        assertTrue(harness.counter(CounterId.FORESEEN_SAVED_NS) >= 0);
        harness.assertSound();
    }

    @Test
    void shouldComputeTheStepWhenAnotherTokenIsAsked() {
        start(FORESEEN);
        ask(1, 5);
        final int unlikely = unlikely();
        ask(1, unlikely);
        harness.assertForeseen(4, 0, 1);
        assertEquals(1, last().batchSize());
        harness.assertSound();
    }

    @Test
    void shouldComputeTheStepWhenSeveralTokensAreAsked() {
        start(FORESEEN);
        ask(1, 5);
        ask(1, likely(0), 6);
        harness.assertForeseen(4, 0, 0);
        harness.assertSound();
    }

    @Test
    void shouldForgetWhatWasForeseenWhenTheSessionChanges() {
        start(FORESEEN);
        ask(1, 5);
        final int likely = likely(0);
        client.resetSession(TOKENS, 1);
        exchange();
        ask(1, likely);
        ask(2, 7);
        final int likelyOfTwo = likely(0);
        client.forkSession(TOKENS, 2, 1);
        exchange();
        ask(2, likelyOfTwo);
        assertEquals(0, harness.counter(CounterId.FORESEEN_HITS));
        harness.assertSound();
    }

    /** A fork takes the state as it is, not as it might come to be. */
    @Test
    void shouldNotDisturbACopyOfTheSession() {
        start(FORESEEN);
        ask(1, 5);
        final int likely = likely(0);
        client.forkSession(TOKENS, 2, 1);
        exchange();
        ask(2, likely);
        ask(1, likely);
        harness.assertForeseen(6, 1, 0);
        assertEquals(outputs(answers.results.size() - 2), outputs(answers.results.size() - 1));
        harness.assertSound();
    }

    @Test
    void shouldForeseeNothingOfASessionThatIsFull() {
        start(FORESEEN);
        ask(1, new int[CONTEXT]);
        assertEquals(0, harness.counter(CounterId.FORESEEN));
        ask(1, likely(0));
        assertEquals(ResultStatus.CONTEXT_FULL, last().status());
        harness.assertSound();
    }

    @Test
    void shouldForeseeAsManyTokensAsTheModelNames() {
        start(16);
        ask(1, 5);
        assertEquals(NAMED, harness.counter(CounterId.FORESEEN));
        ask(1, likely(2));
        harness.assertForeseen(2 * NAMED, 1, 0);
        harness.assertSound();
    }

    @Test
    void shouldForeseeNothingWhenItIsSwitchedOff() {
        start(0);
        ask(1, 5);
        ask(1, likely(0));
        harness.assertForeseen(0, 0, 0);
        assertEquals(1, last().batchSize());
    }

    /** More sessions than it keeps in mind: of those asked last something is foreseen. */
    @Test
    void shouldKeepInMindTheSessionsThatWereAskedLast() {
        start(1);
        for (int session = 0; session < 40; session++) {
            ask(session, session % TransformerSetting.SMALL_VOCABULARY);
        }
        assertEquals(40, harness.counter(CounterId.FORESEEN));
        ask(39, likely(0));
        harness.assertForeseen(41, 1, 0);
        ask(0, likelyOf(answers.results.get(0), 0));
        harness.assertForeseen(42, 1, 0);
        harness.assertSound();
    }

    /** Idle time has work in it until all is foreseen, and then none. */
    @Test
    void shouldRestWhenEverythingIsForeseen() throws Exception {
        start(FORESEEN);
        ask(1, 5);
        assertEquals(0, harness.pipeline.inferWorkers().get(0).doWork());
        assertNotEquals(0, harness.counter(CounterId.FORESEEN));
    }

    private void start(final int foreseenTokens) {
        harness = new PipelineHarness(directory, List.of(
                RandomModels.lstm(1).features(8).write(directory),
                RandomTransformers.writeTokens(2, CONTEXT, directory)),
                context -> context.foreseenTokens(foreseenTokens).rehearseAfterNs(0));
        client = harness.connect("desk");
    }

    /** Asks, and leaves the appliance idle for a while. */
    private void ask(final long sessionKey, final int... tokens) {
        assertTrue(client.inferTokens(TOKENS, sessionKey, tokens, 0) > 0);
        exchange();
    }

    private void exchange() {
        harness.exchange(client, answers, answers.results.size() + 1);
        harness.rounds(10);
    }

    private Answers.Result last() {
        return answers.results.get(answers.results.size() - 1);
    }

    private int likely(final int rank) {
        return likelyOf(last(), rank);
    }

    private static int likelyOf(final Answers.Result result, final int rank) {
        return Float.floatToRawIntBits(result.outputs()[2 * rank]);
    }

    private int unlikely() {
        int token = 0;
        while (token == likely(0) || token == likely(1) || token == likely(2)) {
            token++;
        }
        return token;
    }

    private List<Integer> outputs(final int index) {
        final float[] outputs = answers.results.get(index).outputs();
        return java.util.stream.IntStream.range(0, outputs.length)
                .mapToObj(i -> Float.floatToRawIntBits(outputs[i])).toList();
    }
}
