package io.tiercel.appliance.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.protocol.journal.Arithmetic;
import java.nio.ByteOrder;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

class OutputComparisonTest {

    private static final int RECORDED_OFFSET = 5;

    private final OutputComparison exact = new OutputComparison(Arithmetic.EXACT, Tolerance.NONE);
    private final OutputComparison near = new OutputComparison(Arithmetic.TOLERANCE, new Tolerance(0.5, 0));

    @Test
    void shouldCompareBitsWhenTheArithmeticIsExact() {
        assertEquals(OutputComparison.NONE, compare(exact, new float[] {1, Float.NaN}, new float[] {1, Float.NaN}));
        assertEquals(1, compare(exact, new float[] {1, 0f}, new float[] {1, -0f}));
        assertEquals(0, compare(exact, new float[] {1}, new float[] {Math.nextUp(1f)}));
        assertEquals(0, exact.largestDistance());
    }

    @Test
    void shouldFindTheFirstOutputBeyondTheTolerance() {
        assertEquals(OutputComparison.NONE, compare(near, new float[] {1, 2}, new float[] {1.25f, 1.5f}));
        assertEquals(0.5, near.largestDistance());
        assertEquals(2, compare(near, new float[] {1, 2, 3, 4}, new float[] {1, 2, 3.75f, 9}));
        assertEquals(0, compare(near, new float[] {1}, new float[] {Float.NaN}));
        assertEquals(0.5, near.largestDistance(), "what was refused does not count");
    }

    @Test
    void shouldKeepTheLargestDistanceOfWhatIsFinite() {
        assertEquals(OutputComparison.NONE, compare(near,
                new float[] {Float.NaN, Float.POSITIVE_INFINITY, 2},
                new float[] {Float.intBitsToFloat(0xFFC0_0001), Float.POSITIVE_INFINITY, 2.125f}));
        assertEquals(0.125, near.largestDistance());
    }

    private static int compare(final OutputComparison comparison, final float[] recorded, final float[] computed) {
        final int length = recorded.length * Float.BYTES;
        final UnsafeBuffer left = new UnsafeBuffer(new byte[RECORDED_OFFSET + length]);
        final UnsafeBuffer right = new UnsafeBuffer(new byte[length]);
        for (int i = 0; i < recorded.length; i++) {
            final int offset = i * Float.BYTES;
            left.putInt(RECORDED_OFFSET + offset, Float.floatToRawIntBits(recorded[i]), ByteOrder.LITTLE_ENDIAN);
            right.putInt(offset, Float.floatToRawIntBits(computed[i]), ByteOrder.LITTLE_ENDIAN);
        }
        return comparison.firstDifference(left, RECORDED_OFFSET, right, length);
    }
}
