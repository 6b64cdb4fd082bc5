package io.tiercel.replay.compare;

/**
 * A change of one quantile in a series of sets.
 *
 * @param quantile   a share.
 * @param firstIndex of the first set behind the change.
 * @param before     median of the sets since the change before.
 * @param after      median of the sets until the next change.
 * @param confidence that there is a change, corrected for all quantiles.
 * @param isLast     whether the quantile does not change again.
 * @param isRelevant whether it is as large as the threshold.
 */
public record SeriesChange(double quantile, int firstIndex, double before, double after, double confidence,
        boolean isLast, boolean isRelevant) {

    /** As a share of what was before. */
    public double change() {
        return after / before - 1;
    }
}
