package io.tiercel.replay.compare;

import java.util.Arrays;

/**
 * Whether two sets of several runs differ by more than their runs differ among themselves. Blocks of one run have that
 * run in common (where its memory lies, what else the machine did), which shuffling blocks cannot see. So all ways to
 * deal the runs out to two sets of these sizes are tried; with few runs there are few ways, and what is asked is that
 * the one seen is the most extreme of them. With one run each there is but one way, and nothing is asked; with more
 * than twenty runs their standard error is asked.
 */
final class RunSpread {

    private static final int MAX_DEALT_OUT = 20; // a million ways

    private RunSpread() {
    }

    /**
     * @param level how large a share of the ways may be as extreme, if there are enough of them.
     */
    static boolean isExceeded(final double[] runsA, final double[] runsB, final double level) {
        final int count = runsA.length + runsB.length;
        if (count <= 2) {
            return true;
        }
        final double[] logs = new double[count];
        for (int run = 0; run < count; run++) {
            logs[run] = Math.log(Math.max(1, run < runsA.length ? runsA[run] : runsB[run - runsA.length]));
        }
        if (count > MAX_DEALT_OUT) {
            return isBeyondTheirError(Arrays.copyOf(logs, runsA.length),
                    Arrays.copyOfRange(logs, runsA.length, count));
        }
        final double seen = distance(logs, (1 << runsA.length) - 1);
        int ways = 0;
        int asExtreme = 0;
        for (int chosen = 0; chosen < 1 << count; chosen++) {
            if (Integer.bitCount(chosen) == runsA.length) {
                ways++;
                asExtreme += distance(logs, chosen) >= seen - 1e-12 ? 1 : 0;
            }
        }
        final int mirrored = runsA.length == runsB.length ? 2 : 1; // the same two sets with their names exchanged
        return asExtreme <= Math.max(mirrored, level * ways);
    }

    /** Whether the means differ by more than twice the standard error of their difference: about a chance of 5 %. */
    private static boolean isBeyondTheirError(final double[] logsA, final double[] logsB) {
        final double error = Math.sqrt(variance(logsA) / logsA.length + variance(logsB) / logsB.length);
        return Math.abs(mean(logsA) - mean(logsB)) > 2 * error;
    }

    private static double mean(final double[] values) {
        return Arrays.stream(values).sum() / values.length;
    }

    private static double variance(final double[] values) {
        final double mean = mean(values);
        return Arrays.stream(values).map(value -> (value - mean) * (value - mean)).sum()
                / Math.max(1, values.length - 1);
    }

    private static double distance(final double[] logs, final int chosen) {
        double sumA = 0;
        double sumB = 0;
        final int countA = Integer.bitCount(chosen);
        for (int run = 0; run < logs.length; run++) {
            if ((chosen >> run & 1) == 1) {
                sumA += logs[run];
            } else {
                sumB += logs[run];
            }
        }
        return Math.abs(sumA / countA - sumB / (logs.length - countA));
    }
}
