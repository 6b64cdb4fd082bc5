package io.tiercel.replay.whatif;

/**
 * How good answers were, against what was known afterwards: labels of classes, of values, or the token that came next.
 * Sums are of integers, so they do not depend on who added what first. One thread.
 */
public final class Quality {

    /** A probability below this counts as this in the logarithm, so that one certain mistake is not infinite. */
    private static final double LEAST_PROBABILITY = 1e-9;
    private static final double UNIT = 1e-9;

    private final long[] labelCounts;
    private final long[] hitCounts;
    private long count;
    private long hits;
    private long logLossSum;
    private long errorSum;

    /** @param classCount 0 if what is told is no class, or there are too many to tell them apart. */
    Quality(final int classCount) {
        labelCounts = new long[classCount];
        hitCounts = new long[classCount];
    }

    void addClass(final int label, final int decision, final double probability) {
        labelCounts[label]++;
        hitCounts[label] += label == decision ? 1 : 0;
        addLogLoss(label == decision, -StrictMath.log(Math.max(probability, LEAST_PROBABILITY)));
    }

    /** @param loss negative natural logarithm of the probability that the token had. */
    void addToken(final boolean isHit, final double loss) {
        addLogLoss(isHit, loss);
    }

    void addValue(final double label, final double value) {
        count++;
        errorSum += Math.round(Math.abs(label - value) / UNIT);
    }

    private void addLogLoss(final boolean isHit, final double loss) {
        count++;
        hits += isHit ? 1 : 0;
        logLossSum += Math.round(loss / UNIT);
    }

    void add(final Quality other) {
        for (int i = 0; i < labelCounts.length; i++) {
            labelCounts[i] += other.labelCounts[i];
            hitCounts[i] += other.hitCounts[i];
        }
        count += other.count;
        hits += other.hits;
        logLossSum += other.logLossSum;
        errorSum += other.errorSum;
    }

    /** Answers that something was known of. */
    public long count() {
        return count;
    }

    /** Share of answers whose likeliest class or token it was. */
    public double accuracy() {
        return ratio(hits, count);
    }

    /** Mean over the classes seen of the share of each that was found. */
    public double balancedAccuracy() {
        double sum = 0;
        int seen = 0;
        for (int i = 0; i < labelCounts.length; i++) {
            if (labelCounts[i] > 0) {
                sum += ratio(hitCounts[i], labelCounts[i]);
                seen++;
            }
        }
        return seen == 0 ? Double.NaN : sum / seen;
    }

    /** Mean negative natural logarithm of the probability that it had. */
    public double crossEntropy() {
        return ratio(logLossSum, count) * UNIT;
    }

    /** The inverse geometric mean of the probability that it had. */
    public double perplexity() {
        return Math.exp(crossEntropy());
    }

    /** Mean absolute error. */
    public double meanError() {
        return ratio(errorSum, count) * UNIT;
    }

    private static double ratio(final long part, final long whole) {
        return whole == 0 ? Double.NaN : (double) part / whole;
    }
}
