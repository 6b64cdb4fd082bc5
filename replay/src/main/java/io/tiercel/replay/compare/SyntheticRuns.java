package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.HdrHistogram.Histogram;

/**
 * Made-up runs whose tails come in clumps, to count how often a comparison finds what was planted and cries over
 * nothing. Most requests take a few µs; what the machine does beside drifts from second to second; now and then there
 * is an episode of one to some seconds in which a share of the requests takes ten to hundreds of times as long. Runs of
 * the same thing differ by a per cent.
 */
public final class SyntheticRuns {

    private static final double RUN_SPREAD = 0.01;
    private static final double DRIFT_KEPT = 0.7; // from one interval to the next
    private static final double DRIFT_SPREAD = 0.03;
    private static final double EPISODE_CHANCE = 0.08; // to begin in an interval
    private static final double EPISODE_GOES_ON = 0.5;
    private static final double EPISODE_SHARE = 0.02; // of its requests that are late
    private static final double USUAL_NS = 4_000;
    private static final double BODY_SPREAD = 0.18;
    private static final double TAIL_SHARE = 0.03;
    private static final double TAIL_MEAN = 0.6; // of the logarithm of how much longer
    private static final double EPISODE_NS = 60_000;

    private final RandomGenerator random;
    private final int intervalCount;
    private final int requestsPerInterval;

    public SyntheticRuns(final RandomGenerator random, final int intervalCount, final int requestsPerInterval) {
        this.random = random;
        this.intervalCount = intervalCount;
        this.requestsPerInterval = requestsPerInterval;
    }

    /** A run of one-second intervals under the tag {@code total}. */
    public IntervalSet next(final String name) {
        final double usualNs = USUAL_NS * Math.exp(random.nextGaussian() * RUN_SPREAD);
        final List<Interval> intervals = new ArrayList<>();
        double drift = 0;
        boolean isEpisode = false;
        for (int index = 0; index < intervalCount; index++) {
            drift = DRIFT_KEPT * drift + DRIFT_SPREAD * random.nextGaussian();
            isEpisode = random.nextDouble() < (isEpisode ? EPISODE_GOES_ON : EPISODE_CHANCE);
            intervals.add(new Interval(
                    index, 1, ValueCounts.of(interval(usualNs * Math.exp(drift), isEpisode))));
        }
        return new IntervalSet(name, List.of(new IntervalRun(name, "ns", 0, Map.of("total", intervals))));
    }

    private Histogram interval(final double usualNs, final boolean isEpisode) {
        final Histogram histogram = new Histogram(60_000_000_000L, 2);
        final double severity = Math.exp(random.nextGaussian());
        for (int request = 0; request < requestsPerInterval; request++) {
            double ns = usualNs * Math.exp(BODY_SPREAD * random.nextGaussian());
            if (random.nextDouble() < TAIL_SHARE) {
                ns *= Math.exp(TAIL_MEAN * random.nextExponential());
            }
            if (isEpisode && random.nextDouble() < EPISODE_SHARE) {
                ns += severity * EPISODE_NS * random.nextExponential();
            }
            histogram.recordValue((long) Math.min(ns, 59e9));
        }
        return histogram;
    }

    /** The same intervals with everything above a quantile of the whole slower by a factor. */
    public static IntervalSet slowed(
            final IntervalSet set, final String tag, final double fromQuantile, final double factor) {
        final List<IntervalRun> runs = new ArrayList<>();
        for (final IntervalRun run : set.runs()) {
            final IntervalSet alone = new IntervalSet(run.name(), List.of(run));
            final long fromNs = alone.pooled(tag).getValueAtPercentile(100 * fromQuantile);
            final List<Interval> slowed = run.intervals(tag).stream().map(interval -> new Interval(
                    interval.beginS(), interval.lengthS(), interval.values().slowed(fromNs, factor))).toList();
            runs.add(new IntervalRun(run.name(), run.unit(), run.beginEpochS(), Map.of(tag, slowed)));
        }
        return new IntervalSet(set.name() + " slowed", runs);
    }
}
