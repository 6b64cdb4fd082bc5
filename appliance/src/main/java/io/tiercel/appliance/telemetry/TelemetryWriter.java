package io.tiercel.appliance.telemetry;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;
import org.HdrHistogram.SingleWriterRecorder;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.EpochClock;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Writes the stages' histograms once an interval to {@code stages.hlog}, in HdrHistogram's own log format, one line
 * a stage with its name as the tag. Runs on a thread of its own that sleeps between duty cycles; allocates as it
 * likes. What it could not write is lost telemetry, never a lost request: the error goes to the agent's error
 * handler and the next interval is tried again.
 */
public final class TelemetryWriter implements Agent {

    private static final double NS_PER_US = 1_000.0;
    private static final double MS_PER_S = 1_000.0;

    private final List<Source> sources = new ArrayList<>();
    private final EpochClock epochClock;
    private final long intervalMs;
    private final PrintStream stream;
    private final HistogramLogWriter log;
    private final long baseMs;
    private long intervalStartMs;

    /** A recorder and the histogram that it swaps with its next one. */
    private static final class Source {
        private final String tag;
        private final SingleWriterRecorder recorder;
        private Histogram histogram;

        private Source(final String tag, final SingleWriterRecorder recorder) {
            this.tag = tag;
            this.recorder = recorder;
        }
    }

    /**
     * @param hiccups of each hot thread, by the thread's role name; their tags are {@code hiccup-<role>}.
     */
    public TelemetryWriter(
            final StageRecorder stages,
            final Map<String, HiccupRecorder> hiccups,
            final Path directory,
            final long intervalNs,
            final EpochClock epochClock) throws IOException {
        for (final Stage stage : Stage.values()) {
            sources.add(new Source(stage.tag(), stages.recorder(stage)));
        }
        hiccups.forEach((role, recorder) -> sources.add(new Source("hiccup-" + role, recorder.recorder())));
        this.epochClock = epochClock;
        this.intervalMs = Math.max(1, TimeUnit.NANOSECONDS.toMillis(intervalNs));
        Files.createDirectories(directory);
        stream = new PrintStream(
                Files.newOutputStream(directory.resolve("stages.hlog")), false, StandardCharsets.US_ASCII);
        log = new HistogramLogWriter(stream);
        baseMs = epochClock.time();
        intervalStartMs = baseMs;
        log.outputComment("[Tiercel: a tag is a stage or a thread; histograms are in ns, Interval_Max in us]");
        log.outputLogFormatVersion();
        log.outputStartTime(intervalStartMs);
        log.setBaseTime(intervalStartMs);
        log.outputLegend();
    }

    @Override
    public int doWork() {
        final long nowMs = epochClock.time();
        if (nowMs - intervalStartMs < intervalMs) {
            return 0;
        }
        writeInterval(nowMs);
        return 1;
    }

    /** Writes what has been recorded since the last interval, and closes the file. */
    @Override
    public void onClose() {
        writeInterval(epochClock.time());
        stream.close();
    }

    @Override
    public String roleName() {
        return "telemetry";
    }

    private void writeInterval(final long nowMs) {
        for (final Source source : sources) {
            source.histogram = source.recorder.getIntervalHistogram(source.histogram);
            if (source.histogram.getTotalCount() > 0) {
                source.histogram.setTag(source.tag);
                source.histogram.setStartTimeStamp(intervalStartMs);
                source.histogram.setEndTimeStamp(nowMs);
                log.outputIntervalHistogram((intervalStartMs - baseMs) / MS_PER_S, (nowMs - baseMs) / MS_PER_S,
                        source.histogram, NS_PER_US);
            }
        }
        stream.flush();
        intervalStartMs = nowMs;
    }
}
