package io.tiercel.tools.load;

import org.agrona.concurrent.NanoClock;

/**
 * Settings of one run, and the putting together of its generator, its recorders and its live report. A run is one call
 * of {@link #openLoop(Schedule)} or {@link #closedLoop}; or several parts with other runs between them, so that what
 * is compared meets the same moods of the machine, then {@link #finish}.
 *
 * <p>One thread. Closing it ends the live report, also when a part has failed.
 */
public final class MeasuredRun implements AutoCloseable {

    private static final long DRAIN_TIMEOUT_NS = 2_000_000_000L;

    private final NanoClock clock;
    private final LoadTarget target;
    private final HiccupRecorder hiccups = new HiccupRecorder();
    private int maxInFlight = 1_024;
    private boolean givesUp;
    private long firstIndex;
    private long maxCount = Long.MAX_VALUE;
    private long durationNs = Long.MAX_VALUE / 4;
    private long headCount;
    private long[] trace = {};
    private ProgressBar progressBar;
    private LiveReport.IntervalLog log;
    private String tag = "roundTrip";
    private LoadGenerator generator;
    private LatencyRecorder recorder;
    private LiveReport report;
    private LoadCounts counts = LoadCounts.NONE;

    public MeasuredRun(final NanoClock clock, final LoadTarget target) {
        this.clock = clock;
        this.target = target;
    }

    /** Unanswered requests at most. */
    public MeasuredRun maxInFlight(final int count) {
        maxInFlight = count;
        return this;
    }

    /** Requests that find no room when they are due are given up and counted; without it they wait. */
    public MeasuredRun givesUp() {
        givesUp = true;
        return this;
    }

    /** Which requests are sent, by the next part if there are several: {@code count} at most, from an index on. */
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
        try (this) {
            openLoopPart(schedule);
            return finish();
        }
    }

    /** Each request is sent so long after the one before it was answered. */
    public Measurement closedLoop(final long pauseNs) {
        try (this) {
            closedLoopPart(pauseNs);
            return finish();
        }
    }

    /** A part of a run; the schedule begins at its first request. */
    public void openLoopPart(final Schedule schedule) {
        start();
        counts = counts.plus(generator.runOpenLoop(schedule, firstIndex, maxCount, durationNs, recorder));
    }

    /** A part of a run; each request is sent so long after the one before it was answered. */
    public void closedLoopPart(final long pauseNs) {
        start();
        counts = counts.plus(generator.runClosedLoop(pauseNs, firstIndex, maxCount, durationNs, recorder));
    }

    /** Ends the run. */
    public Measurement finish() {
        start();
        close();
        return new Measurement(counts, recorder.whole(), recorder, hiccups);
    }

    @Override
    public void close() {
        if (report != null) {
            report.close();
        }
    }

    private void start() {
        if (generator == null) {
            generator = new LoadGenerator(clock, target, maxInFlight, givesUp, DRAIN_TIMEOUT_NS, hiccups);
            recorder = new LatencyRecorder(firstIndex + headCount, trace);
            if (progressBar != null || log != null) {
                report = LiveReport.start(recorder, progressBar, log, tag);
            }
        }
    }
}
