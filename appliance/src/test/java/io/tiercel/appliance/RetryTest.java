package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.session.KnownAnswer;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.Principals;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A request that comes again gets the answer it got, and the model does not step a second time. */
class RetryTest {

    private static final int FEATURES = 8;
    private static final int INGRESS = 1;

    @TempDir
    Path directory;
    private PipelineHarness harness;

    @AfterEach
    void tearDown() {
        if (harness != null) {
            harness.close();
        }
    }

    @Test
    void shouldGetTheAnswerItGotWhenTheRequestWasAnswered() {
        final RawClient client = start(context -> {}).welcome("desk");
        client.infer(5, 1, features(5));
        client.until("first", () -> client.answers.size() == 1);
        client.infer(5, 1, features(5));
        client.until("again", () -> client.answers.size() == 2);
        assertEquals(client.answers.get(0), client.answers.get(1));
        assertEquals(new RawClient.Result(5, 0, ResultStatus.OK), client.results.get(1));
        assertTakenAndAnswered(1, 1);
    }

    @Test
    void shouldAnswerTheConnectionThatAsksWhenTheFirstOneIsGone() {
        final RawClient first = start(context -> {}).welcome("desk");
        first.infer(5, 1, features(5));
        first.until("first", () -> first.answers.size() == 1);
        first.vanish();
        harness.pass(20_000_000);
        final RawClient second = harness.rawClient().welcome("desk");
        second.infer(5, 1, features(5));
        second.until("again", () -> second.answers.size() == 1);
        assertEquals(first.answers, second.answers);
        assertTakenAndAnswered(1, 1);
    }

    @Test
    void shouldAnswerBothWhenTheFirstIsStillUnderWay() {
        final RawClient first = start(context -> {}).welcome("desk");
        final RawClient second = harness.rawClient().welcome("desk");
        final RawClient other = harness.rawClient().welcome("other");
        harness.requests.stall(true);
        first.infer(5, 1, features(5));
        first.infer(6, 1, features(6));
        harness.rounds(5);
        second.infer(6, 1, features(6));
        second.infer(5, 1, features(5));
        second.heartbeat(7);
        other.heartbeat(8);
        second.until("nobody else waits", () -> second.heartbeats.contains(7L));
        other.until("nobody else waits", () -> other.heartbeats.contains(8L));
        assertEquals(List.of(), second.answers);

        harness.requests.stall(false);
        second.until("again", () -> second.answers.size() == 2);
        first.until("first", () -> first.answers.size() == 2);
        assertEquals(first.answers, second.answers, "each when it is there");
        assertTakenAndAnswered(2, 2);
    }

    @Test
    void shouldSendAllChunksAgainWhenTheAnswerWasStreamed() {
        final RawClient client = start(context -> {}).welcome("desk");
        client.steps(5, 1, 4, true, 0, new float[4 * FEATURES]);
        client.until("first", () -> client.answers.size() == 1);
        client.steps(5, 1, 4, true, 0, new float[4 * FEATURES]);
        client.until("again", () -> client.answers.size() == 2);
        assertEquals(6, client.chunkCount);
        assertEquals(client.answers.get(0), client.answers.get(1));
        assertTakenAndAnswered(1, 1);
    }

    @Test
    void shouldSayResetAgainWhenASessionWasReset() {
        final RawClient client = start(context -> {}).welcome("desk");
        client.reset(5, 0, 1);
        client.infer(6, 1, features(6));
        client.until("first", () -> client.answers.size() == 2);
        client.reset(5, 0, 1);
        client.until("again", () -> client.answers.size() == 3);
        assertEquals(client.answers.get(0), client.answers.get(2));
        assertEquals(ResultStatus.RESET, client.results.get(2).status());
        assertTakenAndAnswered(2, 1);
    }

    @Test
    void shouldStayExpiredWhenThereWouldBeTimeNow() throws Exception {
        final RawClient client = start(context -> {}).welcome("desk");
        client.steps(5, 1, 2, true, 1, new float[2 * FEATURES]);
        harness.stages().get(0).doWork();
        harness.stages().get(INGRESS).doWork();
        harness.clock.update(harness.clock.nanoTime() + 100);
        client.until("first", () -> client.answers.size() == 1);
        client.steps(5, 1, 2, true, 1, new float[2 * FEATURES]);
        client.until("again", () -> client.answers.size() == 2);
        assertEquals(ResultStatus.EXPIRED, client.results.get(0).status());
        assertEquals(client.answers.get(0), client.answers.get(1));
        assertTakenAndAnswered(1, 1);
    }

    @Test
    void shouldRefuseWhenAnotherRequestHasTheId() {
        final RawClient client = start(context -> {}).welcome("desk");
        client.infer(4, 1, features(4));
        client.infer(5, 1, features(5));
        client.until("first", () -> client.answers.size() == 2);
        client.infer(5, 1, features(6));
        client.reset(5, 0, 1);
        client.until("refused", () -> client.rejections.size() == 2);
        assertReused(client.rejections.get(0), 5, 1, InferDecoder.TEMPLATE_ID);
        assertReused(client.rejections.get(1), 5, 1, ResetSessionDecoder.TEMPLATE_ID);
        assertTakenAndAnswered(2, 0);
        assertEquals(2, harness.counter(CounterId.RETRIES_REFUSED));
    }

    @Test
    void shouldRefuseWhenARequestUnderWayHasTheId() {
        final RawClient client = start(context -> {}).welcome("desk");
        harness.requests.stall(true);
        client.infer(5, 1, features(5));
        client.infer(5, 2, features(5));
        harness.rounds(5);
        harness.requests.stall(false);
        client.until("both", () -> client.answers.size() + client.rejections.size() == 2);
        assertReused(client.rejections.get(0), 5, 0, InferDecoder.TEMPLATE_ID);
    }

    @Test
    void shouldTakeItAsANewRequestWhenItIsOutOfTheWindow() {
        final RawClient client = start(context -> context.maxInFlight(4).maxSteps(4).retryWindow(4)).welcome("desk");
        for (int id = 1; id <= 5; id++) {
            final int answerCount = id;
            client.infer(id, 1, features(id));
            client.until("first", () -> client.answers.size() == answerCount);
        }
        client.infer(1, 1, features(1));
        client.until("new", () -> client.answers.size() == 6);
        assertEquals(5, client.results.get(5).sequence());
        client.infer(3, 1, features(3));
        client.until("again", () -> client.answers.size() == 7);
        assertEquals(client.answers.get(2), client.answers.get(6));
        assertTakenAndAnswered(6, 1);
    }

    @Test
    void shouldTakeItAsANewRequestWhenThereIsNoWindow() {
        final RawClient client = start(context -> context.retryWindow(0)).welcome("desk");
        client.infer(5, 1, features(5));
        client.infer(5, 1, features(5));
        client.until("both", () -> client.answers.size() == 2);
        assertTakenAndAnswered(2, 0);
    }

    @Test
    void shouldTakeItAsANewRequestWhenAnotherPrincipalHasTheId() {
        final RawClient one = start(context -> {}).welcome("one");
        final RawClient two = harness.rawClient().welcome("two");
        one.infer(5, 1, features(5));
        two.infer(5, 1, features(6));
        one.until("one", () -> one.answers.size() == 1);
        two.until("two", () -> two.answers.size() == 1);
        assertNotEquals(one.answers, two.answers);
        assertTakenAndAnswered(2, 0);
    }

    @Test
    void shouldTakeItWhenItWasOnlyRefusedBefore() {
        final RawClient client = start(context -> context.maxInFlight(1)).welcome("desk");
        harness.requests.stall(true);
        client.infer(5, 1, features(5));
        client.infer(6, 1, features(6));
        client.until("refused", () -> client.rejections.size() == 1);
        assertEquals(RejectCode.IN_FLIGHT_LIMIT, client.rejections.get(0).code());
        harness.requests.stall(false);
        client.until("first", () -> client.answers.size() == 1);
        client.infer(6, 1, features(6));
        client.until("taken", () -> client.answers.size() == 2);
        assertTakenAndAnswered(2, 0);
    }

    @Test
    void shouldAnswerARepeatWhenANewRequestWouldBeRefused() {
        final RawClient client = start(context -> context.maxInFlight(1)).welcome("desk");
        client.infer(4, 1, features(4));
        client.until("first", () -> client.answers.size() == 1);
        harness.requests.stall(true);
        client.infer(5, 1, features(5));
        client.infer(5, 1, features(5));
        client.infer(4, 1, features(4));
        client.until("at the limit", () -> client.answers.size() == 2);
        harness.pipeline.state().drain();
        client.infer(4, 1, features(4));
        client.until("draining", () -> client.answers.size() == 3);
        harness.requests.stall(false);
        client.until("all", () -> client.answers.size() == 5);
        assertEquals(client.answers.get(0), client.answers.get(1));
        assertEquals(client.answers.get(0), client.answers.get(2));
        assertEquals(client.answers.get(3), client.answers.get(4));
        assertEquals(List.of(), client.rejections);
        assertTakenAndAnswered(2, 3);
    }

    /** The repeat is in the queue of commands when the answer that it asks for is about to be overwritten. */
    @Test
    void shouldFindItsAnswerWhenALaterRequestTakesTheSlotFirst() throws Exception {
        final RawClient one = start(context -> context.maxInFlight(1).maxSteps(1).retryWindow(1)).welcome("desk");
        final RawClient two = harness.rawClient().welcome("desk");
        one.infer(1, 1, features(1));
        one.until("first", () -> one.answers.size() == 1);
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[256]);
        assertTrue(one.trySend(frame, RawClient.putInfer(frame, 1, 1, features(1))));
        harness.stages().get(INGRESS).doWork();
        assertTrue(two.trySend(frame, RawClient.putInfer(frame, 2, 1, features(2))));
        harness.stages().get(INGRESS).doWork();
        assertEquals(2, harness.pipeline.takenCount());
        one.until("again", () -> one.answers.size() == 2);
        two.until("second", () -> two.answers.size() == 1);
        assertEquals(one.answers.get(0), one.answers.get(1));
        assertTakenAndAnswered(2, 1);
    }

    @Test
    void shouldAnswerOnlyWhatWasAnsweredWhenTheJournalHasFailed() {
        final RawClient client = start(context -> {}).welcome("desk");
        client.infer(4, 1, features(4));
        client.until("first", () -> client.answers.size() == 1);
        harness.requests.stallFrom(1);
        client.infer(5, 1, features(5));
        client.infer(5, 1, features(5));
        harness.rounds(10);
        harness.requests.failFrom(1);
        client.until("both refused", () -> client.rejections.size() == 2);
        client.infer(5, 1, features(5));
        client.infer(6, 1, features(6));
        client.until("all refused", () -> client.rejections.size() == 4);
        for (final RawClient.Rejection rejection : client.rejections) {
            assertEquals(RejectCode.JOURNAL_UNAVAILABLE, rejection.code());
        }
        assertEquals(List.of(5L, 5L, 5L, 6L),
                client.rejections.stream().map(RawClient.Rejection::correlationId).toList());
        client.infer(4, 1, features(4));
        client.until("again", () -> client.answers.size() == 2);
        assertEquals(client.answers.get(0), client.answers.get(1));
    }

    @Test
    void shouldTellNobodyElseWhenTheClientThatAskedIsGone() {
        final RawClient first = start(context -> context.maxClients(2)).welcome("desk");
        final RawClient second = harness.rawClient().welcome("desk");
        harness.requests.stall(true);
        first.infer(5, 1, features(5));
        harness.rounds(5);
        second.infer(5, 1, features(5));
        harness.rounds(5);
        second.vanish();
        harness.roundsUntil("gone", () -> harness.counter(CounterId.CLIENTS_GONE) == 1);
        harness.pass(20_000_000);
        final RawClient third = harness.rawClient().welcome("desk");
        harness.requests.stall(false);
        first.until("first", () -> first.answers.size() == 1);
        harness.rounds(5);
        third.poll();
        assertEquals(List.of(), third.answers);
        third.infer(5, 1, features(5));
        third.until("again", () -> third.answers.size() == 1);
        assertEquals(first.answers, third.answers);
        assertTakenAndAnswered(1, 1);
    }

    @Test
    void shouldShedRepeatsWhenTooManyWait() {
        final RawClient client = start(context -> {}).welcome("desk");
        harness.requests.stall(true);
        final int repeatCount = 1_030;
        for (int request = 0; request <= repeatCount; request++) {
            client.infer(5, 1, features(5));
            harness.round();
        }
        client.until("shed", () -> client.rejections.size() == repeatCount - 1_024);
        assertEquals(new RawClient.Rejection(5, RejectCode.OVERLOADED, 1_025, 1_024, InferDecoder.TEMPLATE_ID,
                client.rejections.get(0).detail()), client.rejections.get(0));
        harness.requests.stall(false);
        client.until("all", () -> client.answers.size() == 1_025);
        assertEquals(1, client.answers.stream().distinct().count());
        assertTakenAndAnswered(1, 1_024);
    }

    @Test
    void shouldKnowALongFrameWhenItComesInFragments() {
        final int steps = 64;
        final RawClient client = start(context -> context.responseTermLength(64 * 1024).maxFrameLength(8192))
                .welcome("desk");
        final float[] features = new float[steps * FEATURES];
        features[steps] = 1;
        client.steps(5, 1, steps, false, 0, features);
        client.until("first", () -> client.answers.size() == 1);
        client.steps(5, 1, steps, false, 0, features);
        features[steps * FEATURES - 1] = 1;
        client.steps(5, 1, steps, false, 0, features);
        client.until("again", () -> client.answers.size() == 2 && client.rejections.size() == 1);
        assertEquals(client.answers.get(0), client.answers.get(1));
    }

    @Test
    void shouldGiveASnapshotEveryAnswerWhenTheyHaveBeenSent() {
        final RawClient client = start(context -> {}).welcome("desk");
        client.infer(5, 1, features(5));
        client.steps(6, 1, 3, true, 0, new float[3 * FEATURES]);
        client.reset(7, 0, 1);
        client.until("answers", () -> client.answers.size() == 3);
        final List<String> read = new ArrayList<>();
        harness.retries.forEachUpTo(2, answer -> read.add(textOf(answer)));
        final int outputs = harness.models.get(0).model().shape().outputCount();
        assertEquals(List.of(
                "sequence=0 correlationId=5 status=OK slots=1 outputs=" + outputs,
                "sequence=1 correlationId=6 status=OK slots=3 outputs=" + outputs,
                "sequence=2 correlationId=7 status=RESET slots=1 outputs=0"), read);
        try (RetryWindow restored = Pipeline.newRetryWindow(harness.context, harness.models)) {
            harness.retries.forEachUpTo(1, restored::restore);
            read.clear();
            restored.forEachUpTo(2, answer -> read.add(textOf(answer)));
            assertEquals(2, read.size());
        }
    }

    private static String textOf(final KnownAnswer answer) {
        assertEquals(Principals.idOf("desk"), answer.principalId);
        return "sequence=" + answer.sequence + " correlationId=" + answer.correlationId + " status=" + answer.status +
                " slots=" + answer.slotCount + " outputs=" + answer.outputCount;
    }

    private RawClient start(final PipelineHarness.Change change) {
        harness = new PipelineHarness(directory, RandomModels.lstm(1).features(FEATURES).write(directory), change);
        return harness.rawClient();
    }

    /** So many requests were computed, once each, and so many repeats answered. */
    private void assertTakenAndAnswered(final int takenCount, final int repeatCount) {
        harness.drain();
        assertEquals(takenCount, harness.pipeline.takenCount());
        assertEquals(repeatCount, harness.counter(CounterId.RETRIES_ANSWERED));
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }

    private static void assertReused(
            final RawClient.Rejection rejection, final long correlationId, final long sequence,
            final int templateId) {
        assertEquals(new RawClient.Rejection(correlationId, RejectCode.CORRELATION_ID_REUSED, sequence, 0, templateId,
                rejection.detail()), rejection);
    }

    private static float[] features(final int seed) {
        final float[] features = new float[FEATURES];
        for (int index = 0; index < FEATURES; index++) {
            features[index] = (seed * 31 + index * 17) % 13 / 6.0f - 1;
        }
        return features;
    }
}
