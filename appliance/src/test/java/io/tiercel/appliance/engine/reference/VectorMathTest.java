package io.tiercel.appliance.engine.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VectorMathTest {

    private static final float[] SIZES = {0x1p-90f, 1e-20f, 1e-3f, 1, 37.5f, 1e10f, 1e30f};

    private final SplittableRandom random = new SplittableRandom(20261126);

    @Test
    void shouldBeNearDoublePrecisionWhenAVectorIsDividedByItsRootMeanSquare() {
        for (final float size : SIZES) {
            for (int count = 1; count < 300; count = count * 2 + 1) {
                final float[] vector = vector(count, size);
                final float[] weights = vector(count, 2);
                final float[] normed = new float[count];
                final float epsilon = random.nextBoolean() ? 1e-5f : 1e-12f;
                VectorMath.norm(vector, weights, epsilon, normed);
                double square = 0;
                for (final float value : vector) {
                    square += (double) value * value;
                }
                final double factor = 1 / Math.sqrt(square / count + epsilon);
                for (int i = 0; i < count; i++) {
                    // Each number of the sum is rounded to 1/65,534 of the largest.
                    assertEquals(vector[i] * factor * weights[i], normed[i],
                            5e-5 * Math.abs(vector[i] * factor * weights[i]) + Float.MIN_VALUE, "size=" + size);
                    assertTrue(Math.abs(normed[i]) <= Math.abs(weights[i]) * Math.sqrt(count) * 1.0001);
                }
            }
        }
    }

    @Test
    void shouldHaveZerosWhenAVectorIsNextToNothing() {
        for (final float value : new float[] {0, -0f, Float.MIN_VALUE, -Float.MIN_NORMAL, Math.nextDown(0x1p-100f)}) {
            final float[] vector = {value, -value, 0};
            final int[] quantised = {9, 9, 9};
            assertEquals(0, VectorMath.quantise(vector, 0, 3, 127, quantised));
            assertArrayEquals(new int[3], quantised);
            final float[] normed = new float[3];
            VectorMath.norm(vector, new float[] {1, 1, 1}, Float.MIN_VALUE, normed);
            for (final float element : normed) {
                assertTrue(Math.abs(element) <= 1e-7f, "value=" + value + " element=" + element);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {127, 32_767})
    void shouldKeepToTheMaximumWhenAVectorIsQuantised(final int maximum) {
        for (int i = 0; i < 20_000; i++) {
            final int count = 1 + random.nextInt(40);
            final float size = i < SIZES.length ? SIZES[i] : (float) Math.scalb(1.0, random.nextInt(-90, 100));
            final float[] vector = vector(count + 3, size);
            final int[] quantised = new int[count];
            final float scale = VectorMath.quantise(vector, 3, count, maximum, quantised);
            final float largest = VectorMath.largestMagnitude(vector, 3, count);
            int most = 0;
            for (int k = 0; k < count; k++) {
                most = Math.max(most, Math.abs(quantised[k]));
                assertEquals(vector[3 + k], quantised[k] * (double) scale, 0.505 * scale, "largest=" + largest);
            }
            assertEquals(maximum, most, "largest=" + largest);
            assertEquals(largest / maximum, scale);
        }
    }

    /** The largest becomes the maximum, neither more nor less, whatever its last bits are. */
    @Test
    void shouldReachTheMaximumWhateverTheLargestIs() {
        final int[] quantised = new int[1];
        for (int bits = Float.floatToIntBits(1f); bits < Float.floatToIntBits(2f); bits += 7) {
            for (final int maximum : new int[] {127, 32_767}) {
                VectorMath.quantise(new float[] {-Float.intBitsToFloat(bits)}, 0, 1, maximum, quantised);
                assertEquals(-maximum, quantised[0]);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8, 64, 256})
    void shouldComeBackWhenAButterflyIsDoneTwice(final int count) {
        final float scale = (float) (1 / Math.sqrt(count));
        final float[] vector = vector(count + 2, 3);
        final float[] turned = vector.clone();
        VectorMath.hadamard(turned, 1, count, scale);
        assertEquals(length(vector, count), length(turned, count), 1e-5 * length(vector, count));
        assertTrue(!Arrays.equals(vector, turned));
        VectorMath.hadamard(turned, 1, count, scale);
        assertArrayEquals(vector, turned, 3e-6f);
        assertEquals(vector[0], turned[0]);
        assertEquals(vector[count + 1], turned[count + 1]);
    }

    @Test
    void shouldKeepThePairsLengthWhenTheyAreTurned() {
        final float[] vector = vector(10, 1);
        final float[] turned = vector.clone();
        final float[] cosines = {(float) Math.cos(1), (float) Math.cos(2), 1, 0};
        final float[] sines = {(float) Math.sin(1), (float) Math.sin(2), 0, 1};
        VectorMath.rotate(turned, 1, cosines, sines, 4);
        for (int pair = 0; pair < 4; pair++) {
            assertEquals(Math.hypot(vector[1 + pair], vector[5 + pair]), Math.hypot(turned[1 + pair],
                    turned[5 + pair]), 1e-6);
        }
        assertEquals(vector[3], turned[3]);
        assertEquals(-vector[8], turned[4]);
        assertEquals(vector[4], turned[8]);
    }

    private static double length(final float[] vector, final int count) {
        double square = 0;
        for (int i = 1; i <= count; i++) {
            square += (double) vector[i] * vector[i];
        }
        return Math.sqrt(square);
    }

    private float[] vector(final int count, final float size) {
        final float[] vector = new float[count];
        for (int i = 0; i < count; i++) {
            vector[i] = (float) random.nextDouble(-1, 1) * size;
        }
        return vector;
    }
}
