package io.tiercel.appliance.engine.exact;

/**
 * Softmax with an integer denominator: each {@code e = rint(2^30 * exp2(hold((y - max) * log2(e), >= -64)))} is an
 * integer in 0..2^30, so their sum is exact in any order; {@code p = (float) ((double) e / (double) sum)}.
 */
public final class Softmax {

    private static final float LOG2_E = 0x1.715476p0f;
    private static final float LOWEST = -64f;
    private static final float ONE = 0x1p30f;

    private Softmax() {
    }

    /** In place; {@code terms} is scratch of at least {@code count}. */
    public static void apply(final float[] values, final int[] terms, final int count) {
        final long sum = terms(values, terms, count);
        for (int i = 0; i < count; i++) {
            values[i] = (float) ((double) terms[i] / (double) sum);
        }
    }

    /** The integers of a softmax, each in 0..2^30; returns their sum. */
    static long terms(final float[] values, final int[] terms, final int count) {
        float maximum = values[0];
        for (int i = 1; i < count; i++) {
            maximum = Math.max(maximum, values[i]);
        }
        long sum = 0;
        for (int i = 0; i < count; i++) {
            final float exponent = Math.max(LOWEST, (values[i] - maximum) * LOG2_E);
            terms[i] = (int) Math.rint(Elementwise.exp2(exponent) * ONE);
            sum += terms[i];
        }
        return sum;
    }
}
