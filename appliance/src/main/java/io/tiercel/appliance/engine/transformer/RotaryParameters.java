package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;

/**
 * Rotary position embedding (RoPE; Su et al., RoFormer, 2021) for positions without an end: the angle of a pair of
 * channels is a 64-bit fraction of a circle that grows by a whole number at each position and wraps around, so it is
 * exact at any position. Immutable, any thread.
 *
 * <p>Tensors: {@code rotary.steps} I64 [d/2], unsigned, in units of 2^-64 circles; {@code rotary.circle} F32 [256, 2],
 * cosine and sine of the angles j/256 circle. The angle is the nearest entry's and a rest of at most 1/512 circle,
 * whose cosine and sine are short polynomials:
 * <pre>
 *   phase = position * step[i] mod 2^64       j = (phase + 2^55) >>> 56       rest = phase - (j &lt;&lt; 56), signed
 *   a     = (float) (rest >> 32) * 0x1.921fb6p-30f                            2 pi / 2^32 radians
 *   s     = a * a
 *   c1    = (s * 0x1.555556p-5f - 0.5f) * s + 1                               cosine of the rest
 *   s1    = ((s * 0x1.111112p-7f - 0x1.555556p-3f) * s + 1) * a               sine of the rest
 *   cos   = circle[j].cos * c1 - circle[j].sin * s1
 *   sin   = circle[j].sin * c1 + circle[j].cos * s1
 * </pre>
 * Within 3e-7 of the true values, for any position.
 */
public final class RotaryParameters {

    /** Entries of the table around the circle. */
    public static final int CIRCLE = 256;

    private static final float RADIANS = 0x1.921fb6p-30f;

    private final long[] steps;
    private final float[] circle;

    private RotaryParameters(final Bundle bundle, final int pairs) {
        steps = bundle.longs("rotary.steps", pairs);
        circle = bundle.floats("rotary.circle", CIRCLE, 2);
        for (int i = 0; i < circle.length; i++) {
            if (Math.abs(circle[i]) > 1) {
                throw new BundleException(bundle.path() +
                        ": tensor=rotary.circle index=" + i + " value=" + circle[i] + " is not within ±1");
            }
        }
    }

    static RotaryParameters read(final Bundle bundle, final int headSize) {
        return new RotaryParameters(bundle, headSize / 2);
    }

    /** [d/2]. */
    public long[] steps() {
        return steps;
    }

    /** [256][cosine, sine]. */
    public float[] circle() {
        return circle;
    }

    /** Writes the cosines and sines of all pairs at a position: [d/2] each. */
    public void angles(final long position, final float[] cosines, final float[] sines) {
        for (int pair = 0; pair < steps.length; pair++) {
            final long phase = position * steps[pair];
            final int entry = (int) (phase + (1L << 55) >>> 56);
            final float angle = (float) (int) (phase - ((long) entry << 56) >> 32) * RADIANS;
            final float square = angle * angle;
            final float cosineOfRest = (square * 0x1.555556p-5f - 0.5f) * square + 1f;
            final float sineOfRest = ((square * 0x1.111112p-7f - 0x1.555556p-3f) * square + 1f) * angle;
            final float cosine = circle[2 * entry];
            final float sine = circle[2 * entry + 1];
            cosines[pair] = cosine * cosineOfRest - sine * sineOfRest;
            sines[pair] = sine * cosineOfRest + cosine * sineOfRest;
        }
    }
}
