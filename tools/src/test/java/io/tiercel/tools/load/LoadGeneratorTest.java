package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class LoadGeneratorTest {

    private static final long DRAIN_TIMEOUT_NS = 1_000_000;
    private static final long LONG_ENOUGH_NS = 1_000_000_000;

    private final ScriptedTarget target = new ScriptedTarget();
    private final HiccupRecorder hiccups = new HiccupRecorder();
    private final Histogram latencies = LatencyRecorder.newHistogram();
    private final Map<Long, Long> latencyByIndex = new HashMap<>();
    private final LatencySink sink = (index, latencyNs) -> {
        latencies.recordValue(latencyNs);
        latencyByIndex.put(index, latencyNs);
    };

    @Test
    void shouldChargeAStallToEveryRequestThatItDelayedWhenOpenLoop() {
        target.stallFromNs = 200_000;
        target.stallUntilNs = 300_000;

        final LoadCounts counts = openLoop(1_000_000, 1_000); // one each microsecond, for a millisecond

        assertTrue(counts.allAnswered(), counts.toString());
        assertEquals(1_000, latencies.getTotalCount());
        final long delayed = latencies.getTotalCount() - latencies.getCountBetweenValues(0, 1_000);
        assertTrue(delayed >= 100, "a stall of 100 µs delays 100 requests and those behind them: " + delayed);
        assertTrue(latencies.getMaxValue() >= 99_000, "max=" + latencies.getMaxValue());
        assertTrue(latencies.getValueAtPercentile(95) > 10_000, "p95=" + latencies.getValueAtPercentile(95));
    }

    @Test
    void shouldHideTheSameStallWhenClosedLoop() {
        target.stallFromNs = 50_000;
        target.stallUntilNs = 150_000;

        final LoadCounts counts = generator(1024).runClosedLoop(0, 0, 1_000, LONG_ENOUGH_NS, sink);

        assertTrue(counts.allAnswered(), counts.toString());
        assertEquals(1, latencies.getTotalCount() - latencies.getCountBetweenValues(0, 1_000),
                "only the request that met the stall shows it");
        assertTrue(latencies.getValueAtPercentile(99.8) < 1_000);
    }

    @Test
    void shouldPauseAfterEachAnswerWhenClosedLoop() {
        target.serviceNs = 300;

        final LoadCounts counts = generator(1024).runClosedLoop(5_000, 0, 100, LONG_ENOUGH_NS, sink);

        assertTrue(counts.allAnswered(), counts.toString());
        assertTrue(counts.elapsedNs() >= 100 * 5_300, counts.toString());
        assertTrue(latencies.getMaxValue() < 1_000, "a pause is nobody's latency: " + latencies.getMaxValue());
    }

    @Test
    void shouldKeepTheDueTimeWhenBackPressured() {
        target.refuseUntilNs = 10_000;

        final LoadCounts counts = openLoop(1_000_000, 20);

        assertTrue(counts.allAnswered(), counts.toString());
        assertTrue(latencyByIndex.get(0L) >= 10_000 - 1_000,
                "first waited from its due time: " + latencyByIndex.get(0L));
        assertTrue(latencyByIndex.get(5L) >= 4_000, "the sixth was due at 5 µs: " + latencyByIndex.get(5L));
        assertTrue(latencyByIndex.get(19L) < 1_000, "the last met no pressure: " + latencyByIndex.get(19L));
        assertEquals(1, counts.backPressured(), "one request stood at the front while the transport was full");
    }

    @Test
    void shouldHoldBackWhenTheTableIsFull() {
        target.serviceNs = 5_000;

        final LoadCounts counts = generator(2).runOpenLoop(
                Schedules.constant(1_000_000), 0, 50, LONG_ENOUGH_NS, sink);

        assertTrue(counts.allAnswered(), counts.toString());
        assertTrue(counts.backPressured() > 40, counts.toString());
        assertTrue(latencyByIndex.get(49L) > 190_000,
                "49 requests of 5 µs stood before it: " + latencyByIndex.get(49L));
    }

    @Test
    void shouldGiveUpWhatFindsNoRoomWhenToldSo() {
        target.refuseUntilNs = 10_000;

        final LoadCounts counts = givingUp(1024).runOpenLoop(
                Schedules.constant(1_000_000), 0, 20, LONG_ENOUGH_NS, sink);

        assertEquals(20, counts.due());
        assertEquals(10, counts.givenUp(), counts.toString());
        assertEquals(10, counts.answered());
        assertEquals(10, counts.backPressured());
        assertEquals(0, counts.unsent());
        assertTrue(latencies.getMaxValue() < 1_000, "nobody waited for those before it: " + latencies.getMaxValue());
    }

    @Test
    void shouldGiveUpWhatTheTableDoesNotHoldWhenToldSo() {
        target.serviceNs = 5_000;

        final LoadCounts counts = givingUp(2).runOpenLoop(
                Schedules.constant(1_000_000), 0, 50, LONG_ENOUGH_NS, sink);

        assertEquals(50, counts.due());
        assertEquals(50, counts.answered() + counts.givenUp());
        assertTrue(counts.givenUp() > 35, counts.toString());
        assertTrue(latencies.getMaxValue() < 15_000, "two were before it at most: " + latencies.getMaxValue());
    }

    @Test
    void shouldTimeFromSendingTooWhenARequestHadToWaitForRoom() {
        target.refuseUntilNs = 10_000;
        final Histogram sinceSent = LatencyRecorder.newHistogram();

        final LoadCounts counts = generator(1024).runOpenLoop(
                Schedules.constant(1_000_000), 0, 20, LONG_ENOUGH_NS, new LatencySink() {
                    @Override
                    public void onLatency(final long requestIndex, final long latencyNs) {
                        latencies.recordValue(latencyNs);
                    }

                    @Override
                    public void onLatencySinceSent(final long latencyNs) {
                        sinceSent.recordValue(latencyNs);
                    }
                });

        assertTrue(counts.allAnswered(), counts.toString());
        assertEquals(20, sinceSent.getTotalCount());
        assertTrue(latencies.getMaxValue() > 9_000, "max=" + latencies.getMaxValue());
        assertTrue(sinceSent.getMaxValue() < 2_000, "max=" + sinceSent.getMaxValue());
    }

    @Test
    void shouldSayWhatItReallyOfferedWhenItCannotSendSoFast() {
        final LoadCounts inTime = openLoop(1_000_000, 1_000);
        assertEquals(1_000_000, inTime.offeredPerSecond(), 10_000);

        final LoadCounts late = generator(1024).runOpenLoop(
                Schedules.constant(1_000_000_000), 0, 1_000, LONG_ENOUGH_NS, sink);

        assertTrue(late.offeredPerSecond() < 200_000_000, "a turn of the fake clock takes 11 ns: "
                + late.offeredPerSecond());
        assertEquals(1_000, late.due());
    }

    @Test
    void shouldCountRequestsWithoutAnAnswerAsLost() {
        target.dropEvery = 10;

        final LoadCounts counts = openLoop(1_000_000, 100);

        assertEquals(10, counts.lost());
        assertEquals(90, counts.answered());
        assertEquals(100, counts.sent());
        assertEquals(0, counts.unsent());
        assertFalse(counts.allAnswered());
    }

    @Test
    void shouldCountASecondAnswerAsUnexpectedAndNotAsALatency() {
        target.duplicateEvery = 7;

        final LoadCounts counts = openLoop(1_000_000, 70);

        assertEquals(70, counts.answered());
        assertEquals(10, counts.unexpected());
        assertEquals(70, latencies.getTotalCount());
        assertFalse(counts.allAnswered());
    }

    @Test
    void shouldTellExpiredAndRejectedApartWhenAnswersSaySo() {
        target.expireEvery = 4;
        target.rejectEvery = 10;

        final LoadCounts counts = openLoop(1_000_000, 40);

        assertEquals(10, counts.expired());
        assertEquals(2, counts.rejected()); // 10 and 30; 20 and 40 have expired
        assertEquals(28, counts.answered());
        assertEquals(28, latencies.getTotalCount());
    }

    @Test
    void shouldEndAndSayWhatWasNotSentWhenTheConnectionEnds() {
        target.disconnectAfter = 30;

        final LoadCounts counts = openLoop(1_000_000, 100);

        assertTrue(counts.disconnected());
        assertEquals(100, counts.due());
        assertEquals(30, counts.sent());
        assertEquals(70, counts.unsent());
    }

    @Test
    void shouldEndWhenNothingIsAnsweredAtAll() {
        target.dropEvery = 1;

        final LoadCounts counts = generator(16).runOpenLoop(
                Schedules.constant(1_000_000), 0, 1_000, LONG_ENOUGH_NS, sink);

        assertEquals(16, counts.lost());
        assertEquals(984, counts.unsent());
    }

    @Test
    void shouldLeaveOutRequestsDueAfterTheDuration() {
        final LoadCounts counts = generator(1024).runOpenLoop(
                Schedules.constant(1_000_000), 0, Long.MAX_VALUE, 10_000, sink);

        assertEquals(10, counts.answered());
        assertEquals(10, counts.due());
    }

    @Test
    void shouldSendInOrderFromTheFirstIndexWhenBursty() {
        final LoadCounts counts = generator(1024).runOpenLoop(
                Schedules.burst(1_000_000, 8), 100, 24, LONG_ENOUGH_NS, sink);

        assertTrue(counts.allAnswered());
        final List<Long> expected = new ArrayList<>();
        for (long i = 100; i < 124; i++) {
            expected.add(i);
        }
        assertEquals(expected, target.sentIndexes);
        assertTrue(latencyByIndex.get(107L) > latencyByIndex.get(100L), "the last of a burst waits for the first");
    }

    @Test
    void shouldRecordHiccupsOnlyOfIdleTurns() {
        openLoop(1_000_000, 100);

        assertTrue(hiccups.histogram().getTotalCount() > 0);
        assertEquals(0, hiccups.longGapCount());
        assertTrue(hiccups.longestGapNs() < 20, "a turn of the fake clock takes 11 ns");
    }

    @Test
    void shouldStartAfreshWhenRunAgain() {
        target.dropEvery = 10;
        final LoadGenerator generator = generator(1024);
        generator.runOpenLoop(Schedules.constant(1_000_000), 0, 100, LONG_ENOUGH_NS, sink);
        target.dropEvery = 0;

        final LoadCounts counts = generator.runOpenLoop(
                Schedules.constant(1_000_000), 100, 100, LONG_ENOUGH_NS, sink);

        assertTrue(counts.allAnswered(), counts.toString());
        assertEquals(100, counts.due());
    }

    private LoadCounts openLoop(final double ratePerSecond, final long count) {
        return generator(1024).runOpenLoop(Schedules.constant(ratePerSecond), 0, count, LONG_ENOUGH_NS, sink);
    }

    private LoadGenerator generator(final int maxInFlight) {
        return new LoadGenerator(target, target, maxInFlight, false, DRAIN_TIMEOUT_NS, hiccups);
    }

    private LoadGenerator givingUp(final int maxInFlight) {
        return new LoadGenerator(target, target, maxInFlight, true, DRAIN_TIMEOUT_NS, hiccups);
    }
}
