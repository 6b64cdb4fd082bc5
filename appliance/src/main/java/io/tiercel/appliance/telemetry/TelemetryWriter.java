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
import java.util.LinkedHashMap;
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

    private final List<StageSource> stageSources = new ArrayList<>();
    private final Map<String, Source> hiccupSources = new LinkedHashMap<>();
    private final Listener listener;
    private final EpochClock epochClock;
    private final long intervalMs;
    private final PrintStream stream;
    private final HistogramLogWriter log;
    private final long baseMs;
    private long intervalStartMs;

    /** Told of each interval as it is written; of histograms that hold something. The telemetry thread. */
    interface Listener {

        /** @param histogramNs valid during the call. */
        void onStage(Stage stage, int modelIndex, Histogram histogramNs);

        /** @param histogramNs valid during the call. */
        void onHiccups(String thread, Histogram histogramNs);

        void onIntervalEnd(long startMs, long endMs);
    }

    /** A recorder and the histogram that it swaps with its next one. */
    private static final class Source {
        private final SingleWriterRecorder recorder;
        private Histogram histogram;

        private Source(final SingleWriterRecorder recorder) {
            this.recorder = recorder;
        }

        private Histogram next(final long startMs, final long endMs) {
            histogram = recorder.getIntervalHistogram(histogram);
            histogram.setStartTimeStamp(startMs);
            histogram.setEndTimeStamp(endMs);
            return histogram;
        }
    }

    /** A stage, model by model, and all of them together, which is what the file has. */
    private static final class StageSource {
        private final Stage stage;
        private final List<Source> models = new ArrayList<>();
        private final Histogram sum;

        private StageSource(final Stage stage, final StageRecorder recorders) {
            this.stage = stage;
            for (int model = 0; model < recorders.modelCount(); model++) {
                models.add(new Source(recorders.recorder(model, stage)));
            }
            sum = StageRecorder.newHistogram();
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
            final EpochClock epochClock,
            final Listener listener) throws IOException {
        for (final Stage stage : Stage.values()) {
            stageSources.add(new StageSource(stage, stages));
        }
        hiccups.forEach((role, recorder) -> hiccupSources.put(role, new Source(recorder.recorder())));
        this.listener = listener;
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
        for (final StageSource source : stageSources) {
            source.sum.reset();
            for (int model = 0; model < source.models.size(); model++) {
                final Histogram histogramNs = source.models.get(model).next(intervalStartMs, nowMs);
                if (histogramNs.getTotalCount() > 0) {
                    source.sum.add(histogramNs);
                    listener.onStage(source.stage, model, histogramNs);
                }
            }
            write(source.stage.tag(), source.sum, nowMs);
        }
        hiccupSources.forEach((role, source) -> {
            final Histogram histogramNs = source.next(intervalStartMs, nowMs);
            if (histogramNs.getTotalCount() > 0) {
                listener.onHiccups(role, histogramNs);
            }
            write("hiccup-" + role, histogramNs, nowMs);
        });
        stream.flush();
        listener.onIntervalEnd(intervalStartMs, nowMs);
        intervalStartMs = nowMs;
    }

    private void write(final String tag, final Histogram histogramNs, final long nowMs) {
        if (histogramNs.getTotalCount() > 0) {
            histogramNs.setTag(tag);
            histogramNs.setStartTimeStamp(intervalStartMs);
            histogramNs.setEndTimeStamp(nowMs);
            log.outputIntervalHistogram(
                    (intervalStartMs - baseMs) / MS_PER_S, (nowMs - baseMs) / MS_PER_S, histogramNs, NS_PER_US);
        }
    }
}
