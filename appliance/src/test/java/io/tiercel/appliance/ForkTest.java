package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A session put where another one stands: what if, without disturbing what is. */
class ForkTest {

    private static final int TOKENS = 1;
    private static final int CONTEXT = 10;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private final Answers answers = new Answers();

    @BeforeEach
    void setUp() {
        harness = new PipelineHarness(directory, List.of(
                RandomModels.lstm(1).features(8).write(directory),
                RandomTransformers.writeTokens(2, CONTEXT, directory)), context -> context.maxSessions(4));
    }

    @AfterEach
    void tearDown() {
        harness.close();
    }

    @Test
    void shouldAnswerAsTheOtherSessionWouldAndNotDisturbIt() {
        final TiercelClient client = harness.connect("desk");
        ask(client, 1, 5, 6, 7);
        assertTrue(client.forkSession(TOKENS, 2, 1) > 0);
        ask(client, 2, 8);
        ask(client, 2, 9);
        ask(client, 1, 8);
        ask(client, 3, 5, 6, 7, 8);
        harness.exchange(client, answers, 6);
        final Answers.Result fork = answers.results.get(1);
        assertEquals(ResultStatus.FORKED, fork.status());
        assertEquals(2, fork.sessionKey());
        assertEquals(0, fork.outputs().length);
        assertArrayEquals(answers.results.get(2).outputs(), answers.results.get(4).outputs());
        assertArrayEquals(answers.results.get(2).outputs(), answers.results.get(5).outputs());
        assertSound();
    }

    /** The same key again and again: a strategy that asks what if once for each event. */
    @Test
    void shouldPutASessionThatIsThereWhereTheOtherStands() {
        final TiercelClient client = harness.connect("desk");
        for (int event = 0; event < 4; event++) {
            ask(client, 1, event);
            client.forkSession(TOKENS, 2, 1);
            ask(client, 2, 10 + event);
        }
        harness.exchange(client, answers, 12);
        assertTrue(answers.results.stream().allMatch(result -> result.status() != ResultStatus.CONTEXT_FULL));
        assertSound();
    }

    @Test
    void shouldBeFullAsTheOtherOneIs() {
        final TiercelClient client = harness.connect("desk");
        ask(client, 1, new int[CONTEXT]);
        client.forkSession(TOKENS, 2, 1);
        client.resetSession(TOKENS, 1);
        ask(client, 2, 1);
        ask(client, 1, 1);
        client.forkSession(TOKENS, 2, 1);
        ask(client, 2, 1);
        harness.exchange(client, answers, 7);
        assertEquals(List.of(ResultStatus.OK, ResultStatus.FORKED, ResultStatus.RESET, ResultStatus.CONTEXT_FULL,
                ResultStatus.OK, ResultStatus.FORKED, ResultStatus.OK),
                answers.results.stream().map(Answers.Result::status).toList());
        assertSound();
    }

    @Test
    void shouldBeItselfWhenItIsForkedFromItself() {
        final TiercelClient client = harness.connect("desk");
        ask(client, 1, 5, 6);
        client.forkSession(TOKENS, 1, 1);
        ask(client, 1, 7);
        ask(client, 2, 5, 6, 7);
        harness.exchange(client, answers, 4);
        assertArrayEquals(answers.results.get(2).outputs(), answers.results.get(3).outputs());
        assertSound();
    }

    @Test
    void shouldRefuseASourceThatIsNotThere() {
        final TiercelClient client = harness.connect("desk");
        final TiercelClient other = harness.connect("other");
        ask(other, 1, 5);
        harness.exchange(other, new Answers(), 1);
        final long id = client.forkSession(TOKENS, 2, 1);
        client.infer(0, 1, new float[8], 0);
        client.forkSession(TOKENS, 2, 1);
        harness.exchange(client, answers, 3);
        assertEquals(new Answers.Rejection(id, RejectCode.UNKNOWN_SESSION, 1, 0, "sourceKey=1"),
                answers.rejections.get(0));
        assertEquals(RejectCode.UNKNOWN_SESSION, answers.rejections.get(1).code());
        assertEquals(0, client.inFlight());
        assertSound();
    }

    @Test
    void shouldRefuseACopyThatThereIsNoRoomFor() {
        final TiercelClient client = harness.connect("desk");
        for (int session = 1; session <= 4; session++) {
            ask(client, session, 5);
        }
        client.forkSession(TOKENS, 5, 1);
        client.forkSession(TOKENS, 4, 1);
        harness.exchange(client, answers, 6);
        assertEquals(RejectCode.SESSION_LIMIT, answers.rejections.get(0).code());
        assertEquals(ResultStatus.FORKED, answers.results.get(4).status());
        assertSound();
    }

    @Test
    void shouldRefuseAModelThatIsNotServed() {
        final RawClient raw = harness.rawClient().welcome("raw");
        raw.fork(7, 9, 2, 1);
        raw.until("refused", () -> raw.rejections.size() == 1);
        assertEquals(RejectCode.UNKNOWN_MODEL, raw.rejections.get(0).code());
        assertEquals(ForkSessionDecoder.TEMPLATE_ID, raw.rejections.get(0).templateId());
    }

    @Test
    void shouldNotCopyAgainWhenItComesAgain() {
        final TiercelClient client = harness.connect("desk");
        ask(client, 1, 5);
        final long id = client.forkSession(TOKENS, 2, 1);
        ask(client, 2, 6);
        client.forkSessionAgain(id, TOKENS, 2, 1);
        ask(client, 2, 7);
        ask(client, 3, 5, 6, 7);
        harness.exchange(client, answers, 6);
        assertArrayEquals(answers.results.get(4).outputs(), answers.results.get(5).outputs());
        assertEquals(5, harness.pipeline.takenCount());
        assertSound();
    }

    private static void ask(final TiercelClient client, final long sessionKey, final int... tokens) {
        assertTrue(client.inferTokens(TOKENS, sessionKey, tokens, 0) > 0);
    }

    private void assertSound() {
        harness.drain();
        answers.results.sort((one, other) -> Long.compare(one.sequence(), other.sequence()));
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }
}
