package io.tiercel.replay.whatif;

import java.util.Locale;

/**
 * How answers of a candidate differ from those that were given. Sums are of integers, so they do not depend on who
 * added what first. One thread.
 */
public final class Changes {

    private long answerCount;
    private long changedCount;
    private long decisionCount;
    private long changedDecisionCount;
    private long valueCount;
    private long sum;
    private long largest;

    /** Takes an answer, which is one step's outputs. */
    void add(final Difference difference) {
        answerCount++;
        changedCount += difference.isChanged ? 1 : 0;
        decisionCount += difference.isDecision ? 1 : 0;
        changedDecisionCount += difference.isDecisionChanged ? 1 : 0;
        for (int i = 0; i < difference.valueCount; i++) {
            valueCount++;
            sum += difference.units[i];
            largest = Math.max(largest, difference.units[i]);
        }
    }

    void add(final Changes other) {
        answerCount += other.answerCount;
        changedCount += other.changedCount;
        decisionCount += other.decisionCount;
        changedDecisionCount += other.changedDecisionCount;
        valueCount += other.valueCount;
        sum += other.sum;
        largest = Math.max(largest, other.largest);
    }

    /** Answers compared. */
    public long answerCount() {
        return answerCount;
    }

    /** Answers with a bit that is another. */
    public long changedCount() {
        return changedCount;
    }

    /** Answers that decide: for a class, or a token. */
    public long decisionCount() {
        return decisionCount;
    }

    /** Answers that decide for another. */
    public long changedDecisionCount() {
        return changedDecisionCount;
    }

    public double changedShare() {
        return answerCount == 0 ? 0 : (double) changedCount / answerCount;
    }

    public double changedDecisionShare() {
        return decisionCount == 0 ? 0 : (double) changedDecisionCount / decisionCount;
    }

    /** Of the absolute change of a value. */
    public double mean() {
        return valueCount == 0 ? 0 : (double) sum / valueCount * Difference.UNIT;
    }

    public double largest() {
        return largest * Difference.UNIT;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "answers=%d changed=%d decisions=%d changedDecisions=%d mean=%g largest=%g",
                answerCount, changedCount, decisionCount, changedDecisionCount, mean(), largest());
    }
}
