package io.tiercel.appliance.engine.exact;

/**
 * The float formulas of the exact arithmetic: fp32 multiply, add and one divide in the order written, no branches, no
 * casts in the loops that need to be fast. The coefficients and the errors stated are from
 * {@code tools/training/fit_activations.py}, which tried every float.
 */
public final class Elementwise {

    /** Beyond it tanh is held: 1 - tanh(8) is 2.3e-7. */
    public static final float TANH_LIMIT = 8f;

    private static final float P1 = 0x1.1363eap-3f;
    private static final float P2 = 0x1.d47dep-9f;
    private static final float P3 = 0x1.70136ep-16f;
    private static final float P4 = 0x1.06b858p-26f;
    private static final float Q1 = 0x1.df0748p-2f;
    private static final float Q2 = 0x1.acd9p-6f;
    private static final float Q3 = 0x1.6629c4p-12f;
    private static final float Q4 = 0x1.cae5e2p-21f;

    private static final float R1 = 0x1.62e43p-1f;
    private static final float R2 = 0x1.ebfbdcp-3f;
    private static final float R3 = 0x1.c6aee8p-5f;
    private static final float R4 = 0x1.3b2d4cp-7f;
    private static final float R5 = 0x1.5f3e54p-10f;
    private static final float R6 = 0x1.41fbbcp-13f;

    /** 1.5 x 2^23: a float of this size has a unit in the last place of 1, so adding it rounds to an integer. */
    private static final float ROUND = 0x1.8p23f;
    private static final int ROUND_BITS = 0x4B400000;

    private Elementwise() {
    }

    /**
     * x P(x²) / Q(x²) of x held to ±8, each by Horner. Odd to the bit, within ±1; error at most 3.7e-7 absolute and
     * relative; where it falls with rising x (rounding), by at most 6.6e-7.
     */
    public static float tanh(final float value) {
        final float x = Math.max(-TANH_LIMIT, Math.min(TANH_LIMIT, value));
        final float y = x * x;
        final float p = (((P4 * y + P3) * y + P2) * y + P1) * y + 1f;
        final float q = (((Q4 * y + Q3) * y + Q2) * y + Q1) * y + 1f;
        return (x * p) / q;
    }

    /** 0.5 tanh(0.5 x) + 0.5. In 0..1; error at most 2.1e-7 absolute. */
    public static float sigmoid(final float value) {
        return 0.5f * tanh(0.5f * value) + 0.5f;
    }

    public static void tanh(final float[] values, final int from, final int to) {
        for (int i = from; i < to; i++) {
            values[i] = tanh(values[i]);
        }
    }

    public static void sigmoid(final float[] values, final int from, final int to) {
        for (int i = from; i < to; i++) {
            values[i] = sigmoid(values[i]);
        }
    }

    /**
     * 2^x for x in -126..0: n = rint(x), a polynomial of f = x - n in -0.5..0.5 by Horner with 2^0 = 1 exactly, times
     * 2^n, which is exact. Relative error at most 1.1e-7.
     */
    public static float exp2(final float x) {
        final int n = rint(x);
        final float f = x - n;
        final float fraction = (((((R6 * f + R5) * f + R4) * f + R3) * f + R2) * f + R1) * f + 1f;
        return fraction * Float.intBitsToFloat((n + 127) << 23);
    }

    /**
     * The nearest integer, ties to even, of a value within ±2^22: what {@code (int) Math.rint(value)} and a CPU's or
     * GPU's {@code rint} give.
     */
    public static int rint(final float value) {
        return Float.floatToRawIntBits(value + ROUND) - ROUND_BITS;
    }

    /** Quantises {@code count} values: rint of value x inverse scale, held to ±maximum before it is rounded. */
    public static void quantise(
            final float[] values, final float inverseScale, final float maximum, final int[] quantised,
            final int count) {
        for (int i = 0; i < count; i++) {
            quantised[i] = rint(Math.max(-maximum, Math.min(maximum, values[i] * inverseScale)));
        }
    }
}
