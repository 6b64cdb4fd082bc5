package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Pairs of stretches of the same thing, one right after the other: what two sets that were taken in turns consist of if
 * nothing differs but chance. A coin says of each pair which one is A's.
 */
public final class RunPairs {

    private static final double TURN_S = 0.5;

    private record Pair(IntervalRun first, IntervalRun second) {
    }

    private final List<Pair> pairs = new ArrayList<>();

    private RunPairs() {
    }

    /** Each run is cut into turns of half a second. A turn in which nothing was recorded leaves no pair. */
    public static RunPairs inTurns(final List<IntervalSet> sets, final String wantedTag) {
        final String tag = SetComparator.commonTag(sets, wantedTag);
        final RunPairs result = new RunPairs();
        for (final IntervalSet set : sets) {
            for (final IntervalRun run : set.runs()) {
                result.cut(run, tag);
            }
        }
        if (result.pairs.isEmpty()) {
            throw new CompareException("no two turns of half a second follow each other that have values; intervals " +
                    "may be no longer");
        }
        return result;
    }

    private void cut(final IntervalRun run, final String tag) {
        List<Interval> first = new ArrayList<>();
        List<Interval> second = new ArrayList<>();
        long pair = 0;
        for (final Interval interval : run.intervals(tag)) {
            final long pairHere = (long) (interval.beginS() / (2 * TURN_S));
            if (pairHere != pair) {
                add(run, tag, first, second);
                first = new ArrayList<>();
                second = new ArrayList<>();
                pair = pairHere;
            }
            (interval.beginS() - 2 * TURN_S * pair < TURN_S ? first : second).add(interval);
        }
        add(run, tag, first, second);
    }

    private void add(
            final IntervalRun run, final String tag, final List<Interval> first, final List<Interval> second) {
        if (!first.isEmpty() && !second.isEmpty()) {
            pairs.add(new Pair(part(run, tag, first), part(run, tag, second)));
        }
    }

    private static IntervalRun part(final IntervalRun run, final String tag, final List<Interval> intervals) {
        return new IntervalRun(run.name(), run.unit(), run.beginEpochS(), Map.of(tag, intervals));
    }

    /** Each run with the one that was taken after it. */
    public static RunPairs neighbours(final List<IntervalSet> sets) {
        final List<IntervalRun> runs = sets.stream().flatMap(set -> set.runs().stream()).toList();
        final RunPairs result = new RunPairs();
        for (int run = 1; run < runs.size(); run++) {
            result.pairs.add(new Pair(runs.get(run - 1), runs.get(run)));
        }
        if (result.pairs.isEmpty()) {
            throw new CompareException("runs=" + runs.size() + ": two are needed for a pair");
        }
        return result;
    }

    public int count() {
        return pairs.size();
    }

    /** A and B out of each pair once. */
    public List<IntervalSet> dealt(final RandomGenerator coin) {
        return dealt(pairs, coin);
    }

    /** A and B out of so many pairs, each drawn from all. */
    public List<IntervalSet> drawn(final int count, final RandomGenerator random) {
        return dealt(IntStream.range(0, count).mapToObj(draw -> pairs.get(random.nextInt(pairs.size()))).toList(),
                random);
    }

    private static List<IntervalSet> dealt(final List<Pair> pairs, final RandomGenerator coin) {
        final List<IntervalRun> runsA = new ArrayList<>();
        final List<IntervalRun> runsB = new ArrayList<>();
        for (final Pair pair : pairs) {
            final boolean isFirstA = coin.nextBoolean();
            runsA.add(isFirstA ? pair.first() : pair.second());
            runsB.add(isFirstA ? pair.second() : pair.first());
        }
        return List.of(new IntervalSet("A", runsA), new IntervalSet("B", runsB));
    }
}
