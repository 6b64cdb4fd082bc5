package io.tiercel.replay.compare;

/**
 * Where a series changes.
 *
 * @param index  of the first value behind the change.
 * @param chance of so large a statistic if there is no change here.
 */
public record ChangePoint(int index, double chance) {
}
