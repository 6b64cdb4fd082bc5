package io.tiercel.appliance.engine.exact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The bounds that the javadoc states, over a dense sample of the floats; the fitting script tries every one. */
class ElementwiseTest {

    private static final int STRIDE = 499;

    @Test
    void shouldKeepToTheStatedErrorWhenTanhIsTaken() {
        float largest = 0;
        for (int bits = 0; bits < Float.floatToIntBits(100f); bits += STRIDE) {
            final float x = Float.intBitsToFloat(bits);
            final float value = Elementwise.tanh(x);
            final double error = Math.abs(value - Math.tanh(x));
            assertTrue(error <= 3.7e-7 && error <= 3.7e-7 * Math.tanh(x) + Float.MIN_VALUE, () -> "x=" + x);
            assertTrue(value <= 1, () -> "x=" + x);
            assertTrue(value >= largest - 6.6e-7f, () -> "x=" + x);
            assertEquals(Float.floatToIntBits(-value), Float.floatToIntBits(Elementwise.tanh(-x)), () -> "x=" + x);
            largest = Math.max(largest, value);
        }
    }

    @Test
    void shouldKeepToTheStatedErrorWhenSigmoidIsTaken() {
        for (int bits = 0; bits < Float.floatToIntBits(100f); bits += STRIDE) {
            for (int sign = -1; sign <= 1; sign += 2) {
                final float x = sign * Float.intBitsToFloat(bits);
                final float value = Elementwise.sigmoid(x);
                assertEquals(1 / (1 + Math.exp(-(double) x)), value, 2.1e-7, () -> "x=" + x);
                assertTrue(value >= 0 && value <= 1, () -> "x=" + x);
                assertEquals(1, value + Elementwise.sigmoid(-x), 1.2e-7, () -> "x=" + x);
            }
        }
    }

    @Test
    void shouldKeepToTheStatedErrorWhenExp2IsTaken() {
        for (int bits = 0; bits < Float.floatToIntBits(126f); bits += STRIDE) {
            final float x = -Float.intBitsToFloat(bits);
            final double exact = Math.pow(2, x);
            assertEquals(exact, Elementwise.exp2(x), 1.1e-7 * exact, () -> "x=" + x);
        }
        assertEquals(1f, Elementwise.exp2(0f));
        assertEquals(0x1p-64f, Elementwise.exp2(-64f));
    }

    @Test
    void shouldRoundTiesToEvenAsRintDoesWhenRounding() {
        for (int bits = 0; bits <= Float.floatToIntBits(0x1p22f); bits += STRIDE) {
            assertRint(Float.intBitsToFloat(bits));
        }
        for (int half = -80_000; half <= 80_000; half++) {
            assertRint(half / 2f);
            assertRint(Math.nextUp(half / 2f));
            assertRint(Math.nextDown(half / 2f));
        }
    }

    @Test
    void shouldStayFiniteWhenGatesAreFarOut() {
        for (final float x : new float[] {1e30f, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
            assertEquals(Elementwise.tanh(8f), Elementwise.tanh(x));
            assertEquals(Elementwise.tanh(-8f), Elementwise.tanh(-x));
        }
    }

    @Test
    void shouldHoldToTheMaximumWhenQuantising() {
        final int[] quantised = new int[6];
        Elementwise.quantise(new float[] {1e30f, -1e30f, 0.5f, 1.5f, -2.5f, Float.POSITIVE_INFINITY}, 1f, 127f,
                quantised, 6);
        assertEquals("[127, -127, 0, 2, -2, 127]", Arrays.toString(quantised));
    }

    private static void assertRint(final float value) {
        assertEquals((int) Math.rint(value), Elementwise.rint(value), () -> "value=" + value);
        assertEquals((int) Math.rint(-value), Elementwise.rint(-value), () -> "value=" + value);
    }
}
