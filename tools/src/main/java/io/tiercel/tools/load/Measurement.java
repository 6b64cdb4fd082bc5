package io.tiercel.tools.load;

import org.HdrHistogram.Histogram;

/**
 * One run's figures.
 *
 * @param latencies of the answered requests, ns, each from the moment it was due.
 * @param recorder  the same, with the first requests kept apart.
 * @param hiccups   of the measuring core meanwhile.
 */
public record Measurement(
        LoadCounts counts, Histogram latencies, LatencyRecorder recorder, HiccupRecorder hiccups) {

    public LatencySummary summary() {
        return LatencySummary.of(latencies);
    }

    /** The same requests from when they were sent: without what a sender that came late adds. */
    LatencySummary sinceSent() {
        return LatencySummary.of(recorder.sinceSent());
    }
}
