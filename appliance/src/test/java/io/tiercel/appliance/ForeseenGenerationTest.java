package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.Generation;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.ResultStatus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Tokens of generations that are there before they are asked for, and that nobody can tell but by the clock. */
class ForeseenGenerationTest {

    private static final int TOKENS = 0;
    private static final int CONTEXT = 20;
    /** Of a model that says the same again and again when it is asked for its likeliest tokens. */
    private static final int SEED = 5;
    private static final int COUNT = 12;
    private static final int[] PROMPT = {3, 1, 4};
    /** Guessed from the text of its prompt: it says the same again and again. */
    private static final int[] REPEATING = {5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8};

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private TiercelClient client;
    private final Answers answers = new Answers();
    /** Rounds of its own that the infer worker has between two of all stages. */
    private int idleRounds;

    @AfterEach
    void tearDown() {
        harness.close();
    }

    @Test
    void shouldHaveEachTokenWhenThereIsTimeBetweenThem() {
        start(1, WhenFull.SLIDE);
        idleRounds = 5;
        generate(new Generation().maxTokens(COUNT));
        harness.assertForeseen(COUNT - 1, COUNT - 1, 0);
        generate(new Generation().maxTokens(COUNT).temperature(0.8f).topTokens(7).seed(11));
        harness.assertForeseen(2 * COUNT - 2, 2 * COUNT - 2, 0);
        harness.assertSound();
    }

    @Test
    void shouldComputeEachTokenWhenItIsAskedForAtOnce() {
        start(1, WhenFull.SLIDE);
        generate(new Generation().maxTokens(COUNT));
        harness.assertForeseen(0, 0, 0);
        harness.assertSound();
    }

    @Test
    void shouldTakeGuessesWithAStepWhenNothingElseWaits() {
        start(6, WhenFull.SLIDE);
        generate(new Generation().maxTokens(200));
        final long hits = harness.counter(CounterId.FORESEEN_HITS);
        assertTrue(hits > 100, () -> "hits=" + hits);
        assertTrue(harness.counter(CounterId.FORESEEN) >= hits);
        assertEquals(0, harness.counter(CounterId.FORESEEN_MISSES));
        harness.assertSound();
    }

    @Test
    void shouldGuessInIdleTimeToo() {
        start(6, WhenFull.SLIDE);
        idleRounds = 5;
        generate(new Generation().maxTokens(100));
        assertEquals(99, harness.counter(CounterId.FORESEEN_HITS));
        assertEquals(0, harness.counter(CounterId.FORESEEN_MISSES));
        harness.assertSound();
    }

    @Test
    void shouldDrawTheSameTokensWhateverIsForeseen() {
        start(16, WhenFull.SLIDE);
        for (int session = 0; session < 12; session++) {
            idleRounds = session % 3;
            generate(session, REPEATING, new Generation().maxTokens(30).temperature(0.3f).seed(session));
        }
        assertTrue(harness.counter(CounterId.FORESEEN_HITS) > 0);
        harness.assertSound();
    }

    @Test
    void shouldForeseeNothingBehindTheLastToken() {
        start(16, WhenFull.SLIDE);
        idleRounds = 5;
        final List<Integer> made = generate(new Generation().maxTokens(3));
        assertEquals(2, harness.counter(CounterId.FORESEEN_HITS));
        final long foreseen = harness.counter(CounterId.FORESEEN);
        harness.rounds(20);
        assertEquals(foreseen, harness.counter(CounterId.FORESEEN));
        generate(2, PROMPT, new Generation().maxTokens(3).stopTokens(made.get(0)));
        assertEquals(foreseen, harness.counter(CounterId.FORESEEN));
        harness.assertSound();
    }

    @Test
    void shouldForeseeNoMoreThanTheContextHolds() {
        start(16, WhenFull.REFUSE);
        idleRounds = 5;
        generate(1, REPEATING, new Generation().maxTokens(100));
        assertEquals(ResultStatus.CONTEXT_FULL, answers.results.get(0).status());
        assertEquals(CONTEXT - REPEATING.length, harness.counter(CounterId.FORESEEN_HITS));
        harness.assertSound();
    }

    /** Another request of the session comes while its next token is there: it is not the next one any more. */
    @Test
    void shouldLetGoOfWhatIsForeseenWhenTheSessionIsAskedForSomethingElse() {
        start(4, WhenFull.SLIDE);
        idleRounds = 5;
        client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(COUNT), 0);
        until(() -> answers.chunks.size() >= 3);
        client.inferTokens(TOKENS, 1, PROMPT, 0);
        until(() -> answers.results.size() >= 2);
        harness.assertSound();
    }

    /** The same token in the same session, but of a generation that draws in another way. */
    @Test
    void shouldNotTakeATokenForThatOfAnotherGeneration() {
        start(4, WhenFull.SLIDE);
        idleRounds = 5;
        for (int turn = 1; turn <= 5; turn++) {
            final int results = 2 * turn;
            final int chunks = answers.chunks.size();
            final long id = client.generate(TOKENS, 1, PROMPT, new Generation().maxTokens(COUNT).temperature(2), 0);
            until(() -> answers.chunks.size() >= chunks + 3);
            client.cancelGeneration(id);
            until(() -> answers.results.size() == results - 1);
            generate(1, new int[] {lastToken()}, new Generation().maxTokens(2).temperature(3).seed(turn));
            assertEquals(turn, harness.counter(CounterId.FORESEEN_MISSES));
        }
        harness.assertSound();
    }

    /** Several at once: no place of one is another's, and guesses are not taken where others wait. */
    @Test
    void shouldKeepGenerationsApart() {
        start(5, WhenFull.SLIDE);
        final int sessions = 30;
        for (int session = 0; session < sessions; session++) {
            client.generate(TOKENS, session, new int[] {session % 5, 2}, new Generation().maxTokens(COUNT)
                    .temperature(session % 2).seed(session), 0);
        }
        until(() -> answers.results.size() == sessions);
        harness.assertSound();
    }

    @Test
    void shouldForeseeNothingWhenItIsSwitchedOff() {
        start(0, WhenFull.SLIDE);
        idleRounds = 5;
        generate(new Generation().maxTokens(COUNT));
        harness.assertForeseen(0, 0, 0);
    }

    private void start(final int foreseenGeneratedTokens, final WhenFull whenFull) {
        harness = new PipelineHarness(directory,
                List.of(RandomTransformers.write(TransformerSetting.tokens(SEED, CONTEXT), whenFull, directory)),
                context -> context.foreseenGeneratedTokens(foreseenGeneratedTokens).rehearseAfterNs(0));
        client = harness.connect("desk");
    }

    private List<Integer> generate(final Generation generation) {
        return generate(1, PROMPT, generation);
    }

    private List<Integer> generate(final long sessionKey, final int[] prompt, final Generation generation) {
        final int first = answers.chunks.size();
        final int results = answers.results.size();
        assertTrue(client.generate(TOKENS, sessionKey, prompt, generation, 0) > 0);
        until(() -> answers.results.size() > results);
        final List<Integer> tokens = new ArrayList<>();
        for (final Answers.Chunk chunk : answers.chunks.subList(first, answers.chunks.size())) {
            tokens.add(token(chunk));
        }
        return tokens;
    }

    private int lastToken() {
        return token(answers.chunks.get(answers.chunks.size() - 1));
    }

    private static int token(final Answers.Chunk chunk) {
        return Float.floatToRawIntBits(chunk.outputs()[0]);
    }

    private void until(final java.util.function.BooleanSupplier condition) {
        harness.roundsUntil("answered", () -> {
            for (int round = 0; round < idleRounds; round++) {
                harness.pipeline.inferWorkers().get(0).doWork();
            }
            client.poll(answers, 16);
            return condition.getAsBoolean();
        });
    }
}
