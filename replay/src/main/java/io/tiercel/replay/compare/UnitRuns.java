package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.List;

/**
 * The runs of a set for one tag, each interval of it as a unit.
 *
 * @param runs      in the set's order.
 * @param durationS of all intervals together.
 */
record UnitRuns(List<List<ValueCounts>> runs, double durationS) {

    static UnitRuns of(final IntervalSet set, final String tag) {
        return new UnitRuns(
                set.runs().stream().map(run -> run.intervals(tag).stream()
                        .map(Interval::values).toList()).toList(),
                set.intervals(tag).stream().mapToDouble(Interval::lengthS).sum());
    }

    /** Intervals put together until each unit has so many values. What is left at a run's end is not used. */
    List<List<ValueCounts>> ofAtLeast(final long minCount) {
        return runs.stream().map(run -> ofAtLeast(run, minCount)).filter(run -> !run.isEmpty()).toList();
    }

    private static List<ValueCounts> ofAtLeast(final List<ValueCounts> run, final long minCount) {
        final List<ValueCounts> units = new ArrayList<>();
        List<ValueCounts> parts = new ArrayList<>();
        long count = 0;
        for (final ValueCounts part : run) {
            parts.add(part);
            count += part.total();
            if (count >= minCount) {
                units.add(ValueCounts.merged(parts));
                parts = new ArrayList<>();
                count = 0;
            }
        }
        return units;
    }
}
