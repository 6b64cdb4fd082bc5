package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.random.RandomGenerator;

/**
 * How often comparisons find what was planted, and how often they cry over nothing.
 *
 * @param repeats        pairs compared in each of the two ways.
 * @param falseAlarms    equal pairs called slower.
 * @param falsePraise    equal pairs called faster.
 * @param found          pairs called slower of which the second was slowed.
 * @param foundAtP99     of these, those where p99 was called slower.
 * @param missedAsFaster pairs called faster of which the second was slowed.
 */
public record CompareRates(int repeats, int falseAlarms, int falsePraise, int found, int foundAtP99,
        int missedAsFaster) {

    private static final double PLANTED_FROM = 0.98;
    private static final double PLANTED_FACTOR = 1.1;
    private static final double P99 = 0.99;
    private static final double TURN_S = 0.5;

    /**
     * Two sets out of one, equal but for chance: its runs are dealt out in turns, half a second to each of the two, and
     * a coin says each time who is first. So whatever the machine did for longer than that, it did to both.
     */
    public static List<IntervalSet> dealtOut(
            final IntervalSet set, final String wantedTag, final RandomGenerator random) {
        final String tag = SetComparator.commonTag(List.of(set), wantedTag);
        final List<IntervalRun> runsA = new ArrayList<>();
        final List<IntervalRun> runsB = new ArrayList<>();
        for (final IntervalRun run : set.runs()) {
            final List<Interval> partA = new ArrayList<>();
            final List<Interval> partB = new ArrayList<>();
            long turn = -1;
            boolean isBFirst = false;
            for (final Interval interval : run.intervals(tag)) {
                final long newTurn = (long) (interval.beginS() / (2 * TURN_S));
                isBFirst = newTurn == turn ? isBFirst : random.nextBoolean();
                turn = newTurn;
                final boolean isSecondHalf = interval.beginS() - 2 * TURN_S * turn >= TURN_S;
                (isSecondHalf == isBFirst ? partA : partB).add(interval);
            }
            runsA.add(new IntervalRun(run.name(), run.unit(), run.beginEpochS(), Map.of(tag, partA)));
            runsB.add(new IntervalRun(run.name(), run.unit(), run.beginEpochS(), Map.of(tag, partB)));
        }
        return List.of(new IntervalSet(set.name() + " A", runsA), new IntervalSet(set.name() + " B", runsB));
    }

    /** @param pairs two equal sets each. */
    public static CompareRates count(
            final SetComparator comparator, final int repeats,
            final IntFunction<List<IntervalSet>> pairs) {
        int falseAlarms = 0;
        int falsePraise = 0;
        int found = 0;
        int foundAtP99 = 0;
        int missedAsFaster = 0;
        for (int repeat = 0; repeat < repeats; repeat++) {
            final List<IntervalSet> pair = pairs.apply(repeat);
            final Comparison compared = comparator.compare(pair.get(0), pair.get(1));
            final Verdict equal = compared.verdict();
            falseAlarms += equal == Verdict.SLOWER ? 1 : 0;
            falsePraise += equal == Verdict.FASTER ? 1 : 0;
            final Comparison planted = comparator.compare(
                    pair.get(0), SyntheticRuns.slowed(pair.get(1), compared.tag(), PLANTED_FROM, PLANTED_FACTOR));
            found += planted.verdict() == Verdict.SLOWER ? 1 : 0;
            missedAsFaster += planted.verdict() == Verdict.FASTER ? 1 : 0;
            foundAtP99 += planted.quantiles().stream().anyMatch(
                    quantile -> quantile.quantile() == P99 && quantile.verdict() == Verdict.SLOWER) ? 1 : 0;
        }
        return new CompareRates(repeats, falseAlarms, falsePraise, found, foundAtP99, missedAsFaster);
    }
}
