package io.tiercel.replay.compare;

/**
 * What was recorded in a stretch of a run.
 *
 * @param beginS  since the run began.
 * @param lengthS above 0.
 * @param values  at least one.
 */
public record Interval(double beginS, double lengthS, ValueCounts values) {
}
