package io.tiercel.appliance.cycle;

import org.agrona.concurrent.NanoClock;

/**
 * One thread's view of the time: its last reading, which costs nothing, and a new one, which costs some 20 ns. A
 * stage that ends with a reading leaves it as the beginning of the next stage on the same thread, so a request on one
 * thread costs a reading after the journal, one after compute and one after the response has left. Used by that one
 * thread alone.
 */
public final class CycleClock implements NanoClock {

    private final NanoClock source;
    private long nowNs;

    public CycleClock(final NanoClock source) {
        this.source = source;
        nowNs = source.nanoTime();
    }

    /** The last reading: made at the beginning of the round, or later in it. */
    @Override
    public long nanoTime() {
        return nowNs;
    }

    /** A new reading. */
    public long read() {
        nowNs = source.nanoTime();
        return nowNs;
    }
}
