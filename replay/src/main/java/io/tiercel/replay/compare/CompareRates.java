package io.tiercel.replay.compare;

import java.util.List;
import java.util.function.BiFunction;
import java.util.function.IntFunction;

/**
 * How often comparisons find what was planted, and how often they cry over nothing.
 *
 * @param repeats        pairs compared in each of the two ways.
 * @param falseAlarms    equal pairs called slower.
 * @param falsePraise    equal pairs called faster.
 * @param cannotTell     equal pairs of which it could not be told.
 * @param found          pairs called slower of which the second was slowed.
 * @param foundAtP99     of these, those where p99 was called slower.
 * @param missedAsFaster pairs called faster of which the second was slowed.
 * @param missedAsUntold pairs of which it could not be told though the second was slowed.
 */
public record CompareRates(int repeats, int falseAlarms, int falsePraise, int cannotTell, int found,
        int foundAtP99, int missedAsFaster, int missedAsUntold) {

    private static final double PLANTED_FROM = 0.98;
    private static final double PLANTED_FACTOR = 1.1;
    private static final double P99 = 0.99;

    /** @param pairs two equal sets each. */
    public static CompareRates count(
            final BiFunction<IntervalSet, IntervalSet, Finding> comparison, final int repeats,
            final IntFunction<List<IntervalSet>> pairs) {
        int falseAlarms = 0;
        int falsePraise = 0;
        int cannotTell = 0;
        int missedAsUntold = 0;
        int found = 0;
        int foundAtP99 = 0;
        int missedAsFaster = 0;
        for (int repeat = 0; repeat < repeats; repeat++) {
            final List<IntervalSet> pair = pairs.apply(repeat);
            final Finding compared = comparison.apply(pair.get(0), pair.get(1));
            final Verdict equal = compared.verdict();
            falseAlarms += equal == Verdict.SLOWER ? 1 : 0;
            cannotTell += equal == Verdict.CANNOT_TELL ? 1 : 0;
            falsePraise += equal == Verdict.FASTER ? 1 : 0;
            final Finding planted = comparison.apply(
                    pair.get(0), SyntheticRuns.slowed(pair.get(1), compared.tag(), PLANTED_FROM, PLANTED_FACTOR));
            found += planted.verdict() == Verdict.SLOWER ? 1 : 0;
            missedAsUntold += planted.verdict() == Verdict.CANNOT_TELL ? 1 : 0;
            missedAsFaster += planted.verdict() == Verdict.FASTER ? 1 : 0;
            foundAtP99 += planted.verdict(P99) == Verdict.SLOWER ? 1 : 0;
        }
        return new CompareRates(repeats, falseAlarms, falsePraise, cannotTell, found, foundAtP99, missedAsFaster,
                missedAsUntold);
    }
}
