package io.tiercel.replay.compare;

/**
 * What became of one quantile within pairs of runs. Changes are shares of A's value: 0.1 is a tenth slower.
 *
 * @param quantile     a share.
 * @param pairs        in which both runs are long enough to know it.
 * @param valueA       the median of A's runs.
 * @param valueB       the median of B's runs.
 * @param change       within a typical pair.
 * @param changeLow    the low end of its interval; what is asked of a verdict holds for each end.
 * @param changeHigh   the high end.
 * @param slowerChance of runs that seem slower by as much if they do not differ, corrected for all quantiles.
 * @param fasterChance the same of faster.
 * @param verdict      no difference only if the whole interval is below the threshold.
 * @param morePairs    where it cannot be told: how many more would be needed, if they are as noisy; else 0.
 */
public record PairedQuantile(double quantile, int pairs, double valueA, double valueB, double change,
        double changeLow, double changeHigh, double slowerChance, double fasterChance, Verdict verdict,
        int morePairs) {

    public String name() {
        return CompareOptions.quantileName(quantile);
    }
}
