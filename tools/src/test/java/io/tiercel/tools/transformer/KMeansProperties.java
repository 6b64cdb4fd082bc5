package io.tiercel.tools.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class KMeansProperties {

    /** Distances that were not computed would have changed nothing: plain Lloyd goes on from there to no better. */
    @Property(tries = 60)
    void shouldLeaveLittleToPlainLloyd(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 8) final int channels,
            @ForAll @IntRange(min = 1, max = 24) final int count) {
        final SplittableRandom random = new SplittableRandom(seed);
        final double[][] points = points(random, 300, channels);
        final double[] weights = random.doubles(points.length).toArray();
        final double[][] centres = KMeans.centres(points, weights, count, new SplittableRandom(seed));
        final double before = sumOfSquares(points, weights, centres);
        assertTrue(before <= 1.03 * sumOfSquares(points, weights, movedOnce(points, weights, centres)) + 1e-9,
                "channels=" + channels + " count=" + count);
        final double[][] again = KMeans.centres(points, weights, count, new SplittableRandom(seed));
        for (int i = 0; i < count; i++) {
            assertArrayEquals(centres[i], again[i], "the same seed gives the same centres");
        }
    }

    @Test
    void shouldHaveACentreOnEachPointWhenThereAreNoMorePointsThanCentres() {
        final double[][] points = {{1, 2}, {5, 5}, {1, 2}, {-3, 0}};
        final double[][] centres = KMeans.centres(points, new double[] {1, 1, 1, 1}, 6, new SplittableRandom(1));
        assertEquals(6, centres.length);
        assertEquals(0, sumOfSquares(points, new double[] {1, 1, 1, 1}, centres));
    }

    private static double[][] points(final SplittableRandom random, final int count, final int channels) {
        final double[][] points = new double[count][channels];
        for (final double[] point : points) {
            final double middle = random.nextInt(5) * 20;
            for (int c = 0; c < channels; c++) {
                point[c] = middle + 10 * (random.nextDouble() + random.nextDouble() - 1);
            }
        }
        return points;
    }

    private static double[][] movedOnce(final double[][] points, final double[] weights, final double[][] centres) {
        final double[][] moved = new double[centres.length][centres[0].length];
        final double[] totals = new double[centres.length];
        for (int k = 0; k < points.length; k++) {
            final int centre = nearest(points[k], centres);
            totals[centre] += weights[k];
            for (int c = 0; c < moved[centre].length; c++) {
                moved[centre][c] += weights[k] * points[k][c];
            }
        }
        for (int i = 0; i < moved.length; i++) {
            for (int c = 0; c < moved[i].length; c++) {
                moved[i][c] = totals[i] == 0 ? centres[i][c] : moved[i][c] / totals[i];
            }
        }
        return moved;
    }

    private static double sumOfSquares(final double[][] points, final double[] weights, final double[][] centres) {
        double sum = 0;
        for (int k = 0; k < points.length; k++) {
            sum += weights[k] * square(points[k], centres[nearest(points[k], centres)]);
        }
        return sum;
    }

    private static int nearest(final double[] point, final double[][] centres) {
        int nearest = 0;
        for (int i = 1; i < centres.length; i++) {
            if (square(point, centres[i]) < square(point, centres[nearest])) {
                nearest = i;
            }
        }
        return nearest;
    }

    private static double square(final double[] left, final double[] right) {
        double square = 0;
        for (int c = 0; c < left.length; c++) {
            square += (left[c] - right[c]) * (left[c] - right[c]);
        }
        return square;
    }
}
