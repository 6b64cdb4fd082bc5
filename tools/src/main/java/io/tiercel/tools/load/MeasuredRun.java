package io.tiercel.tools.load;

import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * Settings of one run, and the putting together of its generator, its recorders and its live report. Set, then used
 * once.
 */
public final class MeasuredRun {

    private static final long DRAIN_TIMEOUT_NS = 2_000_000_000L;

    private final NanoClock clock;
    private final LoadTarget target;
    private int maxInFlight = 1_024;
    private long firstIndex;
    private long maxCount = Long.MAX_VALUE;
    private long durationNs = Long.MAX_VALUE / 4;
    private long headCount;
    private long[] trace = {};
    private ProgressBar progressBar;
    private LiveReport.IntervalLog log;
    private String tag = "roundTrip";

    public MeasuredRun(final NanoClock clock, final LoadTarget target) {
        this.clock = clock;
        this.target = target;
    }

    /** Unanswered requests at most. */
    public MeasuredRun maxInFlight(final int count) {
        maxInFlight = count;
        return this;
    }

    /** Which requests are sent: {@code count} at most, from an index on. */
    public MeasuredRun requests(final long first, final long count) {
        firstIndex = first;
        maxCount = count;
        return this;
    }

    /** Requests due later than this are not part of the run. Without it, all are. */
    public MeasuredRun durationNs(final long newDurationNs) {
        durationNs = newDurationNs;
        return this;
    }

    /** How many first requests are also recorded by themselves. */
    public MeasuredRun headCount(final long count) {
        headCount = count;
        return this;
    }

    /** An array that takes each latency at its request's index; requests beyond its length are not traced. */
    public MeasuredRun trace(final long[] latenciesNs) {
        trace = latenciesNs;
        return this;
    }

    public MeasuredRun progress(final ProgressBar bar) {
        progressBar = bar;
        return this;
    }

    /** Where interval histograms go; null for nowhere. */
    public MeasuredRun log(final LiveReport.IntervalLog newLog, final String newTag) {
        log = newLog;
        tag = newTag;
        return this;
    }

    public Measurement openLoop(final Schedule schedule) {
        final HiccupRecorder hiccups = new HiccupRecorder();
        final LatencyRecorder recorder = new LatencyRecorder(firstIndex + headCount, trace);
        final LoadGenerator generator = new LoadGenerator(clock, target, maxInFlight, DRAIN_TIMEOUT_NS, hiccups);
        try (LiveReport report = LiveReport.start(recorder, progressBar, log, tag)) {
            final LoadCounts counts = generator.runOpenLoop(schedule, firstIndex, maxCount, durationNs, recorder);
            final Histogram latencies = report.finish();
            return new Measurement(counts, latencies, recorder, hiccups);
        }
    }

    /** Each request is sent when the one before it is answered. */
    public Measurement closedLoop() {
        final HiccupRecorder hiccups = new HiccupRecorder();
        final LatencyRecorder recorder = new LatencyRecorder(firstIndex + headCount, trace);
        final LoadGenerator generator = new LoadGenerator(clock, target, 1, DRAIN_TIMEOUT_NS, hiccups);
        try (LiveReport report = LiveReport.start(recorder, progressBar, log, tag)) {
            final LoadCounts counts = generator.runClosedLoop(firstIndex, maxCount, durationNs, recorder);
            final Histogram latencies = report.finish();
            return new Measurement(counts, latencies, recorder, hiccups);
        }
    }
}
