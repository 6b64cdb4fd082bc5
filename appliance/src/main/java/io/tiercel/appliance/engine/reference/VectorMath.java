package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.exact.Elementwise;
import java.util.Arrays;

/** The vector formulas of the {@code transformer} family; every sum is over integers. */
final class VectorMath {

    /** A vector whose largest magnitude is below this counts as zeros: its inverse could be infinite. */
    static final float SMALLEST = 0x1p-100f;

    private static final int NORM_MAXIMUM = 32_767;

    private VectorMath() {
    }

    static float largestMagnitude(final float[] vector, final int from, final int count) {
        float largest = 0;
        for (int i = from; i < from + count; i++) {
            largest = Math.max(largest, Math.abs(vector[i]));
        }
        return largest;
    }

    /**
     * Quantises with the vector's own scale: {@code scale = m / maximum}, {@code q = rint(v * (maximum / m))}, m being
     * the largest magnitude. Returns the scale; 0, and zeros, for a vector of next to nothing.
     */
    static float quantise(
            final float[] vector, final int from, final int count, final int maximum, final int[] quantised) {
        final float largest = largestMagnitude(vector, from, count);
        if (largest < SMALLEST) {
            Arrays.fill(quantised, 0, count, 0);
            return 0;
        }
        final float inverse = maximum / largest;
        for (int i = 0; i < count; i++) {
            quantised[i] = Elementwise.rint(vector[from + i] * inverse);
        }
        return largest / maximum;
    }

    /**
     * Root mean square norm (Zhang, Sennrich, 2019): {@code n = (v * r) * weight}, {@code r = 1 / sqrt(mean square +
     * epsilon)}. The squares are summed over integers: of v in units of its largest magnitude / 32,767.
     */
    static void norm(final float[] vector, final float[] weights, final float epsilon, final float[] normed) {
        final int count = weights.length;
        final float largest = largestMagnitude(vector, 0, count);
        double meanSquare = 0;
        if (largest >= SMALLEST) {
            final float inverse = NORM_MAXIMUM / largest;
            long sum = 0;
            for (int i = 0; i < count; i++) {
                final int q = Elementwise.rint(vector[i] * inverse);
                sum += (long) q * q;
            }
            final double unit = (double) largest / NORM_MAXIMUM;
            meanSquare = (double) sum * (unit * unit) / count;
        }
        final float factor = (float) (1 / Math.sqrt(meanSquare + epsilon));
        for (int i = 0; i < count; i++) {
            normed[i] = vector[i] * factor * weights[i];
        }
    }

    /** Turns each pair of channels, i and i + d/2 of a head, by its angle. */
    static void rotate(
            final float[] vector, final int from, final float[] cosines, final float[] sines, final int pairs) {
        for (int pair = 0; pair < pairs; pair++) {
            final float first = vector[from + pair];
            final float second = vector[from + pair + pairs];
            vector[from + pair] = first * cosines[pair] - second * sines[pair];
            vector[from + pair + pairs] = first * sines[pair] + second * cosines[pair];
        }
    }

    /**
     * Walsh-Hadamard transform of {@code count} channels, a power of two, times {@code scale}: for stride 1, 2, 4, …
     * each two that stride apart become their sum and their difference.
     */
    static void hadamard(final float[] vector, final int from, final int count, final float scale) {
        for (int stride = 1; stride < count; stride *= 2) {
            for (int i = 0; i < count; i++) {
                if ((i & stride) == 0) {
                    final float first = vector[from + i];
                    final float second = vector[from + i + stride];
                    vector[from + i] = first + second;
                    vector[from + i + stride] = first - second;
                }
            }
        }
        for (int i = from; i < from + count; i++) {
            vector[i] *= scale;
        }
    }
}
