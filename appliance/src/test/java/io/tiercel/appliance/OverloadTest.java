package io.tiercel.appliance;

import io.tiercel.appliance.config.OverloadPolicy;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
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
import java.util.stream.LongStream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** More requests than can be computed, or than a client may send: which are refused, and that nothing else changes. */
class OverloadTest {

    private static final int FEATURES = 8;
    private static final int UNFINISHED = 4;
    private static final int INGRESS = 1;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private RawClient client;

    @AfterEach
    void tearDown() {
        assertNull(harness.pipeline.state().failure());
        harness.close();
    }

    @Test
    void shouldRefuseExactlyTheRequestsBeyondTheLimitWhenABurstComes() {
        startShedding();
        harness.requests.stall(true);
        burst(client, 1, 10);
        client.until("refused", () -> client.rejections.size() == 6);
        assertEquals(ids(5, 10), refusedIds(client));
        for (final RawClient.Rejection rejection : client.rejections) {
            assertEquals(RejectCode.OVERLOADED, rejection.code());
            assertEquals(UNFINISHED + 1, rejection.offendingValue());
            assertEquals(UNFINISHED, rejection.allowedValue());
            assertEquals("unfinished=5 allowed=4", rejection.detail());
            assertEquals(InferDecoder.TEMPLATE_ID, rejection.templateId());
        }
        harness.requests.stall(false);
        client.until("answered", () -> client.results.size() == UNFINISHED);
        assertEquals(ids(1, 4), answeredIds(client));
        assertEquals(6, harness.counter(CounterId.SHED));
        assertEquals(6, harness.counter(CounterId.FRAMES_REFUSED));
        assertEquals(4, harness.counter(CounterId.REQUESTS));
    }

    @Test
    void shouldTakeEverythingAgainWhenTheBurstIsOver() {
        startShedding();
        for (int turn = 0; turn < 5; turn++) {
            final int turns = turn + 1;
            burst(client, 1 + 10L * turn, 10);
            client.until("all said", () -> client.results.size() + client.rejections.size() == 10 * turns);
            harness.drain();
            assertEquals(UNFINISHED * turns, client.results.size());
        }
        client.rejections.clear();
        burst(client, 101, UNFINISHED);
        client.until("answered", () -> client.results.size() == 6 * UNFINISHED);
        assertEquals(List.of(), client.rejections);
    }

    @Test
    void shouldComputeAsIfTheRefusedHadNeverComeWhenSomeAreShed() {
        startShedding();
        for (int turn = 0; turn < 20; turn++) {
            final int turns = turn + 1;
            burst(client, 1 + 7L * turn, 7);
            client.until("all said", () -> client.results.size() + client.rejections.size() == 7 * turns);
        }
        harness.drain();
        assertTrue(client.rejections.size() >= 3);
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
        assertEquals(answeredIds(client), journaledIds());
        for (int sequence = 0; sequence < client.results.size(); sequence++) {
            assertEquals(sequence, client.results.get(sequence).sequence());
        }
    }

    @Test
    void shouldTakeARefusedRequestWhenItIsSentAgain() {
        startShedding();
        burst(client, 1, 5);
        client.until("refused", () -> client.rejections.size() == 1);
        harness.drain();
        client.infer(5, 5, new float[FEATURES]);
        client.until("answered", () -> client.results.size() == 5);
        assertEquals(ids(1, 5), journaledIds());
    }

    @Test
    void shouldShedAResetToo() {
        startShedding();
        burst(client, 1, 4);
        client.reset(5, 0, 1);
        client.until("refused", () -> client.rejections.size() == 1);
        assertEquals(RejectCode.OVERLOADED, client.rejections.get(0).code());
        assertEquals(ResetSessionDecoder.TEMPLATE_ID, client.rejections.get(0).templateId());
        harness.drain();
        client.reset(5, 0, 1);
        client.until("reset", () -> client.results.size() == 5);
        assertEquals(ResultStatus.RESET, client.results.get(4).status());
    }

    @Test
    void shouldLeaveNothingUnsaidWhenARoundIsOver() {
        startShedding();
        harness.requests.stall(true);
        burst(client, 1, 1_000);
        harness.round();
        assertEquals(UNFINISHED, harness.pipeline.takenCount());
        assertEquals(1_000 - UNFINISHED, harness.counter(CounterId.SHED));
        for (int poll = 0; poll < 1_000; poll++) {
            client.poll();
        }
        assertEquals(1_000 - UNFINISHED, client.rejections.size(), "all said in the same round");
        harness.requests.stall(false);
    }

    @Test
    void shouldLoseNoRefusalWhenThereAreMoreThanTheCommandQueueHolds() throws Exception {
        startShedding();
        harness.requests.stall(true);
        burst(client, 1, 2_000);
        for (int round = 0; round < 5; round++) {
            harness.stages().get(INGRESS).doWork();
        }
        final long heldAt = harness.counter(CounterId.SHED);
        assertTrue(heldAt > 1_000 && heldAt < 2_000 - UNFINISHED, "shed=" + heldAt);
        client.until("refused", () -> client.rejections.size() == 2_000 - UNFINISHED);
        assertEquals(ids(UNFINISHED + 1, 2_000), refusedIds(client));
        assertEquals(2_000 - UNFINISHED, harness.counter(CounterId.SHED));
        harness.requests.stall(false);
        client.until("answered", () -> client.results.size() == UNFINISHED);
    }

    @Test
    void shouldKeepAClientThatReadsWhenItIsRefusedMoreThanItsWindowBetweenTwoTurnsOfTheDriver() throws Exception {
        start(context -> context.overloadPolicy(OverloadPolicy.SHED).overloadUnfinished(UNFINISHED)
                .responseTermLength(64 * 1024));
        harness.requests.stall(true);
        for (int turn = 0; turn < 8; turn++) {
            burst(client, 1 + 300L * turn, 300);
            harness.stages().get(INGRESS).doWork();
            harness.pipeline.egress().doWork();
            for (int poll = 0; poll < 300; poll++) {
                client.poll();
            }
        }
        assertEquals(8 * 300 - UNFINISHED, client.rejections.size());
        assertEquals(0, harness.counter(CounterId.CLIENTS_SLOW));
        harness.requests.stall(false);
    }

    @Test
    void shouldOpenNoSessionWhenARequestIsShed() {
        startShedding();
        for (int request = 1; request <= 10; request++) {
            client.infer(request, request, new float[FEATURES]);
        }
        client.until("refused", () -> client.rejections.size() == 6);
        assertEquals(UNFINISHED, harness.counter(CounterId.SESSIONS));
    }

    @Test
    void shouldCountTheRequestsOfAllClientsWhenItSheds() {
        startShedding();
        final RawClient other = harness.rawClient().welcome("other");
        harness.requests.stall(true);
        burst(client, 1, UNFINISHED);
        harness.round();
        other.infer(1, 1, new float[FEATURES]);
        other.until("refused", () -> other.rejections.size() == 1);
        harness.requests.stall(false);
        harness.drain();
        other.infer(2, 1, new float[FEATURES]);
        other.until("answered", () -> other.results.size() == 1);
    }

    @Test
    void shouldRefuseNothingWhenThePolicyIsBackPressure() {
        start(context -> context.overloadUnfinished(UNFINISHED).ringCapacity(8).maxBatch(4));
        harness.requests.stall(true);
        burst(client, 1, 20);
        harness.rounds(10);
        assertEquals(8, harness.pipeline.takenCount());
        assertTrue(harness.counter(CounterId.RING_FULL) > 0);
        harness.requests.stall(false);
        client.until("answered", () -> client.results.size() == 20);
        assertEquals(List.of(), client.rejections);
        assertEquals(0, harness.counter(CounterId.SHED));
    }

    @Test
    void shouldRefuseExactlyWhatIsAboveTheRateWhenAClientSendsTooMuch() {
        start(context -> context.maxRatePerSecond(1_000));
        burst(client, 1, 150);
        client.until("all said", () -> client.results.size() + client.rejections.size() == 150);
        assertEquals(ids(101, 150), refusedIds(client));
        for (final RawClient.Rejection rejection : client.rejections) {
            assertEquals(RejectCode.RATE_LIMIT, rejection.code());
            assertEquals("ratePerSecond=1001 maxRatePerSecond=1000", rejection.detail());
        }
        assertEquals(50, harness.counter(CounterId.RATE_LIMITED));
        assertEquals(50, harness.counter(CounterId.FRAMES_REFUSED));
        harness.drain();
        assertEquals(ids(1, 100), journaledIds());
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }

    @Test
    void shouldTakeWhatTheTimeBringsWhenAClientHasSpentItsBurst() {
        start(context -> context.maxRatePerSecond(1_000));
        burst(client, 1, 150);
        client.until("all said", () -> client.results.size() + client.rejections.size() == 150);
        harness.clock.update(harness.clock.nanoTime() + 10_000_000);
        burst(client, 151, 20);
        client.until("all said", () -> client.results.size() + client.rejections.size() == 170);
        assertEquals(110, client.results.size());
        assertEquals(ids(161, 170), refusedIds(client).subList(50, 60));
    }

    @Test
    void shouldTakeAllOfAnotherClientWhenOneIsOverItsRate() {
        start(context -> context.maxRatePerSecond(1_000));
        final RawClient other = harness.rawClient().welcome("client");
        for (int turn = 0; turn < 10; turn++) {
            burst(client, 1 + 20L * turn, 20);
            burst(other, 1 + 5L * turn, 5);
            final int turns = turn + 1;
            client.until("all said", () -> client.results.size() + client.rejections.size() == 20 * turns);
            other.until("answered", () -> other.results.size() == 5 * turns);
        }
        assertTrue(client.rejections.size() > 0);
        assertEquals(List.of(), other.rejections);
    }

    @Test
    void shouldNotCountAgainstTheRateWhatIsRefusedForAnotherReason() {
        start(context -> context.maxRatePerSecond(10).overloadPolicy(OverloadPolicy.SHED).overloadUnfinished(1)
                .maxInFlight(2).maxSessions(2));
        final RawClient other = harness.rawClient().welcome("other");
        harness.requests.stall(true);
        client.infer(1, 1, new float[FEATURES]);
        harness.roundsUntil("taken", () -> harness.pipeline.takenCount() == 1);
        other.infer(1, 1, new float[FEATURES]);
        other.until("shed", () -> other.rejections.size() == 1);
        assertEquals(RejectCode.OVERLOADED, other.rejections.get(0).code());
        client.infer(2, 1, new float[FEATURES]);
        client.until("refused", () -> client.rejections.size() == 1);
        assertEquals(RejectCode.RATE_LIMIT, client.rejections.get(0).code(), "the client's own rate comes first");
        harness.requests.stall(false);
        harness.drain();
        other.infer(2, 1, new float[FEATURES]);
        other.until("taken: being shed cost nothing", () -> other.results.size() == 1);
    }

    private void startShedding() {
        start(context -> context.overloadPolicy(OverloadPolicy.SHED).overloadUnfinished(UNFINISHED));
    }

    private void start(final PipelineHarness.Change change) {
        harness = new PipelineHarness(directory, RandomModels.lstm(1).features(FEATURES).write(directory), change);
        client = harness.rawClient().welcome("client");
    }

    /** Requests at one instant: no round between them. */
    private static void burst(final RawClient sender, final long firstId, final int count) {
        for (int request = 0; request < count; request++) {
            sender.infer(firstId + request, (firstId + request) % 3, new float[FEATURES]);
        }
    }

    private static List<Long> ids(final long first, final long last) {
        return LongStream.rangeClosed(first, last).boxed().toList();
    }

    private static List<Long> refusedIds(final RawClient client) {
        return client.rejections.stream().map(RawClient.Rejection::correlationId).toList();
    }

    private static List<Long> answeredIds(final RawClient client) {
        return client.results.stream().map(RawClient.Result::correlationId).toList();
    }

    private List<Long> journaledIds() {
        final List<Long> ids = new ArrayList<>();
        for (int sequence = 0; sequence < harness.requests.size(); sequence++) {
            final UnsafeBuffer frame = new UnsafeBuffer(harness.requests.find(sequence).frame());
            final MessageHeaderDecoder header = new MessageHeaderDecoder().wrap(frame, 0);
            ids.add(header.templateId() == InferDecoder.TEMPLATE_ID
                    ? new InferDecoder().wrapAndApplyHeader(frame, 0, header).correlationId()
                    : new ResetSessionDecoder().wrapAndApplyHeader(frame, 0, header).correlationId());
        }
        return ids;
    }
}
