package io.tiercel.replay.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Counts of latencies by time and by size, for a heat map of a run whose length is not known beforehand: when there are
 * too many columns, each two become one, so memory and the picture stay the same however long the run.
 */
public final class LatencyGrid {

    private static final int DECADES = 12;

    static final int ROWS_PER_DECADE = 12;
    static final int ROW_COUNT = ROWS_PER_DECADE * DECADES;
    private static final double NS_PER_S = 1e9;
    private static final double NS_PER_MIN = 60e9;
    private static final double NS_PER_H = 3_600e9;
    private static final int MAX_COLUMNS = 160;
    private static final long FIRST_WIDTH_NS = 1_000_000;

    private final List<long[]> columns = new ArrayList<>();
    private long widthNs = FIRST_WIDTH_NS;

    /**
     * @param timeNs  since the run began; earlier is taken as the beginning.
     * @param valueNs the latency; less than 1 is taken as 1.
     */
    public void add(final long timeNs, final long valueNs, final long count) {
        int column = columnOf(timeNs);
        while (column >= MAX_COLUMNS) {
            halve();
            column = columnOf(timeNs);
        }
        while (columns.size() <= column) {
            columns.add(new long[ROW_COUNT]);
        }
        columns.get(column)[rowOf(valueNs)] += count;
    }

    private int columnOf(final long timeNs) {
        return (int) Math.min(Integer.MAX_VALUE, Math.max(0, timeNs) / widthNs);
    }

    private static int rowOf(final long valueNs) {
        final int row = (int) (Math.log10(Math.max(1, valueNs)) * ROWS_PER_DECADE);
        return Math.min(ROW_COUNT - 1, row);
    }

    private void halve() {
        for (int column = 0; column < columns.size(); column += 2) {
            final long[] left = columns.get(column);
            if (column + 1 < columns.size()) {
                final long[] right = columns.get(column + 1);
                for (int row = 0; row < ROW_COUNT; row++) {
                    left[row] += right[row];
                }
            }
            columns.set(column / 2, left);
        }
        columns.subList((columns.size() + 1) / 2, columns.size()).clear();
        widthNs *= 2;
    }

    int columnCount() {
        return columns.size();
    }

    /** Counts a second over time, in seconds since the run began. */
    public Plots.Series rates(final String name) {
        final double widthS = widthNs / NS_PER_S;
        final double[] timesS = new double[columns.size()];
        final double[] rates = new double[columns.size()];
        for (int column = 0; column < rates.length; column++) {
            timesS[column] = (column + 0.5) * widthS;
            rates[column] = Arrays.stream(columns.get(column)).sum() / widthS;
        }
        return new Plots.Series(name, timesS, rates);
    }

    /** In {@link #timeUnit}s. */
    double columnWidth() {
        return widthNs / unitNs();
    }

    /** What the length of the run is best told in. */
    String timeUnit() {
        return unitNs() == NS_PER_H ? "h" : unitNs() == NS_PER_MIN ? "min" : "s";
    }

    private double unitNs() {
        final double lengthNs = (double) columns.size() * widthNs;
        return lengthNs > 6 * NS_PER_H ? NS_PER_H : lengthNs > 10 * NS_PER_MIN ? NS_PER_MIN : NS_PER_S;
    }

    long count(final int column, final int row) {
        return columns.get(column)[row];
    }

    /** Of all cells; 0 if there is none. */
    long highestCount() {
        return columns.stream().flatMapToLong(Arrays::stream).max().orElse(0);
    }

    /** The lowest row that counts anything; -1 if none does. */
    int lowestRow() {
        for (int row = 0; row < ROW_COUNT; row++) {
            if (isUsed(row)) {
                return row;
            }
        }
        return -1;
    }

    /** The highest row that counts anything; -1 if none does. */
    int highestRow() {
        for (int row = ROW_COUNT - 1; row >= 0; row--) {
            if (isUsed(row)) {
                return row;
            }
        }
        return -1;
    }

    private boolean isUsed(final int row) {
        return columns.stream().anyMatch(column -> column[row] > 0);
    }

    /** Where a row begins: the logarithm of its lowest latency in µs. */
    static double rowLogUs(final int row) {
        return (double) row / ROWS_PER_DECADE - 3;
    }
}
