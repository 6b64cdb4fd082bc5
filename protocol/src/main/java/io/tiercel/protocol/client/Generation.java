package io.tiercel.protocol.client;

import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.GenerateEncoder;

/**
 * How tokens are made: at most how many, which end it, and how each is chosen. Filled and used again as often as one
 * likes; {@link TiercelClient#generate} reads it and keeps nothing.
 */
public final class Generation {

    /** Of any one generation. */
    public static final int MAX_TOKENS = GenerateEncoder.maxTokensMaxValue();

    private static final int[] NONE = {};

    private int maxTokens = 1;
    private float temperature;
    private int topTokens;
    private long seed;
    private int[] stopTokens = NONE;

    public int maxTokens() {
        return maxTokens;
    }

    /** Tokens to make at most: 1, the default, to 65,534. */
    public Generation maxTokens(final int count) {
        if (count < 1 || count > MAX_TOKENS) {
            throw new IllegalArgumentException("maxTokens=" + count + " must be 1 to " + MAX_TOKENS);
        }
        maxTokens = count;
        return this;
    }

    public float temperature() {
        return temperature;
    }

    /** 0, the default: the likeliest token each time. Above: drawn, the flatter the higher; with a finite inverse. */
    public Generation temperature(final float value) {
        if (!Frames.isTemperature(value)) {
            throw new IllegalArgumentException("temperature=" + value + " must be 0, or above with a finite inverse");
        }
        temperature = value;
        return this;
    }

    public int topTokens() {
        return topTokens;
    }

    /** Likeliest tokens that are drawn from; 0, the default: all. */
    public Generation topTokens(final int count) {
        if (count < 0 || count > MAX_TOKENS) {
            throw new IllegalArgumentException("topTokens=" + count + " must be 0 to " + MAX_TOKENS);
        }
        topTokens = count;
        return this;
    }

    public long seed() {
        return seed;
    }

    /** Of the draws: with the same seed the same session makes the same tokens. */
    public Generation seed(final long value) {
        seed = value;
        return this;
    }

    /** The caller's own array. */
    int[] stopTokens() {
        return stopTokens;
    }

    /** Tokens that end it, being the last; at most 16. The array is not copied. */
    public Generation stopTokens(final int... tokens) {
        if (tokens.length > Frames.MAX_STOP_TOKENS) {
            throw new IllegalArgumentException("stopTokens.length=" + tokens.length + " must be at most " +
                    Frames.MAX_STOP_TOKENS);
        }
        stopTokens = tokens;
        return this;
    }
}
