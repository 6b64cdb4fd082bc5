package io.tiercel.tools.replay;

import io.tiercel.replay.report.HtmlReport;
import io.tiercel.replay.report.Plots;
import io.tiercel.replay.report.ReportException;
import io.tiercel.tools.Json;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.journal.JournalArguments;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that say where a report goes: never into a journal, which is only read. */
final class ReportArguments {

    @Option(names = "--html", paramLabel = "FILE",
            description = "Writes the report with its plots as one HTML file that loads nothing.")
    private Path html;

    @Option(names = "--png", paramLabel = "DIR", description = "Writes each plot here as PNG.")
    private Path png;

    /** Fails now, in one line, rather than after a long run. */
    void check() {
        Json.checkWritable("--html", html);
        checkOutsideOfJournals("--html", html);
        checkOutsideOfJournals("--png", png);
        if (png != null && Files.exists(png) && !(Files.isDirectory(png) && Files.isWritable(png))) {
            throw ToolException.badArgument("--png=" + png + " is not a writable directory");
        }
        if (isWanted()) {
            try {
                Plots.checkFonts();
            } catch (final ReportException e) {
                throw ToolException.environment(e.getMessage(), e);
            }
        }
    }

    /** @throws ToolException if a file would lie in a journal. */
    static void checkOutsideOfJournals(final String option, final Path file) {
        Path folder = file == null ? null : file.toAbsolutePath().normalize();
        while (folder != null) {
            if (JournalArguments.problem(folder) == null) {
                throw ToolException.badArgument(
                        option + "=" + file + " lies in the journal " + folder + ", which is only read");
            }
            folder = folder.getParent();
        }
    }

    boolean isWanted() {
        return html != null || png != null;
    }

    void write(final HtmlReport report, final PrintWriter out) {
        try {
            if (html != null) {
                report.write(html);
                out.println("report      " + html);
            }
            if (png != null) {
                out.println("plots       " + png + ": " + report.writePngs(png).size() + " PNG files");
            }
        } catch (final ReportException e) {
            throw ToolException.environment(e.getMessage(), e);
        }
    }
}
