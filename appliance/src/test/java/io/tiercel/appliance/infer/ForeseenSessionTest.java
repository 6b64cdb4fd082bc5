package io.tiercel.appliance.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.agrona.UnsafeApi;
import org.junit.jupiter.api.Test;

class ForeseenSessionTest {

    private static final int OUTPUTS_LENGTH = 4096;
    private static final int STEPS = 4;
    private static final int OTHERS = 1000;
    private static final long DEADLINE_MS = 30_000;
    private static final long MARK = 0x1234_5678_9ABC_DEF0L;

    /** Outputs are known by their addresses: what holds the memory must not be collected. */
    @Test
    void shouldKeepTheMemoryOfItsStepsWhenGarbageIsCollected() throws InterruptedException {
        final ForeseenSession session = new ForeseenSession(STEPS, OUTPUTS_LENGTH, 64, false);
        for (final ForeseenSession.Step step : session.steps) {
            UnsafeApi.putLong(step.outputsAddress, MARK);
            UnsafeApi.putLong(step.outputsAddress + OUTPUTS_LENGTH - Long.BYTES, MARK);
        }
        final ReferenceQueue<Object> collected = new ReferenceQueue<>();
        final Reference<Object> garbage = new PhantomReference<>(new Object(), collected);
        System.gc();
        assertSame(garbage, collected.remove(DEADLINE_MS));
        final List<ByteBuffer> others = new ArrayList<>();
        for (int i = 0; i < OTHERS; i++) {
            others.add(ByteBuffer.allocateDirect(STEPS * OUTPUTS_LENGTH));
        }
        for (final ForeseenSession.Step step : session.steps) {
            assertEquals(MARK, UnsafeApi.getLong(step.outputsAddress));
            assertEquals(MARK, UnsafeApi.getLong(step.outputsAddress + OUTPUTS_LENGTH - Long.BYTES));
        }
        assertEquals(OTHERS, others.size());
    }
}
