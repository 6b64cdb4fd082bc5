package io.tiercel.tools.market;

import io.tiercel.tools.market.MarketFeed.Split;

/**
 * How many bits the next token costs those who know little: what a model has to be better than. Both baselines are
 * counted on the training part and scored on either, in bits an event: the mean of -log2 of the probability that the
 * token had.
 *
 * <pre>
 *   unigram   p(b)     = (n(b) + 1) / (n + V)
 *   bigram    p(b | a) = (n(a, b) + {@value #PRIOR_EVENTS} p(b)) / (n(a) + {@value #PRIOR_EVENTS})
 * </pre>
 *
 * @param eventCount  events of the part.
 * @param usedTokens  different tokens that are to be predicted in it.
 */
public record TokenEntropy(int eventCount, int usedTokens, double unigramBits, double bigramBits) {

    /** What a token's own successors have to outweigh: of 16 to 1,024, about the best within the training part. */
    static final int PRIOR_EVENTS = 128;

    /** Counts on {@link Split#TRAIN}, scores on {@code part}. */
    public static TokenEntropy of(final EventFeed feed, final Split part) {
        final int tokenCount = feed.vocabulary().tokenCount();
        final double[] unigrams = new double[tokenCount];
        final double[] firsts = new double[tokenCount];
        final double[] pairs = new double[tokenCount * tokenCount];
        for (int i = 0; i < feed.eventCount(); i++) {
            if (feed.split(i) == Split.TRAIN) {
                unigrams[feed.nextToken(i)]++;
                firsts[feed.token(i)]++;
                pairs[feed.token(i) * tokenCount + feed.nextToken(i)]++;
            }
        }
        final boolean[] used = new boolean[tokenCount];
        final double trainCount = feed.count(Split.TRAIN);
        double unigramBits = 0;
        double bigramBits = 0;
        int count = 0;
        int usedCount = 0;
        for (int i = 0; i < feed.eventCount(); i++) {
            if (feed.split(i) == part) {
                final int next = feed.nextToken(i);
                final double unigram = (unigrams[next] + 1) / (trainCount + tokenCount);
                final double pair = pairs[feed.token(i) * tokenCount + next];
                final double bigram = (pair + PRIOR_EVENTS * unigram) / (firsts[feed.token(i)] + PRIOR_EVENTS);
                unigramBits -= log2(unigram);
                bigramBits -= log2(bigram);
                count++;
                usedCount += used[next] ? 0 : 1;
                used[next] = true;
            }
        }
        final int divisor = Math.max(1, count);
        return new TokenEntropy(count, usedCount, unigramBits / divisor, bigramBits / divisor);
    }

    private static double log2(final double value) {
        return StrictMath.log(value) / StrictMath.log(2);
    }
}
