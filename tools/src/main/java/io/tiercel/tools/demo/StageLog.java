package io.tiercel.tools.demo;

import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;

/**
 * The appliance's own telemetry after a run: the interval histograms of each stage added up, by tag, and those of its
 * threads' hiccups.
 */
final class StageLog {

    private static final String HICCUP_PREFIX = "hiccup-";

    private final Map<String, Histogram> stages = new LinkedHashMap<>();
    private final Map<String, Histogram> hiccups = new LinkedHashMap<>();

    /** Reads every {@code .hlog} file in a directory. */
    static StageLog read(final Path directory) {
        final StageLog log = new StageLog();
        try (var files = Files.newDirectoryStream(directory, "*.hlog")) {
            for (final Path file : files) {
                log.add(file);
            }
        } catch (final IOException e) {
            throw ToolException.environment("cannot read the appliance's telemetry in " + directory + ": "
                    + e.getMessage(), e);
        }
        return log;
    }

    /** Stage latencies, ns, by stage. */
    Map<String, Histogram> stages() {
        return stages;
    }

    /** Idle cycles of the appliance's threads that took long, ns, by the thread's role. */
    Map<String, Histogram> hiccups() {
        return hiccups;
    }

    private void add(final Path file) throws IOException {
        try (HistogramLogReader reader = new HistogramLogReader(file.toFile())) {
            while (reader.hasNext()) {
                final EncodableHistogram interval = reader.nextIntervalHistogram();
                if (interval instanceof Histogram histogram && histogram.getTag() != null) {
                    add(histogram);
                }
            }
        }
    }

    private void add(final Histogram interval) {
        final String tag = interval.getTag();
        final boolean isHiccup = tag.startsWith(HICCUP_PREFIX);
        final Map<String, Histogram> target = isHiccup ? hiccups : stages;
        target.computeIfAbsent(isHiccup ? tag.substring(HICCUP_PREFIX.length()) : tag, ignored -> empty())
                .add(interval);
    }

    private static Histogram empty() {
        final Histogram histogram = new Histogram(3);
        histogram.setAutoResize(true);
        return histogram;
    }
}
