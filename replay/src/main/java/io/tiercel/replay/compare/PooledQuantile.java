package io.tiercel.replay.compare;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The quantile of any choice out of the same units, thousands of times. The quantile of a mixture lies between the
 * lowest and the highest of its parts, so cells outside of these are counted once and not looked at again.
 */
final class PooledQuantile {

    private final double share;
    private final long[] values;
    private final int[][] cells;
    private final long[][] counts;
    private final long[] below;
    private final long[] totals;
    private final long[] sums;

    PooledQuantile(final List<ValueCounts> units, final double share) {
        this.share = share;
        final long low = units.stream().mapToLong(unit -> unit.quantile(share)).min().orElse(0);
        final long high = units.stream().mapToLong(unit -> unit.quantile(share)).max().orElse(0);
        values = units.stream().flatMapToLong(PooledQuantile::valuesOf)
                .filter(value -> value >= low && value <= high).distinct().sorted().toArray();
        cells = new int[units.size()][];
        counts = new long[units.size()][];
        below = new long[units.size()];
        totals = new long[units.size()];
        sums = new long[values.length];
        for (int index = 0; index < cells.length; index++) {
            take(index, units.get(index), low, high);
        }
    }

    private static LongStream valuesOf(final ValueCounts unit) {
        return LongStream.range(0, unit.cellCount()).map(cell -> unit.value((int) cell));
    }

    private void take(final int index, final ValueCounts unit, final long low, final long high) {
        int begin = 0;
        while (begin < unit.cellCount() && unit.value(begin) < low) {
            below[index] += unit.count(begin++);
        }
        int end = begin;
        while (end < unit.cellCount() && unit.value(end) <= high) {
            end++;
        }
        cells[index] = new int[end - begin];
        counts[index] = new long[end - begin];
        for (int cell = begin; cell < end; cell++) {
            cells[index][cell - begin] = Arrays.binarySearch(values, unit.value(cell));
            counts[index][cell - begin] = unit.count(cell);
        }
        totals[index] = unit.total();
    }

    /**
     * The quantile over units.
     *
     * @param times how often each of the units is in it; at least one is.
     */
    long of(final int[] times) {
        Arrays.fill(sums, 0);
        long total = 0;
        long seen = 0;
        for (int index = 0; index < times.length; index++) {
            if (times[index] > 0) {
                total += times[index] * totals[index];
                seen += times[index] * below[index];
                add(index, times[index]);
            }
        }
        final long rank = ValueCounts.rank(share, total);
        int cell = 0;
        while (cell < values.length - 1 && seen + sums[cell] < rank) {
            seen += sums[cell++];
        }
        return values[cell];
    }

    private void add(final int index, final int times) {
        for (int cell = 0; cell < cells[index].length; cell++) {
            sums[cells[index][cell]] += times * counts[index][cell];
        }
    }
}
