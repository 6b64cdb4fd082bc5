package io.tiercel.tools.load;

import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What the machine itself takes away: the time between two consecutive clock reads of a spinning thread that did
 * nothing in between. What stands here (interrupts, the scheduler, the hypervisor) no program on the same core can be
 * better than, so it is printed beside every latency table.
 *
 * <p>Gaps alone would not compare with latencies: there are millions of short ones for each long one, and a long one
 * delays many requests. So the histogram holds what requests due every {@link #TICK_NS} would have waited if all that
 * they needed were this core: each tick within a gap counts with the time from the tick to the end of the gap.
 *
 * <p>Written by the measuring thread only; allocates nothing after construction.
 */
public final class HiccupRecorder {

    public static final long TICK_NS = 10_000;
    public static final long LONG_GAP_NS = 1_000_000;

    private final Histogram histogram = LatencyRecorder.newHistogram();
    private long nextTickNs;
    private boolean isStarted;
    private long longGapCount;
    private long longGapsNs;
    private long longestGapNs;

    /** Takes in one turn of the loop, between two clock reads, in which nothing was done. */
    public void onIdleTurn(final long fromNs, final long toNs) {
        final long gapNs = toNs - fromNs;
        if (gapNs > longestGapNs) {
            longestGapNs = gapNs;
        }
        if (gapNs > LONG_GAP_NS) {
            longGapCount++;
            longGapsNs += gapNs;
        }
        if (!isStarted) {
            isStarted = true;
            nextTickNs = fromNs;
        } else if (fromNs - nextTickNs > 0) { // ticks of turns that were not idle are nobody's
            nextTickNs += (fromNs - nextTickNs + TICK_NS - 1) / TICK_NS * TICK_NS;
        }
        while (toNs - nextTickNs > 0) {
            histogram.recordValue(Math.min(toNs - nextTickNs, LatencyRecorder.MAX_NS));
            nextTickNs += TICK_NS;
        }
    }

    /** What a request that needs nothing but this core would have waited, ns. */
    public Histogram histogram() {
        return histogram;
    }

    /** Gaps of more than a millisecond. */
    public long longGapCount() {
        return longGapCount;
    }

    /** The longest gap, ns. */
    public long longestGapNs() {
        return longestGapNs;
    }

    public void reset() {
        histogram.reset();
        isStarted = false;
        longGapCount = 0;
        longGapsNs = 0;
        longestGapNs = 0;
    }

    public Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>(LatencySummary.of(histogram).toJson());
        json.put("over1ms", longGapCount);
        json.put("over1msTotalUs", longGapsNs / 1_000);
        json.put("longestUs", longestGapNs / 1_000);
        return json;
    }

    /** One line for the report. */
    @Override
    public String toString() {
        return longGapCount + " stalls of this core over 1 ms, " + longGapsNs / 1_000_000 + " ms in all, the longest "
                + LatencyTable.format(longestGapNs / 1_000.0) + " µs";
    }
}
