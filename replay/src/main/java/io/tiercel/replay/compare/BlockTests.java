package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Two questions about one quantile of two sets, and how sure the answers are.
 * <ul>
 * <li><b>Whole</b>: did the quantile of everything move? It is what users meet, and a few bad seconds can decide it.
 * Its interval is from the bootstrap: blocks drawn again with replacement, out of runs drawn again if there are
 * several.</li>
 * <li><b>Typical</b>: did the quantile of a typical unit of time move? By Mann and Whitney's ranks, with Hodges and
 * Lehmann's shift. A few bad seconds leave it alone, so it sees much smaller changes.</li>
 * </ul>
 * Both are judged by shuffling which blocks are A's and which are B's: if the sets do not differ, every way is as
 * likely as the one seen, so a chance below 5 % is below 5 % however few blocks there are and however heavy their
 * tails. By the bootstrap or by the normal approximation of the ranks, which take blocks to be many or units to be
 * independent, it would not be.
 */
public final class BlockTests {

    private final Blocks blocks;
    private final int resamples;
    private final RandomGenerator random;
    private final PooledQuantile pooled;
    private final int unitCount;
    private final int unitCountA;

    BlockTests(final Blocks blocks, final int resamples, final RandomGenerator random) {
        this.blocks = blocks;
        this.resamples = resamples;
        this.random = random;
        this.pooled = new PooledQuantile(blocks.units(), blocks.quantile());
        this.unitCount = blocks.units().size();
        this.unitCountA = blocks.unitCountA();
    }

    /**
     * What the tests found; changes are shares of A's value, 0.1 is a tenth more.
     *
     * @param valueA        the quantile of all of A.
     * @param change        of the whole.
     * @param changeLow     the low end of its 95 % interval.
     * @param changeHigh    the high end.
     * @param chance        of a change of the whole at least as large if the sets do not differ.
     * @param typicalChange of a typical unit.
     * @param typicalChance of ranks at least as far apart if the sets do not differ.
     */
    public record Result(double valueA, double valueB, double change, double changeLow, double changeHigh,
            double chance, double typicalChange, double typicalChance) {
    }

    Result run() {
        final int[] timesA = new int[unitCount];
        Arrays.fill(timesA, 0, unitCountA, 1);
        final double valueA = pooled.of(timesA);
        final double valueB = pooled.of(complement(timesA));
        final double[] chances = shuffle(wholeDistance(timesA), rankDistance(timesA));
        final double[] interval = bootstrap();
        return new Result(valueA, valueB, Math.expm1(logRatio(valueA, valueB)), interval[0], interval[1], chances[0],
                typicalChange(), chances[1]);
    }

    private static double logRatio(final double from, final double to) {
        return Math.log(Math.max(1, to) / Math.max(1, from));
    }

    private static int[] complement(final int[] times) {
        return Arrays.stream(times).map(one -> 1 - one).toArray();
    }

    private double wholeDistance(final int[] times) {
        return Math.abs(logRatio(pooled.of(times), pooled.of(complement(times))));
    }

    /** Between the mean ranks of both; Mann and Whitney's statistic, but for sizes that may differ by a unit. */
    private double rankDistance(final int[] times) {
        final double[] ranks = blocks.ranks();
        double sum = 0;
        double otherSum = 0;
        int count = 0;
        for (int unit = 0; unit < times.length; unit++) {
            if (times[unit] == 1) {
                sum += ranks[unit];
                count++;
            } else {
                otherSum += ranks[unit];
            }
        }
        return Math.abs(sum / count - otherSum / (times.length - count));
    }

    /** The chances of both distances being as large as those seen. */
    private double[] shuffle(final double wholeSeen, final double ranksSeen) {
        final List<int[]> order = new ArrayList<>();
        blocks.blocksA().forEach(order::addAll);
        final int countA = order.size();
        blocks.blocksB().forEach(order::addAll);
        int wholeAsLarge = 1;
        int ranksAsLarge = 1;
        for (int round = 0; round < resamples; round++) {
            final int[] times = new int[unitCount];
            for (int index = 0; index < countA; index++) {
                final int other = index + random.nextInt(order.size() - index);
                final int[] chosen = order.set(other, order.get(index));
                order.set(index, chosen);
                for (final int unit : chosen) {
                    times[unit] = 1;
                }
            }
            wholeAsLarge += wholeDistance(times) >= wholeSeen - 1e-12 ? 1 : 0;
            ranksAsLarge += rankDistance(times) >= ranksSeen - 1e-9 ? 1 : 0;
        }
        return new double[] {wholeAsLarge / (resamples + 1.0), ranksAsLarge / (resamples + 1.0)};
    }

    /** Hodges and Lehmann: the median of the ratios of all units of B to all units of A. */
    private double typicalChange() {
        final double[] quantiles = blocks.quantiles();
        final int countB = unitCount - unitCountA;
        final double[] ratios = new double[unitCountA * countB];
        for (int a = 0; a < unitCountA; a++) {
            for (int b = 0; b < countB; b++) {
                ratios[a * countB + b] = logRatio(quantiles[a], quantiles[unitCountA + b]);
            }
        }
        Arrays.sort(ratios);
        return Math.expm1((ratios[(ratios.length - 1) / 2] + ratios[ratios.length / 2]) / 2);
    }

    /** The middle 95 % of the changes between sets drawn again. */
    private double[] bootstrap() {
        final List<List<int[]>> blocksA = blocks.blocksA();
        final List<List<int[]>> blocksB = blocks.blocksB();
        final double[] changes = new double[resamples];
        for (int round = 0; round < resamples; round++) {
            changes[round] = Math.expm1(logRatio(pooled.of(drawn(blocksA)), pooled.of(drawn(blocksB))));
        }
        Arrays.sort(changes);
        final int cut = (int) (0.025 * resamples);
        return new double[] {changes[cut], changes[resamples - 1 - cut]};
    }

    private int[] drawn(final List<List<int[]>> runs) {
        final int[] times = new int[unitCount];
        for (int draw = 0; draw < runs.size(); draw++) {
            final List<int[]> run = runs.get(random.nextInt(runs.size()));
            for (int block = 0; block < run.size(); block++) {
                for (final int unit : run.get(random.nextInt(run.size()))) {
                    times[unit]++;
                }
            }
        }
        return times;
    }
}
