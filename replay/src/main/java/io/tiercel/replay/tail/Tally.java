package io.tiercel.replay.tail;

import java.util.BitSet;

/**
 * What every request owes to every cause, and of those that were chosen how much in all. A column a cause, made when
 * the cause is first met: most stretches know few.
 */
final class Tally {

    private final int requestCount;
    private final BitSet chosen = new BitSet();
    private final int[][] blamedNs = new int[Cause.COUNT][];
    private final long[] explainedNs = new long[Cause.COUNT];
    private final long[] inheritedNs = new long[Cause.COUNT];
    private final int[] requestCounts = new int[Cause.COUNT];

    Tally(final int requestCount, final int[] chosenIndices) {
        this.requestCount = requestCount;
        for (final int index : chosenIndices) {
            chosen.set(index);
        }
    }

    /** Takes what was found of a request. Stamps count from its arrival and end at 4.3 s, as an unsigned int does. */
    void add(final int index, final Blame blame) {
        for (final Cause cause : Cause.values()) {
            final long ns = blame.blamedNs(cause);
            if (ns > 0) {
                final int column = cause.ordinal();
                if (blamedNs[column] == null) {
                    blamedNs[column] = new int[requestCount];
                }
                blamedNs[column][index] = (int) Math.min(ns, Integer.toUnsignedLong(-1));
                if (chosen.get(index)) {
                    explainedNs[column] += ns;
                    inheritedNs[column] += blame.inheritedNs(cause);
                    requestCounts[column]++;
                }
            }
        }
    }

    long blamedNs(final Cause cause, final int index) {
        final int[] column = blamedNs[cause.ordinal()];
        return column == null ? 0 : Integer.toUnsignedLong(column[index]);
    }

    long explainedNs(final Cause cause) {
        return explainedNs[cause.ordinal()];
    }

    long inheritedNs(final Cause cause) {
        return inheritedNs[cause.ordinal()];
    }

    int requestCount(final Cause cause) {
        return requestCounts[cause.ordinal()];
    }
}
