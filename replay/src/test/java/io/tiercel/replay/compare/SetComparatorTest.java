package io.tiercel.replay.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class SetComparatorTest {

    private static final int RESAMPLES = 250;

    @Test
    void shouldFindAPlantedSlowdownAndSeldomCryOverEqualRunsWhenTailsComeInClumps() {
        final SplittableRandom random = new SplittableRandom(11);
        final SyntheticRuns runs = new SyntheticRuns(random, 100, 4_000);

        final CompareRates rates = CompareRates.count(comparator(random)::compare, 20,
                repeat -> List.of(runs.next("a"), runs.next("b")));

        // Below 5 % each way if runs did not differ by a per cent; 4 or more of 20 would come once in sixty times.
        assertTrue(rates.falseAlarms() + rates.falsePraise() < 4, rates.toString());
        assertTrue(rates.foundAtP99() >= 15, rates.toString());
        assertEquals(0, rates.missedAsFaster(), rates.toString());
    }

    @Test
    void shouldSayTheSameWhenTheSeedIsTheSame() {
        final SyntheticRuns runs = new SyntheticRuns(new SplittableRandom(5), 40, 2_000);
        final IntervalSet setA = runs.next("a");
        final IntervalSet setB = runs.next("b");

        assertEquals(comparator(new SplittableRandom(1)).compare(setA, setB),
                comparator(new SplittableRandom(1)).compare(setA, setB));
    }

    @Test
    void shouldCallTheSecondFasterWhenTheSlowedOneComesFirst() {
        final SplittableRandom random = new SplittableRandom(3);
        final SyntheticRuns runs = new SyntheticRuns(random, 80, 4_000);
        final IntervalSet slow = SyntheticRuns.slowed(runs.next("a"), "total", 0.2, 1.3);

        final Comparison comparison = comparator(random).compare(slow, runs.next("b"));

        assertEquals(Verdict.FASTER, comparison.verdict());
        assertTrue(comparison.confidence() > 0.95);
    }

    @Test
    void shouldNotCountWhatIsSureButBelowTheThreshold() {
        final SplittableRandom random = new SplittableRandom(4);
        final IntervalSet setA = steady("a", random, 1_000, 60);
        final IntervalSet setB = steady("b", random, 1_030, 60);

        final QuantileComparison median = comparator(random).compare(setA, setB).quantiles().get(0);

        assertTrue(median.confidence() > 0.95, median.toString());
        assertEquals(Verdict.NO_DIFFERENCE, median.verdict());
    }

    @Test
    void shouldPutADifferenceDownToTheRunsWhenRunsOfOneSetDifferAsMuch() {
        final SplittableRandom random = new SplittableRandom(6);
        final IntervalSet setA = together("a", steady("a1", random, 1_000, 40), steady("a2", random, 1_300, 40));
        final IntervalSet setB = together("b", steady("b1", random, 1_200, 40), steady("b2", random, 1_600, 40));
        final IntervalSet setC = together("c", steady("c1", random, 1_500, 40), steady("c2", random, 1_600, 40));

        assertEquals(Verdict.NO_DIFFERENCE, comparator(random).compare(setA, setB).verdict());
        assertTrue(comparator(random).compare(setA, setB).quantiles().get(0).isWithinRuns());
        assertEquals(Verdict.SLOWER, comparator(random).compare(setA, setC).verdict());
    }

    @Test
    void shouldSaySoWhenThereIsTooLittleData() {
        final SplittableRandom random = new SplittableRandom(7);

        final Comparison few = comparator(random).compare(steady("a", random, 1_000, 5), steady("b", random, 9_000, 5));
        final Comparison more =
                comparator(random).compare(steady("a", random, 1_000, 40), steady("b", random, 9_000, 40));

        assertEquals(Verdict.TOO_LITTLE_DATA, few.verdict());
        assertEquals(Verdict.SLOWER, more.verdict());
        assertEquals(Verdict.TOO_LITTLE_DATA, more.quantiles().get(3).verdict());
    }

    @Test
    void shouldRefuseSetsThatHaveNothingInCommon() {
        final IntervalSet total = steady("a", new SplittableRandom(8), 1_000, 20);
        final IntervalSet roundTrip = tagged("b", "ns", "roundTrip", "echo");
        final IntervalSet micros = tagged("c", "us", "total");

        assertRefused("no tag is common to all: a has total; b has echo, roundTrip", null, total, roundTrip);
        assertRefused("tag=infer is not in set=a, which has total", "infer", total, total);
        assertRefused("which tag is to be compared? Common are echo, roundTrip", null, roundTrip, roundTrip);
        assertRefused("units differ: a is in ns, c in us", null, total, micros);
    }

    @Test
    void shouldCorrectChancesAsHolmDoes() {
        assertArrayEquals(new double[] {0.03, 0.06, 0.06, Double.NaN},
                SetComparator.holm(new double[] {0.01, 0.04, 0.03, Double.NaN}), 1e-12);
    }

    private static void assertRefused(
            final String message, final String tag, final IntervalSet setA, final IntervalSet setB) {
        final SetComparator comparator = new SetComparator(CompareOptions.of(tag, new SplittableRandom(1)));
        assertEquals(message,
                assertThrows(CompareException.class, () -> comparator.compare(setA, setB)).getMessage());
    }

    private static SetComparator comparator(final SplittableRandom random) {
        return new SetComparator(new CompareOptions(
                null, CompareOptions.DEFAULT_QUANTILES, 0.05, 0.05, RESAMPLES, random));
    }

    /** Intervals of 1,000 values around a level, none of which has to do with another. */
    static IntervalSet steady(
            final String name, final SplittableRandom random, final double level, final int intervalCount) {
        final List<Interval> intervals = new ArrayList<>();
        for (int index = 0; index < intervalCount; index++) {
            final Histogram histogram = new Histogram(3);
            for (int count = 0; count < 1_000; count++) {
                histogram.recordValue((long) (level * Math.exp(0.1 * random.nextGaussian())));
            }
            intervals.add(new Interval(index, 1, ValueCounts.of(histogram)));
        }
        return new IntervalSet(name, List.of(new IntervalRun(name, "ns", 0, Map.of("total", intervals))));
    }

    private static IntervalSet together(final String name, final IntervalSet first, final IntervalSet second) {
        return new IntervalSet(name, List.of(first.runs().get(0), second.runs().get(0)));
    }

    private static IntervalSet tagged(final String name, final String unit, final String... tags) {
        final Map<String, List<Interval>> byTag = new TreeMap<>();
        for (final String tag : tags) {
            final Histogram histogram = new Histogram(3);
            histogram.recordValue(1);
            byTag.put(tag, List.of(new Interval(0, 1, ValueCounts.of(histogram))));
        }
        return new IntervalSet(name, List.of(new IntervalRun(name, unit, 0, byTag)));
    }
}
