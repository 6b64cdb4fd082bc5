package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Compares runs that were taken in turns, A's first with B's first and so on. What the machine does for longer than a
 * pair it does to both of its runs, so of each pair only their ratio counts; and however requests of one run depend on
 * each other, pairs do not. Judged by {@link SignedRanks}, for slower and for faster apart, each corrected for all
 * quantiles by Holm's procedure: equal runs are called slower with a chance of at most the level, and faster too.
 *
 * <p>That nothing was found is not called equal: no difference is what has its whole interval below the threshold.
 */
public final class PairedComparator {

    public static final int MIN_PAIRS = 5;

    /**
     * An interval narrows with the root of the number of pairs. It has to be so much narrower than the threshold on
     * either side, 1 + 1.28 / 1.64, if equal runs are to be told in four of five comparisons.
     */
    private static final double NARROWER = 1.78;

    private final CompareOptions options;

    public PairedComparator(final CompareOptions options) {
        this.options = options;
    }

    /** The quantile in each pair whose two runs are long enough to know it. */
    private record Pairs(double quantile, double[] valuesA, double[] valuesB, SignedRanks ranks) {

        int count() {
            return valuesA.length;
        }
    }

    /** @throws CompareException if the sets cannot be compared, or not in pairs. */
    public PairedComparison compare(final IntervalSet setA, final IntervalSet setB) {
        final int pairCount = setA.runs().size();
        if (pairCount != setB.runs().size() || pairCount < MIN_PAIRS) {
            throw new CompareException("runs=" + pairCount + " of set=" + setA.name() + " and runs=" +
                    setB.runs().size() + " of set=" + setB.name() + " are not " + MIN_PAIRS + " pairs or more");
        }
        final String tag = SetComparator.commonTag(List.of(setA, setB), options.tag());
        final List<IntervalRun> runs = new ArrayList<>(setA.runs());
        runs.addAll(setB.runs());
        IntervalReader.checkUnits(runs);
        final List<Pairs> pairs = options.quantiles().stream().map(quantile -> pairs(setA, setB, tag, quantile))
                .toList();
        return new PairedComparison(setA, setB, tag, setA.unit() == null ? setB.unit() : setA.unit(), judged(pairs));
    }

    private static Pairs pairs(
            final IntervalSet setA, final IntervalSet setB, final String tag, final double quantile) {
        final List<double[]> values = new ArrayList<>();
        for (int pair = 0; pair < setA.runs().size(); pair++) {
            final ValueCounts runA = whole(setA.runs().get(pair), tag);
            final ValueCounts runB = whole(setB.runs().get(pair), tag);
            if (Math.min(runA.total(), runB.total()) >= Blocks.minCount(quantile)) {
                values.add(new double[] {runA.quantile(quantile), runB.quantile(quantile)});
            }
        }
        final double[] valuesA = values.stream().mapToDouble(pair -> pair[0]).toArray();
        final double[] valuesB = values.stream().mapToDouble(pair -> pair[1]).toArray();
        return new Pairs(quantile, valuesA, valuesB, new SignedRanks(IntStream.range(0, values.size())
                .mapToDouble(pair -> Math.log(Math.max(1, valuesB[pair]) / Math.max(1, valuesA[pair]))).toArray()));
    }

    private static ValueCounts whole(final IntervalRun run, final String tag) {
        return ValueCounts.merged(run.intervals(tag).stream().map(Interval::values).toList());
    }

    private List<PairedQuantile> judged(final List<Pairs> pairs) {
        final double[] slower = SetComparator.holm(pairs.stream()
                .mapToDouble(one -> one.count() < MIN_PAIRS ? Double.NaN : one.ranks().chanceAbove()).toArray());
        final double[] faster = SetComparator.holm(pairs.stream()
                .mapToDouble(one -> one.count() < MIN_PAIRS ? Double.NaN : one.ranks().chanceBelow()).toArray());
        return IntStream.range(0, pairs.size())
                .mapToObj(index -> judged(pairs.get(index), slower[index], faster[index], fewestPairs(pairs)))
                .toList();
    }

    private PairedQuantile judged(final Pairs pairs, final double slowerChance, final double fasterChance,
            final int fewestPairs) {
        if (pairs.count() < MIN_PAIRS) {
            return new PairedQuantile(pairs.quantile(), pairs.count(), 0, 0, 0, 0, 0, 1, 1, Verdict.TOO_LITTLE_DATA,
                    0);
        }
        final double[] interval = pairs.ranks().interval(options.level());
        final double change = Math.expm1(pairs.ranks().shift());
        final double low = Math.expm1(interval[0]);
        final double high = Math.expm1(interval[1]);
        final Verdict verdict;
        if (slowerChance <= options.level() && change >= options.threshold()) {
            verdict = Verdict.SLOWER;
        } else if (fasterChance <= options.level() && change <= -options.threshold()) {
            verdict = Verdict.FASTER;
        } else if (low > -options.threshold() && high < options.threshold()) {
            verdict = Verdict.NO_DIFFERENCE;
        } else {
            verdict = Verdict.CANNOT_TELL;
        }
        return new PairedQuantile(pairs.quantile(), pairs.count(), median(pairs.valuesA()), median(pairs.valuesB()),
                change, low, high, slowerChance, fasterChance, verdict,
                verdict == Verdict.CANNOT_TELL ? morePairs(pairs.count(), interval, fewestPairs) : 0);
    }

    private int morePairs(final int pairCount, final double[] interval, final int fewestPairs) {
        final double widths = NARROWER * (interval[1] - interval[0]) / 2 / Math.log1p(options.threshold());
        final double wanted = Double.isInfinite(widths) ? 0 : Math.ceil(pairCount * widths * widths);
        return (int) Math.min(Integer.MAX_VALUE, Math.max(1, Math.max(wanted, fewestPairs) - pairCount));
    }

    /** With fewer the surest of all outcomes, every pair the same way, would not be sure enough. */
    private int fewestPairs(final List<Pairs> pairs) {
        final long tested = pairs.stream().filter(one -> one.count() >= MIN_PAIRS).count();
        return (int) Math.ceil(Math.log(tested / options.level()) / Math.log(2));
    }

    private static double median(final double[] values) {
        final double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }
}
