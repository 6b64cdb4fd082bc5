package io.tiercel.tools.replay;

import io.tiercel.replay.report.Plots;
import io.tiercel.replay.report.ReportException;
import io.tiercel.replay.tail.OverTime;
import io.tiercel.replay.tail.TailAnalysis;
import io.tiercel.replay.tail.TailOptions;
import io.tiercel.replay.tail.TailReport;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.Tracks;
import io.tiercel.tools.CountProgress;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel replay tail}: why the slow requests were slow. */
@Command(
        name = "tail",
        mixinStandardHelpOptions = true,
        description = {
            "Explains the slowest requests of a journal: in which leg of the way the time went, what was in the batch, "
                    + "what the machine did meanwhile, and which causes explain most of it.",
            "Needs no bundle and computes nothing again. Nothing is written into the journal."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the report was written",
            "1:a damaged journal, or tracks that cannot be read",
            "2:bad arguments, or a stretch without an answered request",
            "3:the machine or a file failed"
        })
public final class TailCommand implements Callable<Integer> {

    private static final double DEFAULT_PERCENTILE = 99.9;
    private static final int DEFAULT_ROWS = 20;
    /** Of the stretch, in the picture over time. */
    private static final int PIECES = 500;
    /** Of heap, for each request: its columns while they grow, what is sorted, 4 for each cause that there is. */
    private static final int BYTES_PER_REQUEST = 300;

    @Mixin
    private StretchArguments stretch;

    @Option(names = "--slowest", paramLabel = "N", description = "Explains the N slowest requests.")
    private Integer slowest;

    @Option(names = "--past", paramLabel = "P",
            description = "Explains all requests from this percentile on, and says what it would be without each "
                    + "cause. Default: " + DEFAULT_PERCENTILE + ", of which the " + DEFAULT_ROWS
                    + " slowest are shown.")
    private Double past;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the report as JSON as well.")
    private Path json;

    @Option(names = "--html", paramLabel = "FILE", description = "Writes the report with its plots as a page as well.")
    private Path html;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        final TailOptions options = options();
        stretch.check();
        stretch.checkOutput("--json", json);
        stretch.checkOutput("--html", html);
        checkFonts();
        final RequestTimeline requests = requests();
        final Tracks tracks = stretch.tracks(requests);
        final TailAnalysis analysis = new TailAnalysis(requests, tracks);
        final TailReport report = report(analysis, options);
        final int rows = slowest == null && past == null ? DEFAULT_ROWS : Integer.MAX_VALUE;
        final PrintWriter out = spec.commandLine().getOut();
        out.print(TailText.of(stretch.directory(), stretch.telemetryDirectory(), report, rows));
        out.flush();
        if (json != null) {
            writeJson(report);
        }
        if (html != null) {
            writeHtml(report, analysis, OverTime.of(requests, tracks, PIECES), rows);
        }
        return ExitCode.OK;
    }

    private TailOptions options() {
        if (slowest != null && slowest < 1) {
            throw ToolException.badArgument("--slowest=" + slowest + " is below 1");
        }
        if (slowest != null && past != null) {
            throw ToolException.badArgument("--slowest=" + slowest + " and --past=" + past + " exclude each other");
        }
        if (past != null && !(past > 0 && past < 100)) {
            throw ToolException.badArgument("--past=" + past + " is not between 0 and 100");
        }
        return new TailOptions(slowest == null ? 0 : slowest, past == null ? DEFAULT_PERCENTILE : past);
    }

    private void checkFonts() {
        try {
            if (html != null) {
                Plots.checkFonts();
            }
        } catch (final ReportException ex) {
            throw ToolException.environment("--html=" + html + ": " + ex.getMessage(), ex);
        }
    }

    private RequestTimeline requests() {
        final boolean isInteractive = Terminal.isErrorInteractive();
        final CountProgress progress = new CountProgress(
                "reading", spec.commandLine().getErr(), isInteractive, SystemNanoClock.INSTANCE);
        try {
            return stretch.requests(mostRequests(), isInteractive ? progress::show : null);
        } finally {
            progress.clear();
        }
    }

    /** More would end in no memory, instead of in a line that says what to do. */
    private static int mostRequests() {
        return (int) Math.min(Integer.MAX_VALUE / 2, Runtime.getRuntime().maxMemory() / BYTES_PER_REQUEST);
    }

    private static TailReport report(final TailAnalysis analysis, final TailOptions options) {
        try {
            return analysis.report(options);
        } catch (final IllegalArgumentException ex) {
            throw new ToolException(ExitCode.BAD_ARGUMENTS, ex.getMessage(), ex);
        }
    }

    private void writeJson(final TailReport report) {
        try {
            Files.writeString(json, TailJson.of(stretch.directory(), report));
        } catch (final IOException ex) {
            throw ToolException.environment("--json=" + json + " cannot be written: " + ex, ex);
        }
    }

    private void writeHtml(
            final TailReport report, final TailAnalysis analysis, final OverTime overTime, final int rows) {
        try {
            TailHtml.of(TailText.summary(stretch.directory(), stretch.telemetryDirectory(), report), report, analysis,
                    overTime, rows).write(html);
        } catch (final ReportException ex) {
            throw ToolException.environment("--html=" + html + ": " + ex.getMessage(), ex);
        }
    }
}
