package io.tiercel.tools.decode;

import io.tiercel.tools.load.LatencySummary;
import org.HdrHistogram.Histogram;

/**
 * Steps of one session with a full context. Not changed once it is made.
 *
 * @param name       weights, cache, backend.
 * @param stepBytes  weights that a step reads; 0 where nobody can say.
 * @param stateBytes of the session.
 * @param floorNs    to read the weights and compute nothing; NaN where nobody can say.
 * @param stepNs     from the step's begin until its answer is there.
 * @param tokenNs    the same and the hash and the work ahead that follow.
 */
record ShapeRow(
        String name, long stepBytes, int stateBytes, double floorNs, Histogram stepNs, Histogram tokenNs) {

    private static final double NS_PER_US = 1_000;

    LatencySummary step() {
        return LatencySummary.of(stepNs);
    }

    LatencySummary token() {
        return LatencySummary.of(tokenNs);
    }

    double floorUs() {
        return floorNs / NS_PER_US;
    }

    /** The floor as a share of the median step; NaN without a floor. */
    double streamShare() {
        return floorUs() / step().p50();
    }
}
