package io.tiercel.ops.doctor;

import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * What a host takes from a thread that does nothing but read the clock: the times between two readings. The shortest
 * are the reading itself; whatever is longer is an interrupt, another process or the hypervisor.
 */
public final class HiccupMeter {

    private static final long HIGHEST_NS = 60_000_000_000L;
    private static final int SIGNIFICANT_DIGITS = 2;

    private HiccupMeter() {
    }

    /** Spins for so long on the calling thread; a histogram in nanoseconds. */
    public static Histogram measure(final NanoClock clock, final long durationNs) {
        final Histogram hiccups = new Histogram(HIGHEST_NS, SIGNIFICANT_DIGITS);
        final long startNs = clock.nanoTime();
        long lastNs = startNs;
        while (lastNs - startNs < durationNs) {
            final long nowNs = clock.nanoTime();
            hiccups.recordValue(Math.min(Math.max(nowNs - lastNs, 0), HIGHEST_NS));
            lastNs = nowNs;
        }
        return hiccups;
    }
}
