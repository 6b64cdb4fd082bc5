package io.tiercel.replay.compare;

import org.HdrHistogram.Histogram;

/**
 * What was recorded in a stretch of a run.
 *
 * @param beginS    since the run began.
 * @param lengthS   above 0.
 * @param histogram at least one value.
 */
public record Interval(double beginS, double lengthS, Histogram histogram) {
}
