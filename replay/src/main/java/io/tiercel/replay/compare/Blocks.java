package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Two sets of runs, cut for one quantile: into units, in each of which ten requests lie above the quantile, so that it
 * is known; and these, in order of time, into blocks ({@link BlockLength}) that have little to do with each other.
 */
final class Blocks {

    /** Of each set: with fewer, hardly any way to shuffle them is left. */
    static final int MIN_BLOCKS = 8;

    private static final int MIN_ABOVE_QUANTILE = 10;

    private final double quantile;
    private final List<List<ValueCounts>> runsA;
    private final List<List<ValueCounts>> runsB;
    private final List<ValueCounts> units = new ArrayList<>();
    private final double[] quantiles;
    private final double[] ranks;
    private final int unitsPerBlock;
    private final double unitLengthS;

    private Blocks(
            final double quantile, final List<List<ValueCounts>> runsA, final List<List<ValueCounts>> runsB,
            final double durationS) {
        this.quantile = quantile;
        this.runsA = runsA;
        this.runsB = runsB;
        runsA.forEach(units::addAll);
        runsB.forEach(units::addAll);
        quantiles = units.stream().mapToDouble(unit -> unit.quantile(quantile)).toArray();
        ranks = Ranks.of(quantiles);
        unitsPerBlock = BlockLength.of(ranksByRun());
        unitLengthS = durationS / Math.max(1, units.size());
    }

    static Blocks cut(final UnitRuns setA, final UnitRuns setB, final double quantile) {
        final long minCount = minCount(quantile);
        return new Blocks(quantile, setA.ofAtLeast(minCount), setB.ofAtLeast(minCount),
                setA.durationS() + setB.durationS());
    }

    /** Values of which so many lie above the quantile that it is known. */
    static long minCount(final double quantile) {
        return (long) Math.ceil(MIN_ABOVE_QUANTILE / (1 - quantile) - 1e-6);
    }

    /** By rank, as one bad unit would otherwise be all of the variance. */
    private List<double[]> ranksByRun() {
        final List<double[]> byRun = new ArrayList<>();
        int begin = 0;
        for (final List<List<ValueCounts>> runs : List.of(runsA, runsB)) {
            for (final List<ValueCounts> run : runs) {
                byRun.add(Arrays.copyOfRange(ranks, begin, begin + run.size()));
                begin += run.size();
            }
        }
        return byRun;
    }

    boolean areEnough() {
        return Math.min(countA(), countB()) >= MIN_BLOCKS;
    }

    double quantile() {
        return quantile;
    }

    double lengthS() {
        return unitsPerBlock * unitLengthS;
    }

    int countA() {
        return count(runsA);
    }

    int countB() {
        return count(runsB);
    }

    private int count(final List<List<ValueCounts>> runs) {
        return runs.stream().mapToInt(run -> blockCount(run.size())).sum();
    }

    private int blockCount(final int unitCount) {
        return unitCount / unitsPerBlock;
    }

    /** A's before B's, run after run. */
    List<ValueCounts> units() {
        return units;
    }

    int unitCountA() {
        return runsA.stream().mapToInt(List::size).sum();
    }

    /** Each unit's own quantile. */
    double[] quantiles() {
        return quantiles;
    }

    /** Of the units' quantiles, among those of both sets. */
    double[] ranks() {
        return ranks;
    }

    /** The indexes of A's units, by run and block. */
    List<List<int[]>> blocksA() {
        return blocks(runsA, 0);
    }

    /** The indexes of B's units, by run and block. */
    List<List<int[]>> blocksB() {
        return blocks(runsB, unitCountA());
    }

    private List<List<int[]>> blocks(final List<List<ValueCounts>> runs, final int firstIndex) {
        final List<List<int[]>> blocks = new ArrayList<>();
        int begin = firstIndex;
        for (final List<ValueCounts> run : runs) {
            if (blockCount(run.size()) > 0) {
                blocks.add(blocks(begin, run.size()));
            }
            begin += run.size();
        }
        return blocks;
    }

    /** As even as can be: no unit is left over. */
    private List<int[]> blocks(final int firstIndex, final int unitCount) {
        final int blockCount = blockCount(unitCount);
        final List<int[]> blocks = new ArrayList<>();
        for (int block = 0; block < blockCount; block++) {
            final int begin = (int) ((long) block * unitCount / blockCount);
            final int end = (int) ((block + 1L) * unitCount / blockCount);
            final int[] indexes = new int[end - begin];
            Arrays.setAll(indexes, index -> firstIndex + begin + index);
            blocks.add(indexes);
        }
        return blocks;
    }

    /** Each run's quantile over all of its units: A's, then B's. */
    double[][] runQuantiles() {
        return new double[][] {runQuantiles(runsA), runQuantiles(runsB)};
    }

    private double[] runQuantiles(final List<List<ValueCounts>> runs) {
        return runs.stream().mapToDouble(run -> {
            final int[] once = new int[run.size()];
            Arrays.fill(once, 1);
            return new PooledQuantile(run, quantile).of(once);
        }).toArray();
    }
}
