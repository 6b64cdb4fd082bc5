package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class HiccupRecorderTest {

    private static final long MS = 1_000_000;

    private final HiccupRecorder hiccups = new HiccupRecorder();

    @Test
    void shouldWeighAGapByTheRequestsThatItWouldDelay() {
        long nowNs = -50 * MS; // System.nanoTime may be negative
        for (int i = 0; i < 900_000; i++) {
            hiccups.onIdleTurn(nowNs, nowNs += 100);
        }
        hiccups.onIdleTurn(nowNs, nowNs += 10 * MS);

        assertEquals(10_000, hiccups.histogram().getTotalCount(), 2, "a tick each 10 µs of 100 ms");
        assertEquals(1, hiccups.longGapCount());
        assertEquals(10 * MS, hiccups.longestGapNs());
        assertTrue(hiccups.histogram().getValueAtPercentile(89) <= 100);
        assertEquals(5.0 * MS, hiccups.histogram().getValueAtPercentile(95), 0.1 * MS);
    }

    @Test
    void shouldNotBlameTheMachineForTurnsThatDidSomething() {
        hiccups.onIdleTurn(0, 100);
        hiccups.onIdleTurn(50 * MS, 50 * MS + 20_000); // 50 ms of work before it
        assertTrue(hiccups.histogram().getMaxValue() <= 20_000 + 100);
        assertTrue(hiccups.histogram().getTotalCount() <= 3);
        assertEquals(0, hiccups.longGapCount());
    }

    @Test
    void shouldForgetEverythingWhenReset() {
        hiccups.onIdleTurn(0, 5 * MS);
        hiccups.reset();
        assertEquals(0, hiccups.histogram().getTotalCount());
        assertEquals(0, hiccups.longGapCount());
        assertTrue(hiccups.toString().startsWith("0 stalls"), hiccups.toString());
    }
}
