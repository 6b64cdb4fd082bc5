package io.tiercel.appliance;

import org.agrona.concurrent.CachedNanoClock;
import org.agrona.concurrent.EpochNanoClock;

/**
 * The two clocks of a simulated machine. The ticks go on from life to life and never back; the wall clock goes with
 * them, and may be set.
 */
final class SimulatedTime {

    private static final long FIRST_TICK_NS = 1_000_000_000L;
    private static final long EPOCH_OFFSET_NS = 1_700_000_000_000_000_000L;

    private final CachedNanoClock ticks = new CachedNanoClock();
    private long epochOffsetNs = EPOCH_OFFSET_NS;

    SimulatedTime() {
        ticks.update(FIRST_TICK_NS);
    }

    CachedNanoClock ticks() {
        return ticks;
    }

    EpochNanoClock wall() {
        return () -> ticks.nanoTime() + epochOffsetNs;
    }

    void pass(final long durationNs) {
        ticks.update(ticks.nanoTime() + durationNs);
    }

    /** Somebody sets the wall clock. */
    void setWall(final long byNs) {
        epochOffsetNs += byNs;
    }
}
