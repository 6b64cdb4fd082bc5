package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Compares two sets at each quantile. Every quantile is tested in two ways ({@link BlockTests}), and with eight tests
 * one in three comparisons of equal sets would cry at 5 % each; so chances are corrected by Holm's procedure, which
 * keeps the chance of a single false cry among all of them below the level. What is sure but below the threshold does
 * not count.
 */
public final class SetComparator {

    private static final String USUAL_TAG = "total";

    private final CompareOptions options;

    public SetComparator(final CompareOptions options) {
        this.options = options;
    }

    /** @throws CompareException if the sets cannot be compared. */
    public Comparison compare(final IntervalSet setA, final IntervalSet setB) {
        final String tag = commonTag(List.of(setA, setB), options.tag());
        final List<IntervalRun> runs = new ArrayList<>(setA.runs());
        runs.addAll(setB.runs());
        IntervalReader.checkUnits(runs);
        final UnitRuns unitsA = UnitRuns.of(setA, tag);
        final UnitRuns unitsB = UnitRuns.of(setB, tag);
        final List<Blocks> blocks = new ArrayList<>();
        final List<BlockTests.Result> results = new ArrayList<>();
        for (final double quantile : options.quantiles()) {
            final Blocks cut = Blocks.cut(unitsA, unitsB, quantile);
            blocks.add(cut);
            results.add(cut.areEnough()
                    ? new BlockTests(cut, options.resamples(), options.random()).run()
                    : null);
        }
        return new Comparison(setA, setB, tag, setA.unit() == null ? setB.unit() : setA.unit(),
                judged(blocks, results));
    }

    /**
     * What all sets have.
     *
     * @param wanted null: {@code total} if all have it, or the only one.
     * @throws CompareException if there is none, or more than one to choose from.
     */
    static String commonTag(final List<IntervalSet> sets, final String wanted) {
        final Set<String> common = new TreeSet<>(sets.get(0).tags());
        sets.forEach(set -> common.retainAll(set.tags()));
        if (wanted != null) {
            for (final IntervalSet set : sets) {
                if (!set.tags().contains(wanted)) {
                    throw new CompareException("tag=" + wanted + " is not in set=" + set.name() + ", which has " +
                            String.join(", ", set.tags()));
                }
            }
            return wanted;
        }
        if (common.isEmpty()) {
            throw new CompareException("no tag is common to all: " + String.join("; ", sets.stream()
                    .map(set -> set.name() + " has " + String.join(", ", set.tags())).toList()));
        }
        if (common.contains(USUAL_TAG) || common.size() == 1) {
            return common.contains(USUAL_TAG) ? USUAL_TAG : common.iterator().next();
        }
        throw new CompareException("which tag is to be compared? Common are " + String.join(", ", common));
    }

    private List<QuantileComparison> judged(final List<Blocks> blocks, final List<BlockTests.Result> results) {
        final double[] chances = new double[2 * results.size()];
        for (int index = 0; index < results.size(); index++) {
            final BlockTests.Result result = results.get(index);
            chances[2 * index] = result == null ? Double.NaN : result.chance();
            chances[2 * index + 1] = result == null ? Double.NaN : result.typicalChance();
        }
        final double[] corrected = holm(chances);
        final List<QuantileComparison> judged = new ArrayList<>();
        for (int index = 0; index < results.size(); index++) {
            judged.add(judged(blocks.get(index), results.get(index), corrected[2 * index], corrected[2 * index + 1]));
        }
        return judged;
    }

    private QuantileComparison judged(
            final Blocks blocks, final BlockTests.Result result, final double chance, final double typicalChance) {
        if (result == null) {
            return new QuantileComparison(blocks.quantile(), blocks.lengthS(), blocks.countA(), blocks.countB(),
                    null, 0, Verdict.TOO_LITTLE_DATA, Verdict.TOO_LITTLE_DATA, false);
        }
        Verdict whole = verdict(result.change(), chance);
        Verdict typical = verdict(result.typicalChange(), typicalChance);
        boolean isWithinRuns = false;
        if (whole != Verdict.NO_DIFFERENCE || typical != Verdict.NO_DIFFERENCE) {
            final double[][] runs = blocks.runQuantiles();
            isWithinRuns = !RunSpread.isExceeded(runs[0], runs[1], options.level());
            whole = isWithinRuns ? Verdict.NO_DIFFERENCE : whole;
            typical = isWithinRuns ? Verdict.NO_DIFFERENCE : typical;
        }
        return new QuantileComparison(blocks.quantile(), blocks.lengthS(), blocks.countA(), blocks.countB(),
                result, 1 - Math.min(chance, typicalChance), whole, typical, isWithinRuns);
    }

    private Verdict verdict(final double change, final double chance) {
        if (chance > options.level() || Math.abs(change) < options.threshold()) {
            return Verdict.NO_DIFFERENCE;
        }
        return change > 0 ? Verdict.SLOWER : Verdict.FASTER;
    }

    /** Holm's step-down procedure; what was not tested is NaN, and stays it. */
    static double[] holm(final double[] chances) {
        final int[] order = IntStream.range(0, chances.length).filter(index -> !Double.isNaN(chances[index])).boxed()
                .sorted(Comparator.comparingDouble(index -> chances[index])).mapToInt(Integer::intValue).toArray();
        final double[] corrected = new double[chances.length];
        Arrays.fill(corrected, Double.NaN);
        double highest = 0;
        for (int place = 0; place < order.length; place++) {
            highest = Math.max(highest, Math.min(1, (order.length - place) * chances[order[place]]));
            corrected[order[place]] = highest;
        }
        return corrected;
    }
}
