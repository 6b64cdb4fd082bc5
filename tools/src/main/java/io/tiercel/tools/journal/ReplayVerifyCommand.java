package io.tiercel.tools.journal;

import io.tiercel.appliance.engine.NoBackendException;
import io.tiercel.appliance.journal.JournalException;
import io.tiercel.replay.KernelSpeed;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.ReplayReport;
import io.tiercel.replay.ReplayVerifier;
import io.tiercel.tools.BackendOption;
import io.tiercel.tools.CountProgress;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ThreadsOption;
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

/** {@code tiercel replay verify}: recomputes every outcome of a journal and compares it. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        description = {
            "Computes every outcome of a journal again, in a fresh engine, and compares every bit; outputs of a model "
                    +
                    "that is not exact (family onnx) within the tolerance that its bundle states.",
            "Stops at the first divergence and at the first damage: a gap, a bad checksum, an unknown schema " +
                    "version, a missing bundle."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every outcome compared is bit-identical, or as near as its model's tolerance says",
            "1:a divergence, a damaged journal, or requests without an outcome",
            "2:bad arguments",
            "3:the machine or a file failed"
        })
public final class ReplayVerifyCommand implements Callable<Integer> {

    @Mixin
    private JournalArguments journal;

    @Option(names = "--from", paramLabel = "SEQ",
            description = "First sequence to compare. A session is the sum of all its requests, so what is before it " +
                    "is still read and computed, from the journal's first record, or, if older ones have been removed, "
                    +
                    "from its oldest snapshot on.")
    private Long from;

    @Option(names = "--to", paramLabel = "SEQ",
            description = "Last sequence to compare; the journal must reach it. Nothing after it is read.")
    private Long to;

    @Mixin
    private BackendOption backend;

    @Mixin
    private ThreadsOption threads;

    @Option(names = "--allow-open-tail",
            description = "Requests at the very end without an outcome are counted, and are no failure: after a " +
                    "crash, or while the appliance is running. Without this they are one, because a journal that " +
                    "was closed in good order has none.")
    private boolean allowOpenTail;

    @Option(names = "--measure-kernels",
            description = "Then measures the kernels alone on as many threads, two seconds on the journal's first " +
                    "requests, verifies once more in the process that is now warm, and says which part of the " +
                    "kernels' speed that had.")
    private boolean measuresKernels;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the report as JSON as well.")
    private Path json;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        final Path directory = journal.directory();
        journal.checkRange(from, to);
        final PrintWriter out = spec.commandLine().getOut();
        final boolean isInteractive = Terminal.isInteractive();
        final CountProgress progress = new CountProgress("replay", out, isInteractive, SystemNanoClock.INSTANCE);
        final ReplayOptions options = new ReplayOptions()
                .journalDirectory(directory)
                .fromSequence(from == null ? 0 : from)
                .toSequence(to == null ? Long.MAX_VALUE : to)
                .backend(backend.name())
                .allowOpenTail(allowOpenTail)
                .progress(isInteractive ? progress::show : null);
        threads.set(options);
        final ReplayReport report = verify(options, progress);
        final KernelRatio kernels = measuresKernels && report.isIdentical() ? measureKernels(options, progress) : null;
        out.print(VerifyReport.text(report, kernels));
        out.flush();
        if (json != null) {
            writeJson(report, kernels);
        }
        return report.isIdentical() ? ExitCode.OK : ExitCode.CHECK_FAILED;
    }

    private ReplayReport verify(final ReplayOptions options, final CountProgress progress) {
        try {
            return new ReplayVerifier(options).verify();
        } catch (final NoBackendException | JournalException ex) {
            throw ToolException.environment(ex.getMessage(), ex);
        } finally {
            progress.clear();
        }
    }

    /** @return null if the journal's first requests give nothing to measure. */
    private KernelRatio measureKernels(final ReplayOptions options, final CountProgress progress) {
        final KernelSpeed kernels = KernelSpeed.measure(options);
        if (kernels == null) {
            return null;
        }
        return new KernelRatio(kernels, verify(options, progress));
    }

    private void writeJson(final ReplayReport report, final KernelRatio kernels) {
        try {
            Files.writeString(json, VerifyReport.json(report, kernels));
        } catch (final IOException ex) {
            throw ToolException.environment("--json=" + json + " cannot be written: " + ex, ex);
        }
    }
}
