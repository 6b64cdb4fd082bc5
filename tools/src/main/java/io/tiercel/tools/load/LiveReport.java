package io.tiercel.tools.load;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/**
 * Takes interval histograms from a {@link LatencyRecorder} while a run is on: for the progress bar and for the interval
 * log.
 *
 * <p>A thread of its own that sleeps nearly always. It wakes rarely on purpose: with only two cores it takes the
 * measured core while it runs.
 */
public final class LiveReport implements AutoCloseable {

    private static final long INTERVAL_MS = 1_000;

    private final LatencyRecorder recorder;
    private final ProgressBar progressBar;
    private final IntervalLog log;
    private final String tag;
    private final Histogram total = LatencyRecorder.newLiveHistogram();
    private final Object monitor = new Object();
    private final Thread thread;
    private Histogram interval;
    private boolean isClosed;

    private LiveReport(
            final LatencyRecorder recorder, final ProgressBar progressBar, final IntervalLog log, final String tag) {
        this.recorder = recorder;
        this.progressBar = progressBar;
        this.log = log;
        this.tag = tag;
        tick(false); // start the first interval now, and load what a tick needs before the measurement
        this.thread = new Thread(this::run, "live-report");
        thread.setDaemon(true);
    }

    /**
     * @param progressBar may be null.
     * @param log         may be null.
     * @param tag         of the intervals in the log.
     */
    public static LiveReport start(
            final LatencyRecorder recorder, final ProgressBar progressBar, final IntervalLog log, final String tag) {
        final LiveReport report = new LiveReport(recorder, progressBar, log, tag);
        report.thread.start();
        return report;
    }

    /** Ends the thread and takes the last interval; the run must be over. A second call does nothing. */
    @Override
    public void close() {
        synchronized (monitor) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            monitor.notifyAll();
        }
        joinUninterruptibly();
        tick(false);
        if (progressBar != null) {
            progressBar.clear();
        }
    }

    private void joinUninterruptibly() {
        boolean isInterrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (final InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (waitForTick()) {
            tick(true);
        }
    }

    private boolean waitForTick() {
        synchronized (monitor) {
            final long deadlineNs = System.nanoTime() + INTERVAL_MS * 1_000_000;
            long remainingMs = INTERVAL_MS;
            try {
                while (!isClosed && remainingMs > 0) {
                    monitor.wait(remainingMs);
                    remainingMs = (deadlineNs - System.nanoTime()) / 1_000_000;
                }
            } catch (final InterruptedException e) {
                return false;
            }
            return !isClosed;
        }
    }

    private void tick(final boolean isDrawn) {
        interval = recorder.intervalHistogram(interval);
        total.add(interval);
        if (log != null && interval.getTotalCount() > 0) {
            log.write(tag, interval);
        }
        if (isDrawn && progressBar != null) {
            progressBar.draw(
                    total.getTotalCount(), total.getValueAtPercentile(50), total.getValueAtPercentile(99));
        }
    }

    /** An HdrHistogram interval log (.hlog): nanoseconds, one tagged line an interval, readable by its usual tools. */
    public static final class IntervalLog implements AutoCloseable {

        private static final double NS_PER_US = 1_000.0;

        private final HistogramLogWriter writer;

        private IntervalLog(final HistogramLogWriter writer) {
            this.writer = writer;
        }

        /**
         * @param comments lines for the head of the file: what was measured, where.
         */
        public static IntervalLog create(final Path file, final String... comments) {
            try {
                if (file.toAbsolutePath().getParent() != null) {
                    Files.createDirectories(file.toAbsolutePath().getParent());
                }
                final HistogramLogWriter writer = new HistogramLogWriter(file.toFile());
                final long nowMs = System.currentTimeMillis();
                for (final String comment : comments) {
                    writer.outputComment("[" + comment + "]");
                }
                writer.outputLogFormatVersion();
                writer.outputStartTime(nowMs);
                writer.setBaseTime(nowMs);
                writer.outputLegend();
                return new IntervalLog(writer);
            } catch (final IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Appends one interval; the printed maximum is in µs, the histogram itself in ns. */
        public synchronized void write(final String tag, final Histogram interval) {
            interval.setTag(tag);
            final long baseMs = writer.getBaseTime();
            writer.outputIntervalHistogram(
                    (interval.getStartTimeStamp() - baseMs) / 1000.0,
                    (interval.getEndTimeStamp() - baseMs) / 1000.0,
                    interval,
                    NS_PER_US);
        }

        @Override
        public void close() {
            writer.close();
        }
    }
}
