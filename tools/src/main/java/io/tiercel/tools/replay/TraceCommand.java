package io.tiercel.tools.replay;

import io.tiercel.replay.otel.RequestSpans;
import io.tiercel.replay.otel.SpanCollector;
import io.tiercel.replay.otel.SpanFile;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.Tracks;
import io.tiercel.replay.trace.TraceWriter;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel replay trace}: a stretch of a journal for Perfetto. */
@Command(
        name = "trace",
        mixinStandardHelpOptions = true,
        description = {
            "Writes a stretch of a journal as a trace for Perfetto (https://ui.perfetto.dev) or Chrome: a track for "
                    + "each stage and each session, and beside them what the machine did.",
            "With --format otlp as OpenTelemetry traces: a span for each request and one for each leg of its way, as "
                    + "JSON lines for --output, or sent to a collector at --endpoint.",
            "Needs no bundle and computes nothing again. Nothing is written into the journal."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the trace was written",
            "1:a damaged journal, or tracks that cannot be read",
            "2:bad arguments, a stretch without an answered request, or one that is too long",
            "3:the machine or a file failed"
        })
public final class TraceCommand implements Callable<Integer> {

    /** Some 2 KiB each: more than a browser opens. */
    private static final int MAX_REQUESTS = 200_000;
    private static final int MAX_SESSIONS = 500;

    @Mixin
    private StretchArguments stretch;

    /** Spellings of the option. */
    enum Format {
        perfetto, otlp
    }

    @Option(names = {"-o", "--output"}, paramLabel = "FILE", description = "The trace, as JSON.")
    private Path output;

    @Option(names = "--format", paramLabel = "FORMAT", defaultValue = "perfetto",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Format format;

    @Option(names = "--endpoint", paramLabel = "URL",
            description = "With --format otlp, instead of a file: a collector that takes OTLP in protobuf over HTTP, "
                    + "such as http://localhost:4318/v1/traces.")
    private String endpoint;

    @Option(names = "--service", paramLabel = "NAME", defaultValue = "tiercel",
            description = "With --format otlp: service.name of the spans. Default: ${DEFAULT-VALUE}.")
    private String service;

    @Option(names = "--sessions", paramLabel = "N", defaultValue = "32",
            description = "The N busiest sessions have tracks of their own, the others are together. Default: "
                    + "${DEFAULT-VALUE}.")
    private int sessions;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        stretch.check();
        stretch.checkOutput("--output", output);
        if (sessions < 0 || sessions > MAX_SESSIONS) {
            throw ToolException.badArgument("--sessions=" + sessions + " is not in 0.." + MAX_SESSIONS);
        }
        checkTarget();
        final RequestTimeline requests = stretch.requests(MAX_REQUESTS, null);
        final Tracks tracks = stretch.tracks(requests);
        if (format == Format.otlp) {
            writeSpans(requests, tracks);
        } else {
            write(requests, tracks);
        }
        spec.commandLine().getOut().printf(Locale.ROOT,
                "trace: %,d requests, sequence %d to %d, %.3f ms, %,d stalls, %,d JVM pauses: %s%n",
                requests.size(), requests.sequence(0), requests.sequence(requests.size() - 1),
                (requests.egressNs(requests.size() - 1) - requests.ingressNs(0)) / 1e6, tracks.stalls().size(),
                tracks.pauses().size(), output == null ? endpoint : output);
        spec.commandLine().getOut().flush();
        return ExitCode.OK;
    }

    private void checkTarget() {
        if (format == Format.perfetto && endpoint != null) {
            throw ToolException.badArgument("--endpoint=" + endpoint + " needs --format otlp");
        }
        if ((output == null) == (endpoint == null)) {
            throw ToolException.badArgument(output == null
                    ? "nowhere to write to: --output=FILE" + (format == Format.otlp ? " or --endpoint=URL" : "")
                    : "--output=" + output + " and --endpoint=" + endpoint + " exclude each other");
        }
    }

    private void writeSpans(final RequestTimeline requests, final Tracks tracks) {
        final Map<String, String> labels = new LinkedHashMap<>();
        labels.put("service.name", service);
        labels.put("service.version", BuildInfo.version());
        labels.put("tiercel.journal", stretch.directory().toAbsolutePath().normalize().toString());
        labels.put("tiercel.written_by", "tiercel " + BuildInfo.version() + " commit " + BuildInfo.commit());
        if (endpoint == null) {
            try (SpanFile file = new SpanFile(output)) {
                RequestSpans.write(requests, tracks, labels, file);
            } catch (final IOException ex) {
                throw notWritten(ex);
            }
            return;
        }
        try (SpanCollector collector = new SpanCollector(endpoint)) {
            RequestSpans.write(requests, tracks, labels, collector);
        } catch (final IllegalArgumentException ex) {
            throw ToolException.badArgument("--endpoint=" + endpoint + " is not one: " + ex.getMessage());
        } catch (final IOException ex) {
            throw ToolException.environment(ex.getMessage(), ex);
        }
    }

    private ToolException notWritten(final IOException ex) {
        return ToolException.environment("--output=" + output + " cannot be written: " + ex, ex);
    }

    private void write(final RequestTimeline requests, final Tracks tracks) {
        final Map<String, String> labels = new LinkedHashMap<>();
        labels.put("journal", stretch.directory().toString());
        labels.put("writtenBy", "tiercel " + BuildInfo.version() + " commit " + BuildInfo.commit());
        try {
            TraceWriter.write(requests, tracks, sessions, labels,
                    Files.newBufferedWriter(output, StandardCharsets.UTF_8));
        } catch (final IOException ex) {
            throw notWritten(ex);
        }
    }
}
