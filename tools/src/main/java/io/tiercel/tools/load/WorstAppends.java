package io.tiercel.tools.load;

/** The few longest appends of a run, with when they began. One thread; allocates nothing after construction. */
final class WorstAppends {

    private final long[] durationNs;
    private final long[] atNs;

    WorstAppends(final int count) {
        durationNs = new long[count];
        atNs = new long[count];
    }

    void record(final long beganNs, final long tookNs) {
        if (tookNs <= durationNs[durationNs.length - 1]) {
            return;
        }
        int i = durationNs.length - 1;
        while (i > 0 && durationNs[i - 1] < tookNs) {
            durationNs[i] = durationNs[i - 1];
            atNs[i] = atNs[i - 1];
            i--;
        }
        durationNs[i] = tookNs;
        atNs[i] = beganNs;
    }

    int count() {
        return durationNs.length;
    }

    /** The {@code index}-th longest. */
    long durationNs(final int index) {
        return durationNs[index];
    }

    long atNs(final int index) {
        return atNs[index];
    }
}
