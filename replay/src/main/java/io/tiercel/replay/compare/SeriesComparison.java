package io.tiercel.replay.compare;

import java.util.List;

/**
 * What became of latency over a series of sets.
 *
 * @param quantiles shares, one for each row of values.
 * @param values    by quantile and set.
 * @param changes   by quantile, then in the order of the series.
 */
public record SeriesComparison(List<IntervalSet> sets, String tag, String unit, List<Double> quantiles,
        double[][] values, List<SeriesChange> changes) {

    /** The fewest sets of which a change point can be sure at 5 %, once corrected for four quantiles. */
    public static final int FEWEST_SETS = 10;

    /** Where the series ends up: slower if the last change of any quantile is, and matters. */
    public Verdict verdict() {
        final List<SeriesChange> last =
                changes.stream().filter(change -> change.isLast() && change.isRelevant()).toList();
        if (last.stream().anyMatch(change -> change.change() > 0)) {
            return Verdict.SLOWER;
        }
        if (!last.isEmpty()) {
            return Verdict.FASTER;
        }
        return sets.size() < FEWEST_SETS ? Verdict.TOO_LITTLE_DATA : Verdict.NO_DIFFERENCE;
    }
}
