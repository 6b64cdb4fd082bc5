package io.tiercel.tools.transformer;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Weighted k-means (Lloyd, 1982; seeded as by Arthur, Vassilvitskii, k-means++, 2007). The same points, weights and
 * seed give the same centres on every machine.
 */
final class KMeans {

    private static final int ITERATIONS = 25;

    private final double[][] points;
    private final double[] weights;
    private final double[][] centres;
    private final int[] nearest;

    private KMeans(final double[][] points, final double[] weights, final int count) {
        this.points = points;
        this.weights = weights;
        centres = new double[count][];
        nearest = new int[points.length];
    }

    /**
     * @param points  [n][channels], at least one.
     * @param weights [n], none negative, not all zero.
     * @return [count][channels].
     */
    static double[][] centres(
            final double[][] points, final double[] weights, final int count, final SplittableRandom random) {
        final KMeans means = new KMeans(points, weights, count);
        means.seed(random);
        for (int i = 0; i < ITERATIONS && means.assign(); i++) {
            means.move();
        }
        return means.centres;
    }

    /** Each centre is a point, drawn by its weighted distance from those before it. */
    private void seed(final SplittableRandom random) {
        final double[] distances = new double[points.length];
        Arrays.fill(distances, 1);
        for (int i = 0; i < centres.length; i++) {
            centres[i] = points[draw(distances, random)].clone();
            for (int k = 0; k < points.length; k++) {
                final double distance = distance(points[k], centres[i], Double.POSITIVE_INFINITY);
                distances[k] = i == 0 ? distance : Math.min(distances[k], distance);
            }
        }
    }

    private int draw(final double[] distances, final SplittableRandom random) {
        double total = 0;
        for (int k = 0; k < points.length; k++) {
            total += distances[k] * weights[k];
        }
        if (total <= 0) {
            return random.nextInt(points.length);
        }
        double rest = random.nextDouble() * total;
        for (int k = 0; k < points.length; k++) {
            rest -= distances[k] * weights[k];
            if (rest < 0) {
                return k;
            }
        }
        return points.length - 1;
    }

    /** Whether a point has another centre than before. */
    private boolean assign() {
        boolean hasChanged = false;
        for (int k = 0; k < points.length; k++) {
            int best = nearest[k];
            double least = distance(points[k], centres[best], Double.POSITIVE_INFINITY);
            for (int i = 0; i < centres.length; i++) {
                final double distance = distance(points[k], centres[i], least);
                if (distance < least) {
                    least = distance;
                    best = i;
                }
            }
            hasChanged |= best != nearest[k];
            nearest[k] = best;
        }
        return hasChanged;
    }

    private void move() {
        final double[] totals = new double[centres.length];
        final double[][] sums = new double[centres.length][points[0].length];
        for (int k = 0; k < points.length; k++) {
            totals[nearest[k]] += weights[k];
            for (int c = 0; c < points[k].length; c++) {
                sums[nearest[k]][c] += weights[k] * points[k][c];
            }
        }
        for (int i = 0; i < centres.length; i++) {
            for (int c = 0; totals[i] > 0 && c < sums[i].length; c++) {
                centres[i][c] = sums[i][c] / totals[i];
            }
        }
    }

    /** Of squares; given up once it is above the limit. */
    private static double distance(final double[] point, final double[] centre, final double limit) {
        double distance = 0;
        for (int c = 0; c < point.length && distance < limit; c++) {
            final double difference = point[c] - centre[c];
            distance += difference * difference;
        }
        return distance;
    }
}
