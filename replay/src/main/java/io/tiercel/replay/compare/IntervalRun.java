package io.tiercel.replay.compare;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The intervals of one run, in order of time, by tag.
 *
 * @param name        where they come from.
 * @param unit        of the recorded values as the source says it; null if it does not.
 * @param beginEpochS when the first interval began, since the epoch; NaN if the source does not say it.
 * @param byTag       what has no tag is under {@link #NO_TAG}.
 */
public record IntervalRun(String name, String unit, double beginEpochS, Map<String, List<Interval>> byTag) {

    public static final String NO_TAG = "(none)";

    public IntervalRun {
        byTag = new TreeMap<>(byTag);
    }

    /** None if the run does not have the tag. */
    public List<Interval> intervals(final String tag) {
        return byTag.getOrDefault(tag, List.of());
    }
}
