package io.tiercel.tools.decode;

import io.tiercel.tools.load.LatencySummary;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * A contender's runs, or why there are none. Not changed once it is made.
 *
 * @param notRun  the reason; null where it ran.
 * @param runs    in the order of the turns; empty where it did not run.
 * @param tokenNs of all runs.
 * @param answerNs of all runs.
 */
record DecodeRow(
        String name, boolean isPeer, String notRun, List<DecodeRun> runs, Histogram tokenNs, Histogram answerNs) {

    static DecodeRow of(final DecodeContender contender, final List<DecodeRun> runs) {
        final Histogram tokenNs = DecodeRun.newHistogram();
        final Histogram answerNs = DecodeRun.newHistogram();
        runs.forEach(run -> {
            tokenNs.add(run.tokenNs());
            answerNs.add(run.answerNs());
        });
        return new DecodeRow(contender.name(), contender.isPeer(), null, List.copyOf(runs), tokenNs, answerNs);
    }

    static DecodeRow notRun(final DecodeContender contender, final String reason) {
        return new DecodeRow(
                contender.name(), contender.isPeer(), reason, List.of(), DecodeRun.newHistogram(),
                DecodeRun.newHistogram());
    }

    boolean hasRun() {
        return notRun == null;
    }

    /** Median of the runs; the lower one of two. NaN where it did not run. */
    double tokensPerSecond() {
        final double[] sorted = sortedTokensPerSecond();
        return sorted.length == 0 ? Double.NaN : sorted[(sorted.length - 1) / 2];
    }

    /** Of the fastest run; NaN where it did not run. */
    double bestTokensPerSecond() {
        final double[] sorted = sortedTokensPerSecond();
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length - 1];
    }

    /** Whether there are times of single tokens. */
    boolean hasTokenTimes() {
        return tokenNs.getTotalCount() > 0;
    }

    LatencySummary summary() {
        return LatencySummary.of(tokenNs);
    }

    /** Whether it is known when a token was there, apart from when the next one could begin. */
    boolean hasAnswerTimes() {
        return answerNs.getTotalCount() > 0;
    }

    LatencySummary answerSummary() {
        return LatencySummary.of(answerNs);
    }

    /** Whether all runs came to the same text. */
    boolean isSteady() {
        return runs.stream().map(DecodeRun::text).distinct().count() == 1;
    }

    /** Of the first run; null where it did not run. */
    String text() {
        return runs.isEmpty() ? null : runs.get(0).text();
    }

    private double[] sortedTokensPerSecond() {
        return runs.stream().mapToDouble(DecodeRun::tokensPerSecond).sorted().toArray();
    }
}
