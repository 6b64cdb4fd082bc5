package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Change points of a series by E-divisive means (D. Matteson, N. James, "A nonparametric approach for multiple change
 * point analysis of multivariate data", JASA 2014): the series is divided where the energy distance between the values
 * on both sides is largest, again and again, as long as shuffling the values within the parts that there are seldom
 * gives as large a one. The exponent of the distance is 1; a part has at least two values.
 */
final class EDivisive {

    private static final int MIN_PART = 2;

    private final double level;
    private final int shuffles;
    private final RandomGenerator random;

    EDivisive(final double level, final int shuffles, final RandomGenerator random) {
        this.level = level;
        this.shuffles = shuffles;
        this.random = random;
    }

    /** The best division of a part; the statistic is -1 if it is too short for any. */
    private record Division(int index, double statistic) {
    }

    /** In the order of the series. */
    List<ChangePoint> find(final double[] series) {
        final List<ChangePoint> found = new ArrayList<>();
        final List<Integer> borders = new ArrayList<>(List.of(0, series.length));
        while (true) {
            final Division best = best(series, borders);
            if (best.statistic() < 0) {
                return found;
            }
            final double chance = chance(series, borders, best.statistic());
            if (chance > level) {
                return found;
            }
            found.add(new ChangePoint(best.index(), chance));
            found.sort((left, right) -> Integer.compare(left.index(), right.index()));
            borders.add(best.index());
            borders.sort(null);
        }
    }

    private double chance(final double[] series, final List<Integer> borders, final double statistic) {
        final double[] shuffled = series.clone();
        int asLarge = 1;
        for (int round = 0; round < shuffles; round++) {
            for (int part = 0; part + 1 < borders.size(); part++) {
                shuffle(shuffled, borders.get(part), borders.get(part + 1));
            }
            asLarge += best(shuffled, borders).statistic() >= statistic - 1e-12 ? 1 : 0;
        }
        return asLarge / (shuffles + 1.0);
    }

    private void shuffle(final double[] values, final int begin, final int end) {
        for (int index = end - 1; index > begin; index--) {
            final int other = begin + random.nextInt(index - begin + 1);
            final double value = values[index];
            values[index] = values[other];
            values[other] = value;
        }
    }

    private static Division best(final double[] series, final List<Integer> borders) {
        Division best = new Division(-1, -1);
        for (int part = 0; part + 1 < borders.size(); part++) {
            final Division division = best(series, borders.get(part), borders.get(part + 1));
            best = division.statistic() > best.statistic() ? division : best;
        }
        return best;
    }

    /** Over all places to divide, and all ends of the values behind: a later change must not hide an earlier one. */
    private static Division best(final double[] series, final int begin, final int end) {
        Division best = new Division(-1, -1);
        for (int index = begin + MIN_PART; index + MIN_PART <= end; index++) {
            final double left = within(series, begin, index);
            double right = 0;
            double across = 0;
            for (int last = index; last < end; last++) {
                for (int other = index; other < last; other++) {
                    right += Math.abs(series[last] - series[other]);
                }
                for (int other = begin; other < index; other++) {
                    across += Math.abs(series[last] - series[other]);
                }
                if (last - index + 1 >= MIN_PART) {
                    final double statistic = statistic(index - begin, last - index + 1, left, right, across);
                    best = statistic > best.statistic() ? new Division(index, statistic) : best;
                }
            }
        }
        return best;
    }

    private static double within(final double[] series, final int begin, final int end) {
        double sum = 0;
        for (int index = begin; index < end; index++) {
            for (int other = begin; other < index; other++) {
                sum += Math.abs(series[index] - series[other]);
            }
        }
        return sum;
    }

    /** Equation 7 of the paper: sums over pairs become means, and the distance is weighted by both sizes. */
    private static double statistic(
            final int countLeft, final int countRight, final double left, final double right, final double across) {
        final double energy = 2 * across / ((double) countLeft * countRight)
                - 2 * left / ((double) countLeft * (countLeft - 1))
                - 2 * right / ((double) countRight * (countRight - 1));
        return energy * countLeft * countRight / (countLeft + countRight);
    }
}
