package io.tiercel.tools.transformer;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Weighted k-means (Lloyd, 1982; seeded as by Arthur, Vassilvitskii, k-means++, 2007). The same points, weights and
 * seed give the same centres on every machine.
 *
 * <p>Most distances need not be computed. A point keeps a bound below which no other centre can be (Hamerly, Making
 * k-means even faster, 2010), and where that does not tell, it looks only at centres less than twice as far from its
 * own one as it is itself (Phillips, Acceleration of k-means, 2002). A centre that no point has goes to the point that
 * costs most.
 */
final class KMeans {

    private static final int ITERATIONS = 25;
    /** Improvements of the sum below this share of it are not waited for. */
    private static final double WORTHWHILE = 1e-3;
    /** Bounds are given so much of themselves, for what rounding may have taken. */
    private static final double SLACK = 1e-9;
    private static final double FLOAT_SLACK = 1e-6;

    private final int channels;
    private final int pointCount;
    private final int centreCount;
    /** [points][channels]. */
    private final double[] points;
    private final double[] weights;
    /** [centres][channels]. */
    private final double[] centres;
    private final int[] nearest;
    /** Of each point from its centre. */
    private final double[] own;
    /** Of each point, what no other centre is nearer than. */
    private final double[] others;
    /** By centre: all of them, the nearest first, and how far they are. */
    private final int[] neighbours;
    private final double[] gaps;

    private KMeans(final double[][] points, final double[] weights, final int count) {
        channels = points[0].length;
        pointCount = points.length;
        centreCount = count;
        this.points = new double[pointCount * channels];
        for (int k = 0; k < pointCount; k++) {
            System.arraycopy(points[k], 0, this.points, k * channels, channels);
        }
        this.weights = weights;
        centres = new double[count * channels];
        nearest = new int[pointCount];
        own = new double[pointCount];
        others = new double[pointCount];
        neighbours = new int[count * count];
        gaps = new double[count * count];
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
        means.improve();
        final double[][] centres = new double[count][];
        for (int i = 0; i < count; i++) {
            centres[i] = Arrays.copyOfRange(means.centres, i * means.channels, (i + 1) * means.channels);
        }
        return centres;
    }

    /** Each centre is a point, drawn by its weighted distance from those before it. */
    private void seed(final SplittableRandom random) {
        final double[] squares = new double[pointCount];
        Arrays.fill(squares, 1);
        for (int i = 0; i < centreCount; i++) {
            System.arraycopy(points, draw(squares, random) * channels, centres, i * channels, channels);
            for (int k = 0; k < pointCount; k++) {
                final double square = square(points, k, i);
                if (i == 0 || square < squares[k]) {
                    squares[k] = square;
                    nearest[k] = i;
                }
            }
        }
        for (int k = 0; k < pointCount; k++) {
            own[k] = Math.sqrt(squares[k]);
        }
    }

    private int draw(final double[] squares, final SplittableRandom random) {
        double total = 0;
        for (int k = 0; k < pointCount; k++) {
            total += squares[k] * weights[k];
        }
        if (total <= 0) {
            return random.nextInt(pointCount);
        }
        double rest = random.nextDouble() * total;
        for (int k = 0; k < pointCount; k++) {
            rest -= squares[k] * weights[k];
            if (rest < 0) {
                return k;
            }
        }
        return pointCount - 1;
    }

    private void improve() {
        double before = Double.POSITIVE_INFINITY;
        for (int i = 0; i < ITERATIONS; i++) {
            move();
            final double sum = assign();
            if (sum >= before * (1 - WORTHWHILE)) {
                break;
            }
            before = sum;
        }
    }

    /** Each point to its nearest centre; returns the weighted sum of squares. */
    private double assign() {
        for (int i = 0; i < centreCount; i++) {
            sortNeighbours(i);
        }
        double sum = 0;
        for (int k = 0; k < pointCount; k++) {
            final int before = nearest[k];
            final double half = centreCount > 1 ? gaps[before * centreCount + 1] / 2 : Double.POSITIVE_INFINITY;
            own[k] = Math.sqrt(square(points, k, before));
            if (own[k] >= Math.max(half, others[k]) * (1 - SLACK)) {
                search(k, before);
            }
            sum += weights[k] * own[k] * own[k];
        }
        return sum;
    }

    private void search(final int point, final int before) {
        final int first = before * centreCount;
        double least = own[point];
        double second = Double.POSITIVE_INFINITY;
        int best = before;
        final double reach = 2 * least * (1 + SLACK);
        int i = 1;
        for (; i < centreCount && gaps[first + i] < reach; i++) {
            final double distance = Math.sqrt(square(points, point, neighbours[first + i]));
            if (distance < least) {
                second = least;
                least = distance;
                best = neighbours[first + i];
            } else if (distance < second) {
                second = distance;
            }
        }
        // Those that were not looked at are at least so far from the centre that was the point's.
        final double unseen = i < centreCount ? gaps[first + i] - own[point] : Double.POSITIVE_INFINITY;
        own[point] = least;
        others[point] = Math.min(second, unseen);
        nearest[point] = best;
    }

    /** All centres by their distance from one; itself is the first. */
    private void sortNeighbours(final int centre) {
        final long[] order = new long[centreCount];
        for (int i = 0; i < centreCount; i++) {
            final double distance = Math.sqrt(square(centres, i, centre));
            // The bits of a positive float are in its order; of equal ones the lower index is first.
            order[i] = i == centre ? -1 : (long) Float.floatToRawIntBits((float) distance) << Integer.SIZE | i;
        }
        Arrays.sort(order);
        for (int i = 0; i < centreCount; i++) {
            neighbours[centre * centreCount + i] = i == 0 ? centre : (int) order[i];
            // Never more than it is.
            gaps[centre * centreCount + i] =
                    Float.intBitsToFloat((int) (order[i] >>> Integer.SIZE)) * (1 - FLOAT_SLACK);
        }
        gaps[centre * centreCount] = 0;
    }

    private void move() {
        final double[] before = centres.clone();
        final double[] totals = new double[centreCount];
        final double[] sums = new double[centres.length];
        for (int k = 0; k < pointCount; k++) {
            final int centre = nearest[k];
            totals[centre] += weights[k];
            for (int c = 0; c < channels; c++) {
                sums[centre * channels + c] += weights[k] * points[k * channels + c];
            }
        }
        for (int i = 0; i < centreCount; i++) {
            if (totals[i] == 0) {
                moveToWorst(i);
            } else {
                for (int c = 0; c < channels; c++) {
                    centres[i * channels + c] = sums[i * channels + c] / totals[i];
                }
            }
        }
        loosen(before);
    }

    private void moveToWorst(final int centre) {
        int worst = 0;
        for (int k = 1; k < pointCount; k++) {
            if (weights[k] * own[k] * own[k] > weights[worst] * own[worst] * own[worst]) {
                worst = k;
            }
        }
        System.arraycopy(points, worst * channels, centres, centre * channels, channels);
        nearest[worst] = centre;
        own[worst] = 0;
        others[worst] = 0;
    }

    /** Bounds after the centres have moved. */
    private void loosen(final double[] before) {
        double largest = 0;
        for (int i = 0; i < centreCount; i++) {
            double drift = 0;
            for (int c = i * channels; c < (i + 1) * channels; c++) {
                drift += (centres[c] - before[c]) * (centres[c] - before[c]);
            }
            largest = Math.max(largest, Math.sqrt(drift));
        }
        for (int k = 0; k < pointCount; k++) {
            others[k] = Math.max(0, others[k] - largest);
        }
    }

    private double square(final double[] of, final int index, final int centre) {
        double square = 0;
        for (int c = 0; c < channels; c++) {
            final double difference = of[index * channels + c] - centres[centre * channels + c];
            square += difference * difference;
        }
        return square;
    }
}
