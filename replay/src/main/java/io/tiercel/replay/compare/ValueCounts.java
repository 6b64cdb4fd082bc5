package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/**
 * What was recorded in a stretch of time, as ascending values with their counts. Takes far less than a histogram, which
 * has room for values that never came, and a day has tens of thousands of intervals.
 */
public final class ValueCounts {

    private final long[] values;
    private final long[] counts;
    private final long total;

    private ValueCounts(final long[] values, final long[] counts) {
        this.values = values;
        this.counts = counts;
        this.total = Arrays.stream(counts).sum();
    }

    public static ValueCounts of(final Histogram histogram) {
        final List<long[]> cells = new ArrayList<>();
        for (final HistogramIterationValue cell : histogram.recordedValues()) {
            cells.add(new long[] {
                histogram.medianEquivalentValue(cell.getValueIteratedTo()), cell.getCountAddedInThisIterationStep()});
        }
        return new ValueCounts(cells.stream().mapToLong(cell -> cell[0]).toArray(),
                cells.stream().mapToLong(cell -> cell[1]).toArray());
    }

    /** All values of units in one. */
    static ValueCounts merged(final List<ValueCounts> parts) {
        if (parts.size() == 1) {
            return parts.get(0);
        }
        final SortedMap<Long, Long> cells = new TreeMap<>();
        for (final ValueCounts part : parts) {
            for (int cell = 0; cell < part.values.length; cell++) {
                cells.merge(part.values[cell], part.counts[cell], Long::sum);
            }
        }
        return new ValueCounts(cells.keySet().stream().mapToLong(Long::longValue).toArray(),
                cells.values().stream().mapToLong(Long::longValue).toArray());
    }

    public long total() {
        return total;
    }

    /** 0 if there is none. */
    public long max() {
        return values.length == 0 ? 0 : values[values.length - 1];
    }

    public void addTo(final Histogram histogram) {
        for (int cell = 0; cell < values.length; cell++) {
            histogram.recordValueWithCount(values[cell], counts[cell]);
        }
    }

    /** The same with what is above a value larger by a factor. */
    ValueCounts slowed(final long from, final double factor) {
        return new ValueCounts(
                Arrays.stream(values).map(value -> value > from ? Math.round(value * factor) : value).toArray(),
                counts.clone());
    }

    int cellCount() {
        return values.length;
    }

    long value(final int cell) {
        return values[cell];
    }

    long count(final int cell) {
        return counts[cell];
    }

    /** The lowest value that a share of all is not above. */
    public long quantile(final double share) {
        final long rank = rank(share, total);
        long seen = 0;
        for (int cell = 0; cell < values.length; cell++) {
            seen += counts[cell];
            if (seen >= rank) {
                return values[cell];
            }
        }
        throw new IllegalStateException("rank=" + rank + " total=" + total);
    }

    static long rank(final double share, final long total) {
        return Math.max(1, (long) Math.ceil(share * total - 1e-9));
    }
}
