package io.tiercel.tools.replay;

import io.tiercel.appliance.journal.JournalException;
import io.tiercel.replay.DamageException;
import io.tiercel.replay.latency.JournalLatency;
import io.tiercel.tools.CountProgress;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.journal.JournalArguments;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel replay report}: the latency of what a journal holds. */
@Command(
        name = "report",
        mixinStandardHelpOptions = true,
        description = {
            "Shows the latency of a journal's requests out of their outcomes' time stamps: by stage, model and client, "
                    +
                    "over time, and what the slow ones spent it on; beside it, where the appliance's telemetry is " +
                    "there, the hiccups of its threads.",
            "Nothing is computed again, and the journal is only read."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:the journal is damaged",
            "2:bad arguments, or no outcome in the range",
            "3:the machine or a file failed"
        })
public final class ReportCommand implements Callable<Integer> {

    @Mixin
    private JournalArguments journal;

    @Option(names = "--from", paramLabel = "SEQ", description = "First sequence. Default: the journal's first.")
    private Long from;

    @Option(names = "--to", paramLabel = "SEQ", description = "Last sequence. Default: the journal's last.")
    private Long to;

    @Mixin
    private ReportArguments report;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        journal.checkRange(from, to);
        report.check();
        final PrintWriter out = spec.commandLine().getOut();
        final JournalLatency latency = read(out);
        if (latency.isEmpty()) {
            throw ToolException.badArgument("--journal=" + journal.directory() + " has no outcome" +
                    (from == null && to == null
                            ? ""
                            : " from " + (from == null ? 0 : from) + " to "
                                    + (to == null ? "its end" : to)));
        }
        final LatencyReport text = new LatencyReport(journal.directory(), latency,
                HiccupTracks.read(journal.directory(), latency));
        out.print(text.text());
        out.flush();
        if (report.isWanted()) {
            report.write(text.html(), out);
        }
        return ExitCode.OK;
    }

    private JournalLatency read(final PrintWriter out) {
        final boolean isInteractive = Terminal.isInteractive();
        final CountProgress progress = new CountProgress("outcomes", out, isInteractive, SystemNanoClock.INSTANCE);
        try {
            return JournalLatency.read(journal.directory(), from == null ? 0 : from, to == null ? Long.MAX_VALUE : to,
                    count -> {
                        if (isInteractive) {
                            progress.show(count, 0);
                        }
                    });
        } catch (final DamageException e) {
            throw new ToolException(ExitCode.CHECK_FAILED, e.getMessage(), e);
        } catch (final JournalException e) {
            throw ToolException.environment(e.getMessage(), e);
        } finally {
            progress.clear();
        }
    }
}
