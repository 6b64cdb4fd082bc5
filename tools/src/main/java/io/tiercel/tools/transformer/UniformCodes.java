package io.tiercel.tools.transformer;

/**
 * The uniform codes that calibration's tokens have in one layer: a channel's stands for {@code mean + level step}.
 * Arrays are not to be changed.
 *
 * @param means  [K d].
 * @param steps  [K d].
 * @param levels [tokens][K d], odd, 2 c - (n - 1) for code c of n.
 */
record UniformCodes(float[] means, float[] steps, byte[][] levels) {

    UniformCodes withSteps(final float[] others) {
        return new UniformCodes(means, others, levels);
    }
}
