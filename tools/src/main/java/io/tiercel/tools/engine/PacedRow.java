package io.tiercel.tools.engine;

import io.tiercel.tools.load.LatencySummary;
import org.HdrHistogram.Histogram;

/**
 * Steps of a row's contender that come at a rate, each after a silence in which the thread only spins.
 *
 * @param histogram ns of each step.
 */
record PacedRow(EngineRow.Label label, Arrivals arrivals, Histogram histogram) {

    /**
     * How steps come.
     *
     * @param perSecond at least 1.
     * @param count     of all.
     */
    record Arrivals(int perSecond, int count) {

        private static final long NS_PER_SECOND = 1_000_000_000;

        /** Between one step and the next. */
        long silenceNs() {
            return NS_PER_SECOND / perSecond;
        }
    }

    LatencySummary summary() {
        return LatencySummary.of(histogram);
    }
}
