package io.tiercel.tools.model;

import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Mean and standard deviation of each feature, as in training: {@code (x - mean) / deviation}. */
final class Normalisation {

    private final float[] means;
    private final float[] deviations;

    /** Every deviation is above zero. */
    Normalisation(final float[] means, final float[] deviations) {
        this.means = means;
        this.deviations = deviations;
    }

    /** That of rows which are fed as they come. */
    static Normalisation none(final int columnCount) {
        final float[] ones = new float[columnCount];
        Arrays.fill(ones, 1);
        return new Normalisation(new float[columnCount], ones);
    }

    /**
     * That of the rows of a file, those of the {@code train} split where it has one. A column that never changes has a
     * deviation of 1.
     *
     * @param pools texts: columns whose names hold the same one have one mean and one deviation together.
     */
    static Normalisation ofRows(final Path file, final List<String> names, final List<String> pools)
            throws IOException {
        final int[] pool = pools(names, pools);
        final double[] sums = new double[names.size()];
        final double[] squares = new double[names.size()];
        final long[] counts = new long[names.size()];
        final double[] origins = new double[names.size()];
        try (RowReader rows = new RowReader(file, names, Integer.MAX_VALUE)) {
            while (rows.next()) {
                if (rows.hasSplit() && !"train".equals(rows.split())) {
                    continue;
                }
                for (int column = 0; column < pool.length; column++) {
                    final int at = pool[column];
                    if (counts[at]++ == 0) {
                        origins[at] = rows.features()[column];
                    }
                    final double distance = rows.features()[column] - origins[at];
                    sums[at] += distance;
                    squares[at] += distance * distance;
                }
            }
        }
        if (counts[pool[0]] == 0) {
            throw new ModelInputException(file + ": no rows to normalise by");
        }
        final float[] means = new float[pool.length];
        final float[] deviations = new float[pool.length];
        for (int column = 0; column < pool.length; column++) {
            final int at = pool[column];
            final double mean = sums[at] / counts[at];
            final double variance = squares[at] / counts[at] - mean * mean;
            means[column] = (float) (origins[at] + mean);
            deviations[column] = variance > 0 ? (float) Math.sqrt(variance) : 1;
        }
        return new Normalisation(means, deviations);
    }

    /** Of each column the index of the first one that it shares its numbers with. */
    private static int[] pools(final List<String> names, final List<String> pools) {
        final int[] firsts = new int[names.size()];
        Arrays.setAll(firsts, column -> column);
        for (final String text : pools) {
            int first = -1;
            for (int column = 0; column < firsts.length; column++) {
                if (names.get(column).contains(text)) {
                    first = first < 0 ? column : first;
                    firsts[column] = first;
                }
            }
            if (first < 0) {
                throw new ModelInputException("--pool=" + text + " is in the name of no feature");
            }
        }
        return firsts;
    }

    float mean(final int index) {
        return means[index];
    }

    float deviation(final int index) {
        return deviations[index];
    }

    float[] means() {
        return means.clone();
    }

    /** What the engine multiplies by, since a multiply is cheaper than a divide. */
    float[] inverseDeviations() {
        final float[] inverse = new float[deviations.length];
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = (float) (1 / (double) deviations[i]);
        }
        return inverse;
    }
}
