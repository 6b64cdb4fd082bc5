package io.tiercel.replay.tail;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Stretches of time with a cause, no two of them over the same nanosecond: where those that were added overlap, the
 * cause of higher precedence has it.
 */
final class CauseIntervals {

    private final long[] startsNs;
    private final long[] endsNs;
    private final Cause[] causes;

    private record Interval(Cause cause, long startNs, long endNs) {
    }

    /** Takes intervals in any order. */
    static final class Builder {
        private final List<Interval> added = new ArrayList<>();
        private final TreeMap<Long, Interval> disjoint = new TreeMap<>();

        Builder add(final Cause cause, final long startNs, final long endNs) {
            if (endNs > startNs) {
                added.add(new Interval(cause, startNs, endNs));
            }
            return this;
        }

        CauseIntervals build() {
            added.sort(Comparator.comparing(Interval::cause).thenComparingLong(Interval::startNs));
            added.forEach(this::place);
            return new CauseIntervals(new ArrayList<>(disjoint.values()));
        }

        /** Puts what is left of the interval into the gaps between those that are there. */
        private void place(final Interval interval) {
            long fromNs = interval.startNs();
            final Map.Entry<Long, Interval> before = disjoint.floorEntry(fromNs);
            if (before != null) {
                fromNs = Math.max(fromNs, before.getValue().endNs());
            }
            final List<Interval> pieces = new ArrayList<>();
            for (final Interval there : disjoint.subMap(interval.startNs(), false, interval.endNs(), false).values()) {
                if (there.startNs() > fromNs) {
                    pieces.add(new Interval(interval.cause(), fromNs, there.startNs()));
                }
                fromNs = Math.max(fromNs, there.endNs());
            }
            if (interval.endNs() > fromNs) {
                pieces.add(new Interval(interval.cause(), fromNs, interval.endNs()));
            }
            pieces.forEach(piece -> disjoint.put(piece.startNs(), piece));
        }
    }

    private CauseIntervals(final List<Interval> disjoint) {
        startsNs = disjoint.stream().mapToLong(Interval::startNs).toArray();
        endsNs = disjoint.stream().mapToLong(Interval::endNs).toArray();
        causes = disjoint.stream().map(Interval::cause).toArray(Cause[]::new);
    }

    /** Adds to {@code overlapNs}, by cause, what of the intervals lies between two times. */
    void addOverlap(final long startNs, final long endNs, final long[] overlapNs) {
        for (int i = firstEndingAfter(startNs); i < startsNs.length && startsNs[i] < endNs; i++) {
            overlapNs[causes[i].ordinal()] += Math.min(endsNs[i], endNs) - Math.max(startsNs[i], startNs);
        }
    }

    private int firstEndingAfter(final long timeNs) {
        final int found = Arrays.binarySearch(endsNs, timeNs + 1);
        return found >= 0 ? found : -found - 1;
    }
}
