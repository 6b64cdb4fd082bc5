package io.tiercel.tools.replay;

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

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "FILE", description = "The trace, as JSON.")
    private Path output;

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
        final RequestTimeline requests = stretch.requests(MAX_REQUESTS, null);
        final Tracks tracks = stretch.tracks(requests);
        write(requests, tracks);
        spec.commandLine().getOut().printf(Locale.ROOT,
                "trace: %,d requests, sequence %d to %d, %.3f ms, %,d stalls, %,d JVM pauses: %s%n",
                requests.size(), requests.sequence(0), requests.sequence(requests.size() - 1),
                (requests.egressNs(requests.size() - 1) - requests.ingressNs(0)) / 1e6, tracks.stalls().size(),
                tracks.pauses().size(), output);
        spec.commandLine().getOut().flush();
        return ExitCode.OK;
    }

    private void write(final RequestTimeline requests, final Tracks tracks) {
        final Map<String, String> labels = new LinkedHashMap<>();
        labels.put("journal", stretch.directory().toString());
        labels.put("writtenBy", "tiercel " + BuildInfo.version() + " commit " + BuildInfo.commit());
        try {
            TraceWriter.write(requests, tracks, sessions, labels,
                    Files.newBufferedWriter(output, StandardCharsets.UTF_8));
        } catch (final IOException ex) {
            throw ToolException.environment("--output=" + output + " cannot be written: " + ex, ex);
        }
    }
}
