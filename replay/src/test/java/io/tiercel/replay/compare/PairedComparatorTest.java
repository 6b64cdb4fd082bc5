package io.tiercel.replay.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PairedComparatorTest {

    private final SplittableRandom random = new SplittableRandom(2);

    @Property(tries = 60)
    void shouldHaveTheChanceThatTryingAllSignsHas(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 9) final int pairCount) {
        final double[] differences =
                new SplittableRandom(seed).ints(pairCount, -4, 5).asDoubleStream().toArray(); // ties and zeros

        final SignedRanks ranks = new SignedRanks(differences);

        int above = 0;
        int below = 0;
        for (int signs = 0; signs < 1 << pairCount; signs++) {
            final double[] turned = differences.clone();
            for (int pair = 0; pair < pairCount; pair++) {
                turned[pair] *= (signs >> pair & 1) == 1 ? -1 : 1;
            }
            above += sumOfPositive(turned) >= sumOfPositive(differences) ? 1 : 0;
            below += sumOfPositive(turned) <= sumOfPositive(differences) ? 1 : 0;
        }
        assertEquals((double) above / (1 << pairCount), ranks.chanceAbove(), 1e-12);
        assertEquals((double) below / (1 << pairCount), ranks.chanceBelow(), 1e-12);
    }

    private static double sumOfPositive(final double[] differences) {
        final double[] ranks = Ranks.of(Arrays.stream(differences).map(Math::abs).toArray());
        double sum = 0;
        for (int pair = 0; pair < ranks.length; pair++) {
            sum += differences[pair] > 0 ? ranks[pair] : 0;
        }
        return sum;
    }

    @Test
    void shouldHaveTheIntervalOfTheTablesWhenThereAreFiveOrTenPairs() {
        assertArrayEquals(new double[] {1, 16}, new SignedRanks(new double[] {1, 2, 4, 8, 16}).interval(0.05));
        assertEquals(Double.POSITIVE_INFINITY, new SignedRanks(new double[] {1, 2, 3, 4}).interval(0.05)[1]);
        // Of ten, a sum of 10 or less has a chance of 4.2 %: eleven of the 55 means lie outside at each end.
        assertArrayEquals(new double[] {3.5, 7.5},
                new SignedRanks(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}).interval(0.05));
    }

    @Test
    void shouldFindATenthThatIsFarBelowWhatTheMachineDoesFromPairToPair() {
        final List<IntervalSet> equal = drifting(8, 1);
        final List<IntervalSet> slower = drifting(8, 1.1);

        assertEquals(Verdict.NO_DIFFERENCE, compare(equal).verdict(), compare(equal)::toString);
        assertEquals(Verdict.SLOWER, compare(slower).verdict(), compare(slower)::toString);
        assertEquals(Verdict.FASTER, compare(List.of(slower.get(1), slower.get(0))).verdict());
        assertEquals(0.1, compare(slower).quantiles().get(1).change(), 0.02);
    }

    @Test
    void shouldSeldomCryAndFindMostWhenRunsAreClumpy() {
        final SyntheticRuns runs = new SyntheticRuns(random, 6, 4_000);
        final CompareRates rates = CompareRates.count(comparator(0.99)::compare, 20, repeat -> List.of(
                together("a", runs, 20), together("b", runs, 20)));

        // At most 5 % each way: 4 or more of 20 would come once in sixty times.
        assertTrue(rates.falseAlarms() < 4 && rates.falsePraise() < 4, rates.toString());
        assertTrue(rates.foundAtP99() > rates.falseAlarms(), rates.toString());
        assertEquals(0, rates.missedAsFaster(), rates.toString());
    }

    @Test
    void shouldSayHowManyMorePairsAreNeededWhenItCannotTell() {
        final PairedQuantile few = compare(drifting(5, 1.1)).quantiles().get(0);
        final List<IntervalSet> unlike = List.of(together("a", 20, 0.3), together("b", 20, 0.3));
        final PairedComparison noisy = comparator(0.5, 0.99).compare(unlike.get(0), unlike.get(1));

        assertEquals(Verdict.CANNOT_TELL, few.verdict(), "five pairs are never sure of three quantiles");
        assertEquals(1, few.morePairs(), few::toString);
        assertEquals(Verdict.CANNOT_TELL, noisy.verdict(), noisy::toString);
        assertTrue(noisy.morePairs() > 20, noisy::toString);
    }

    @Test
    void shouldRefuseWhatAreNoPairs() {
        final IntervalSet five = together("a", 5, 0);
        final IntervalSet four = together("b", 4, 0);

        assertEquals("runs=5 of set=a and runs=4 of set=b are not 5 pairs or more",
                assertThrows(CompareException.class, () -> compare(List.of(five, four))).getMessage());
        assertThrows(CompareException.class, () -> compare(List.of(four, four)));
    }

    @Test
    void shouldPairEachTurnWithTheOneThatFollowsIt() {
        final List<IntervalSet> ofSeconds = List.of(new SyntheticRuns(random, 3, 100).next("a"));

        assertThrows(CompareException.class, () -> RunPairs.inTurns(ofSeconds, null), "there is no second half");
        assertThrows(CompareException.class, () -> RunPairs.neighbours(ofSeconds));
        assertEquals(2, RunPairs.neighbours(List.of(together("a", 3, 0))).count());
        assertEquals(7, RunPairs.neighbours(List.of(together("a", 3, 0))).drawn(7, random).get(1).runs().size());
    }

    /** Pairs between which the machine changes by far more than a tenth. */
    private List<IntervalSet> drifting(final int pairCount, final double factor) {
        final List<IntervalRun> runsA = new ArrayList<>();
        final List<IntervalRun> runsB = new ArrayList<>();
        for (int pair = 0; pair < pairCount; pair++) {
            final double level = 1_000 * (1 + random.nextInt(9));
            runsA.add(SetComparatorTest.steady("a", random, level, 20).runs().get(0));
            runsB.add(SetComparatorTest.steady("b", random, level * factor, 20).runs().get(0));
        }
        return List.of(new IntervalSet("a", runsA), new IntervalSet("b", runsB));
    }

    private IntervalSet together(final String name, final int runCount, final double spread) {
        final List<IntervalRun> runs = new ArrayList<>();
        for (int run = 0; run < runCount; run++) {
            final double level = 1_000 * Math.exp(spread * random.nextGaussian());
            runs.add(SetComparatorTest.steady(name, random, level, 2).runs().get(0));
        }
        return new IntervalSet(name, runs);
    }

    private static IntervalSet together(final String name, final SyntheticRuns runs, final int runCount) {
        final List<IntervalRun> all = new ArrayList<>();
        for (int run = 0; run < runCount; run++) {
            all.addAll(runs.next(name).runs());
        }
        return new IntervalSet(name, all);
    }

    private PairedComparison compare(final List<IntervalSet> sets) {
        return comparator(0.5, 0.9, 0.99).compare(sets.get(0), sets.get(1));
    }

    private PairedComparator comparator(final Double... quantiles) {
        return new PairedComparator(new CompareOptions(null, List.of(quantiles), 0.05, 0.05, 200, random));
    }
}
