package io.tiercel.replay.tail;

import java.util.List;

/**
 * What came of looking at the tail.
 *
 * @param requestCount   requests with a time of answer; all percentiles are of these.
 * @param untimedCount   those without, because something was decided of them (expired, sessions that began).
 * @param openTailCount  those at the end without an outcome.
 * @param isSerial       whether one thread journals and computes.
 * @param medianLegs     of each leg, over all requests.
 * @param causes         the most first; those that explain nothing are left out.
 * @param slowest        those that were chosen, the slowest first.
 */
public record TailReport(
        long firstSequence,
        long lastSequence,
        Span span,
        long requestCount,
        long untimedCount,
        long openTailCount,
        boolean isSerial,
        SlowRequest.Legs medianLegs,
        Percentiles percentiles,
        Chosen chosen,
        TracksFound tracks,
        List<CauseShare> causes,
        List<SlowRequest> slowest) {

    /** First and last arrival, since the epoch. */
    public record Span(long firstNs, long lastNs) {
    }

    /** @param percentile which one {@code percentileNs} is. */
    public record Percentiles(long p50Ns, long p99Ns, long p999Ns, double percentile, long percentileNs, long maxNs) {
    }

    /** What was chosen: how many, the shortest of them, and what they took longer than the median request in all. */
    public record Chosen(int count, long floorNs, long excessNs) {
    }

    /**
     * What there was to blame.
     *
     * @param runCount       0 if the appliance left no tracks: then only what the journal itself says is known.
     * @param lostStallCount long rounds that could not be written.
     * @param lateStampCount requests that got their time of arrival late, because the thread that gives it was away.
     * @param lateStampMaxNs at most how late.
     */
    public record TracksFound(int runCount, int stallCount, long lostStallCount, int pauseCount, int eventCount,
            int rollCount, int lateStampCount, long lateStampMaxNs) {
    }

    public TailReport {
        causes = List.copyOf(causes);
        slowest = List.copyOf(slowest);
    }
}
