package io.tiercel.tools.decode;

import org.HdrHistogram.Histogram;

/**
 * One text and what it took. The first token belongs to the prompt, whose last logits it is taken from; those behind it
 * are decoded.
 *
 * @param text         without the prompt, and without the blank that the vocabulary sets at a text's beginning.
 * @param decodedCount tokens behind the first.
 * @param promptNs     from the call to the first token, as far as that can be told.
 * @param decodeNs     from the first token to the last, likewise.
 * @param tokenNs      ns between a token and the one before, {@code decodedCount} times, or fewer where several tokens
 *                     make one character; empty where only the whole is known.
 * @param answerNs     ns from a step's begin until its token is known, without what follows before the next one; empty
 *                     where that is all one.
 * @param textEnds     characters of the text up to each token, from the first on; empty where that is not known.
 */
record DecodeRun(
        String text, int decodedCount, long promptNs, long decodeNs, Histogram tokenNs, Histogram answerNs,
        int[] textEnds) {

    private static final long MAX_NS = 60_000_000_000L;
    private static final int DIGITS = 3;
    private static final double NS_PER_SECOND = 1e9;

    /** Of a contender of which no more is known. */
    DecodeRun(
            final String text, final int decodedCount, final long promptNs, final long decodeNs,
            final Histogram tokenNs) {
        this(text, decodedCount, promptNs, decodeNs, tokenNs, newHistogram(), new int[0]);
    }

    /** Takes any number of ns that {@link #record} gives it, to three digits. */
    static Histogram newHistogram() {
        return new Histogram(MAX_NS, DIGITS);
    }

    /** A longer time counts as a minute, so that none is dropped. */
    static void record(final Histogram tokenNs, final long ns) {
        tokenNs.recordValue(Math.min(MAX_NS, ns));
    }

    double tokensPerSecond() {
        return decodedCount * NS_PER_SECOND / decodeNs;
    }
}
