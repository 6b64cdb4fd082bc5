package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.HdrHistogram.Histogram;

/**
 * Runs of the same thing.
 *
 * @param name as its giver calls it.
 * @param runs at least one.
 */
public record IntervalSet(String name, List<IntervalRun> runs) {

    public IntervalSet {
        runs = List.copyOf(runs);
    }

    /** Tags that every run has. */
    Set<String> tags() {
        final Set<String> tags = new TreeSet<>(runs.get(0).byTag().keySet());
        runs.forEach(run -> tags.retainAll(run.byTag().keySet()));
        return tags;
    }

    /** The unit that its runs state; null if none does. */
    String unit() {
        return runs.stream().map(IntervalRun::unit).filter(unit -> unit != null).findFirst().orElse(null);
    }

    /** All that was recorded under a tag, in one. */
    public Histogram pooled(final String tag) {
        final Histogram pooled = new Histogram(3);
        pooled.setAutoResize(true);
        runs.forEach(run -> run.intervals(tag).forEach(interval -> interval.values().addTo(pooled)));
        return pooled;
    }

    /** All intervals of a tag, run after run. */
    public List<Interval> intervals(final String tag) {
        final List<Interval> all = new ArrayList<>();
        runs.forEach(run -> all.addAll(run.intervals(tag)));
        return all;
    }
}
