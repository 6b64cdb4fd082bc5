package io.tiercel.replay.markout;

import java.util.random.RandomGenerator;

/**
 * Standard errors of means over a series whose neighbours depend on each other: the series is put together anew from
 * blocks of it that begin anywhere, many times (circular block bootstrap, Politis and Romano 1992). All series get the
 * same blocks, so differences between them keep what they have in common.
 */
final class BlockBootstrap {

    private static final int REPLICATES = 1000;

    private final int count;
    private final int blockLength;
    private final int blockCount;
    private final int[][] starts;

    BlockBootstrap(final int count, final int blockLength, final RandomGenerator random) {
        this.count = count;
        this.blockLength = blockLength;
        blockCount = (count + blockLength - 1) / blockLength;
        starts = new int[REPLICATES][blockCount];
        for (final int[] replicate : starts) {
            for (int i = 0; i < blockCount; i++) {
                replicate[i] = random.nextInt(count);
            }
        }
    }

    /** The mean of a series in each replicate. */
    double[] means(final double[] series) {
        final double[] sums = new double[count + blockLength + 1];
        for (int i = 0; i < count + blockLength; i++) {
            sums[i + 1] = sums[i] + series[i % count];
        }
        final double[] means = new double[REPLICATES];
        for (int r = 0; r < REPLICATES; r++) {
            double sum = 0;
            for (final int start : starts[r]) {
                sum += sums[start + blockLength] - sums[start];
            }
            means[r] = sum / ((double) blockCount * blockLength);
        }
        return means;
    }

    /** How far replicates lie apart: the standard error of what they are replicates of. */
    static double error(final double[] replicates) {
        double sum = 0;
        double squares = 0;
        int finite = 0;
        for (final double each : replicates) {
            if (Double.isFinite(each)) {
                sum += each;
                finite++;
            }
        }
        if (finite < 2) {
            return Double.NaN;
        }
        final double mean = sum / finite;
        for (final double each : replicates) {
            squares += Double.isFinite(each) ? (each - mean) * (each - mean) : 0;
        }
        return Math.sqrt(squares / (finite - 1));
    }
}
