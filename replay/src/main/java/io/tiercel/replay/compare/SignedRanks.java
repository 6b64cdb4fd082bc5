package io.tiercel.replay.compare;

import java.util.Arrays;

/**
 * Wilcoxon's signed ranks (F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1945) of the
 * differences within pairs. If A and B do not differ, each difference could as well have had the other sign: the chance
 * is counted over all ways to give signs to the ranks that there are, so it is exact for any number of pairs, any ties
 * and any tails. Pairs without a difference have a rank and no sign (J. Pratt, 1959). The shift and its interval are
 * those of J. Hodges and E. Lehmann (1963), from the means of all two differences, each with itself too.
 */
final class SignedRanks {

    /** Twice each rank, as ties have halves; 0 where there is no difference. */
    private final int[] doubledRanks;
    private final int doubledSum;
    private final double[] means;

    SignedRanks(final double[] differences) {
        final double[] ranks = Ranks.of(Arrays.stream(differences).map(Math::abs).toArray());
        doubledRanks = new int[ranks.length];
        int sum = 0;
        for (int pair = 0; pair < ranks.length; pair++) {
            doubledRanks[pair] = differences[pair] == 0 ? 0 : (int) Math.round(2 * ranks[pair]);
            sum += differences[pair] > 0 ? doubledRanks[pair] : 0;
        }
        doubledSum = sum;
        means = means(differences);
    }

    private static double[] means(final double[] differences) {
        final double[] means = new double[differences.length * (differences.length + 1) / 2];
        int count = 0;
        for (int left = 0; left < differences.length; left++) {
            for (int right = 0; right <= left; right++) {
                means[count++] = (differences[left] + differences[right]) / 2;
            }
        }
        Arrays.sort(means);
        return means;
    }

    /** The chance of differences at least as far above 0 if there is none. */
    double chanceAbove() {
        return Math.min(1, Arrays.stream(chances(doubledRanks), doubledSum, totalOf(doubledRanks) + 1).sum());
    }

    /** The chance of differences at least as far below 0 if there is none. */
    double chanceBelow() {
        return Math.min(1, Arrays.stream(chances(doubledRanks), 0, doubledSum + 1).sum());
    }

    /** The typical difference. */
    double shift() {
        return (means[(means.length - 1) / 2] + means[means.length / 2]) / 2;
    }

    /** Each end is on the wrong side with a chance of at most {@code level}; infinite with too few pairs for that. */
    double[] interval(final double level) {
        final int[] untied = new int[doubledRanks.length];
        Arrays.setAll(untied, pair -> pair + 1);
        final double[] chances = chances(untied);
        int outside = 0;
        double below = chances[0];
        while (below <= level) {
            outside++;
            below += chances[outside];
        }
        return outside == 0
                ? new double[] {Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY}
                : new double[] {means[outside - 1], means[means.length - outside]};
    }

    /** Of each sum of those ranks that a fair coin chooses. */
    private static double[] chances(final int[] ranks) {
        final double[] chances = new double[totalOf(ranks) + 1];
        chances[0] = 1;
        int reached = 0;
        for (final int rank : ranks) {
            if (rank > 0) {
                reached += rank;
                for (int sum = reached; sum >= 0; sum--) {
                    chances[sum] = (chances[sum] + (sum >= rank ? chances[sum - rank] : 0)) / 2;
                }
            }
        }
        return chances;
    }

    private static int totalOf(final int[] ranks) {
        return Arrays.stream(ranks).sum();
    }
}
