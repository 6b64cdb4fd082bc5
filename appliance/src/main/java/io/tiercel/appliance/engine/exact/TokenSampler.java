package io.tiercel.appliance.engine.exact;

/**
 * Chooses the next token: the likeliest, or one drawn by its probability. A draw is a function of the logits, a seed
 * and a counter, over integers, so it is the same on every machine. One thread; allocates in its constructor only.
 *
 * <p>Of a temperature T above zero: softmax's integers of {@code logit * (1 / T)}, of the {@code top} likeliest tokens
 * if that is above zero, ties by the lower token; then the first token at which their running sum passes the high half
 * of {@code bits * sum}, bits being {@link Philox}'s for the seed and the counter.
 */
public final class TokenSampler {

    private final int vocabularySize;
    private final float[] scaled;
    private final int[] terms;

    public TokenSampler(final int vocabularySize) {
        this.vocabularySize = vocabularySize;
        scaled = new float[vocabularySize];
        terms = new int[vocabularySize];
    }

    /** The token with the largest logit, of equals the lowest. */
    public int likeliest(final float[] logits) {
        int best = 0;
        for (int i = 1; i < vocabularySize; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    /**
     * A token drawn.
     *
     * @param temperature 0 for {@link #likeliest}; otherwise above zero with a finite inverse.
     * @param top         tokens to draw from, 0 for all.
     * @param counter     another one for each draw of a seed: the token's position.
     */
    public int draw(final float[] logits, final float temperature, final int top, final long seed, final long counter) {
        if (temperature == 0) {
            return likeliest(logits);
        }
        final float inverse = 1 / temperature;
        for (int i = 0; i < vocabularySize; i++) {
            scaled[i] = logits[i] * inverse;
        }
        Softmax.terms(scaled, terms, vocabularySize);
        if (top > 0 && top < vocabularySize) {
            keepLargest(top);
        }
        long sum = 0;
        for (int i = 0; i < vocabularySize; i++) {
            sum += terms[i];
        }
        final long threshold = unsignedHigh(Philox.bits(seed, counter), sum);
        long running = 0;
        int token = -1;
        while (running <= threshold) {
            running += terms[++token];
        }
        return token;
    }

    /** The probability of a token among all, as {@link Softmax} has it. */
    public float probability(final float[] logits, final int token) {
        final long sum = Softmax.terms(logits, terms, vocabularySize);
        return (float) ((double) terms[token] / (double) sum);
    }

    /** Sets the terms of all but the largest logits to zero. */
    private void keepLargest(final int count) {
        float limit = Float.POSITIVE_INFINITY;
        int kept = 0;
        while (kept < count) {
            float next = Float.NEGATIVE_INFINITY;
            int equals = 0;
            for (int i = 0; i < vocabularySize; i++) {
                if (scaled[i] < limit && scaled[i] >= next) {
                    equals = scaled[i] == next ? equals + 1 : 1;
                    next = scaled[i];
                }
            }
            limit = next;
            kept += equals;
        }
        int surplus = kept - count;
        for (int i = vocabularySize - 1; i >= 0; i--) {
            if (scaled[i] < limit || scaled[i] == limit && surplus-- > 0) {
                terms[i] = 0;
            }
        }
    }

    /** The high 64 bits of an unsigned number's product with one that is not negative. */
    private static long unsignedHigh(final long unsigned, final long factor) {
        return Math.multiplyHigh(unsigned, factor) + (unsigned >> 63 & factor);
    }
}
