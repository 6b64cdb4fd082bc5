package io.tiercel.tools.market;

/**
 * How good class probabilities were, against the labels that came out. For one thread; allocates nothing after
 * construction.
 */
public final class PredictionScore {

    /** A probability below this counts as this in the logarithm, so that one certain mistake is not infinite. */
    private static final double LEAST_PROBABILITY = 1e-9;

    private final long[] labelCounts;
    private final long[] hitCounts;
    private long count;
    private double logLossSum;

    public PredictionScore(final int classCount) {
        labelCounts = new long[classCount];
        hitCounts = new long[classCount];
    }

    /** Ties go to the lower class. */
    public static int argMax(final float[] scores, final int classCount) {
        int best = 0;
        for (int i = 1; i < classCount; i++) {
            best = scores[i] > scores[best] ? i : best;
        }
        return best;
    }

    /** Takes one prediction; a label below 0 ({@link Labels#NONE}) is not counted. */
    public void add(final int label, final float[] probabilities) {
        if (label < 0) {
            return;
        }
        count++;
        labelCounts[label]++;
        hitCounts[label] += argMax(probabilities, labelCounts.length) == label ? 1 : 0;
        logLossSum -= StrictMath.log(Math.max(probabilities[label], LEAST_PROBABILITY));
    }

    public long count() {
        return count;
    }

    /** Share of predictions whose likeliest class was the label; 0 before the first. */
    public double accuracy() {
        long hits = 0;
        for (final long hit : hitCounts) {
            hits += hit;
        }
        return ratio(hits, count);
    }

    /** The accuracy of always saying the class that turned out to be the most frequent: hindsight that no model has. */
    public double majority() {
        long most = 0;
        for (final long labelCount : labelCounts) {
            most = Math.max(most, labelCount);
        }
        return ratio(most, count);
    }

    /** Mean over the classes seen of the share of each that was found; a constant answer has 1 over their number. */
    public double balancedAccuracy() {
        double sum = 0;
        int seen = 0;
        for (int i = 0; i < labelCounts.length; i++) {
            if (labelCounts[i] > 0) {
                sum += ratio(hitCounts[i], labelCounts[i]);
                seen++;
            }
        }
        return seen == 0 ? 0 : sum / seen;
    }

    /** Mean negative natural logarithm of the probability given to the label. */
    public double logLoss() {
        return count == 0 ? 0 : logLossSum / count;
    }

    private static double ratio(final long part, final long whole) {
        return whole == 0 ? 0 : (double) part / whole;
    }
}
