package io.tiercel.replay.compare;

/**
 * Whether two sets of several runs differ by more than their runs differ among themselves. Blocks of one run have that
 * run in common (where its memory lies, what else the machine did), which shuffling blocks cannot see. So all ways to
 * deal the runs out to two sets of these sizes are tried; with few runs there are few ways, and what is asked is that
 * the one seen is the most extreme of them. With one run each there is but one way, and nothing is asked.
 */
final class RunSpread {

    private RunSpread() {
    }

    /**
     * @param level how large a share of the ways may be as extreme, if there are enough of them.
     */
    static boolean isExceeded(final double[] runsA, final double[] runsB, final double level) {
        final int count = runsA.length + runsB.length;
        if (count <= 2 || count > 20) {
            return true; // one way, or so many that blocks say enough
        }
        final double[] logs = new double[count];
        for (int run = 0; run < count; run++) {
            logs[run] = Math.log(Math.max(1, run < runsA.length ? runsA[run] : runsB[run - runsA.length]));
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
