package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.exact.TokenSampler;

/**
 * How tokens are chosen; see {@link TokenSampler}. Immutable.
 *
 * @param temperature 0 for the likeliest token each time.
 * @param top         tokens to draw from, 0 for all.
 */
record Sampling(float temperature, int top, long seed) {

    /** Whether tokens can be drawn with it. */
    static boolean isTemperature(final float value) {
        return value == 0 || value > 0 && Float.isFinite(value) && Float.isFinite(1 / value);
    }

    boolean isGreedy() {
        return temperature == 0;
    }

    int draw(final TokenSampler sampler, final float[] logits, final long counter) {
        return sampler.draw(logits, temperature, top, seed, counter);
    }
}
