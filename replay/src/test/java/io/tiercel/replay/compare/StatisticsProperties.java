package io.tiercel.replay.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.HdrHistogram.Histogram;

class StatisticsProperties {

    @Property(tries = 60)
    void shouldFindTheQuantileThatSortingFindsWhateverIsChosen(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 6) final int unitCount) {
        final SplittableRandom random = new SplittableRandom(seed);
        final double share = List.of(0.5, 0.9, 0.99).get(random.nextInt(3));
        final List<ValueCounts> units = new ArrayList<>();
        final List<long[]> values = new ArrayList<>();
        final int[] times = new int[unitCount];
        for (int unit = 0; unit < unitCount; unit++) {
            values.add(random.longs(1 + random.nextInt(40), 1, 1_000).toArray());
            units.add(unit(values.get(unit)));
            times[unit] = random.nextInt(3);
        }
        times[random.nextInt(unitCount)]++;

        final long found = new PooledQuantile(units, share).of(times);

        assertEquals(bySorting(values, times, share), found);
    }

    private static ValueCounts unit(final long[] values) {
        final Histogram histogram = new Histogram(5); // exact up to 100,000
        Arrays.stream(values).forEach(histogram::recordValue);
        return ValueCounts.of(histogram);
    }

    private static long bySorting(final List<long[]> values, final int[] times, final double share) {
        final List<Long> all = new ArrayList<>();
        for (int unit = 0; unit < times.length; unit++) {
            for (int time = 0; time < times[unit]; time++) {
                Arrays.stream(values.get(unit)).forEach(all::add);
            }
        }
        all.sort(null);
        return all.get((int) Math.ceil(share * all.size() - 1e-9) - 1);
    }

    @Property(tries = 60)
    void shouldGiveRanksThatAddUpAndKeepTheOrder(@ForAll final long seed) {
        final double[] values = new SplittableRandom(seed).ints(20, 0, 12).asDoubleStream().toArray();

        final double[] ranks = Ranks.of(values);

        assertEquals(210, Arrays.stream(ranks).sum(), 1e-9);
        for (int left = 0; left < values.length; left++) {
            for (int right = 0; right < values.length; right++) {
                assertEquals(Double.compare(values[left], values[right]), Double.compare(ranks[left], ranks[right]));
            }
        }
    }

    @Example
    void shouldAskForLongBlocksWhenNeighboursResembleEachOther() {
        assertTrue(blockLength(0) <= 3, "length=" + blockLength(0));
        assertTrue(blockLength(0.9) >= 12, "length=" + blockLength(0.9));
        assertEquals(1, BlockLength.of(List.of(new double[20], new double[20])));
    }

    private static int blockLength(final double kept) {
        final SplittableRandom random = new SplittableRandom(2);
        final double[][] runs = new double[2][400];
        for (final double[] run : runs) {
            for (int index = 1; index < run.length; index++) {
                run[index] = kept * run[index - 1] + random.nextGaussian();
            }
        }
        return BlockLength.of(List.of(runs));
    }

    @Example
    void shouldAskForTheMostExtremeWayToDealOutFewRuns() {
        assertTrue(RunSpread.isExceeded(new double[] {100}, new double[] {101}, 0.05));
        assertTrue(RunSpread.isExceeded(new double[] {100, 102}, new double[] {110, 111}, 0.05));
        assertTrue(!RunSpread.isExceeded(new double[] {100, 110}, new double[] {105, 120}, 0.05));
        assertTrue(!RunSpread.isExceeded(new double[] {100, 110, 104}, new double[] {109}, 0.05));
    }

    @Example
    void shouldAskForMoreThanTheErrorOfManyRuns() {
        final double[] runs = new SplittableRandom(4).doubles(15, 100, 110).toArray();
        final double[] slower = Arrays.stream(runs).map(value -> 1.05 * value).toArray();
        final double[] hardly = Arrays.stream(runs).map(value -> 1.005 * value).toArray();

        assertTrue(RunSpread.isExceeded(runs, slower, 0.05));
        assertTrue(!RunSpread.isExceeded(runs, hardly, 0.05));
    }

    @Example
    void shouldFindTheChangePointsWhereTheyArePlanted() {
        final SplittableRandom random = new SplittableRandom(9);
        final double[] series = new double[40];
        for (int index = 0; index < series.length; index++) {
            series[index] = 0.02 * random.nextGaussian() + (index >= 25 ? 0.2 : index >= 12 ? 0.1 : 0);
        }

        final List<ChangePoint> found = new EDivisive(0.05, 499, random).find(series);

        assertArrayEquals(new int[] {12, 25}, found.stream().mapToInt(ChangePoint::index).toArray());
    }

    @Example
    void shouldSeldomFindAChangePointWhereThereIsNone() {
        final SplittableRandom random = new SplittableRandom(10);
        int cries = 0;
        for (int repeat = 0; repeat < 100; repeat++) {
            final double[] series = random.doubles(16).toArray();
            cries += new EDivisive(0.05, 99, random).find(series).isEmpty() ? 0 : 1;
        }

        assertTrue(cries <= 11, "cries=" + cries); // 5 expected; more than 11 would come once in 200 times
        assertTrue(new EDivisive(0.05, 99, random).find(new double[] {1, 1, 9}).isEmpty());
    }

    @Example
    void shouldCryAsSeldomAsPromisedOverUnitsThatHaveNothingToDoWithEachOther() {
        final SplittableRandom random = new SplittableRandom(12);
        int whole = 0;
        int typical = 0;
        for (int repeat = 0; repeat < 200; repeat++) {
            final IntervalSet setA = SetComparatorTest.steady("a", random, 1_000, 12);
            final IntervalSet setB = SetComparatorTest.steady("b", random, 1_000, 12);
            final Blocks blocks = Blocks.cut(UnitRuns.of(setA, "total"), UnitRuns.of(setB, "total"), 0.9);
            if (blocks.areEnough()) {
                final BlockTests.Result result = new BlockTests(blocks, 99, random).run();
                whole += result.chance() <= 0.05 ? 1 : 0;
                typical += result.typicalChance() <= 0.05 ? 1 : 0;
            }
        }
        // 10 expected of each; more than 20 would come once in 500 times.
        assertTrue(whole <= 20 && typical <= 20, "whole=" + whole + " typical=" + typical);
    }
}
