package io.tiercel.tools.journal;

import io.tiercel.appliance.engine.NoBackendException;
import io.tiercel.appliance.journal.JournalException;
import io.tiercel.replay.SnapshotDifference;
import io.tiercel.replay.SnapshotReport;
import io.tiercel.replay.SnapshotVerifier;
import io.tiercel.tools.BackendOption;
import io.tiercel.tools.CountProgress;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel snapshot verify}: computes the states of snapshots again and compares every bit. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        description = {
            "Checks a journal's snapshots: each file, that its bundles are in the journal, and that every session in " +
                    "it stands where the journal's requests bring it, hash and state bit for bit.",
            "Stops at the first difference and at the first damage. Where the journal's beginning was removed, its " +
                    "oldest snapshot is taken as it is."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every session compared is bit-identical; there may be no snapshot",
            "1:a difference, or a damaged snapshot or journal",
            "2:bad arguments",
            "3:the machine or a file failed"
        })
public final class SnapshotVerifyCommand implements Callable<Integer> {

    @Mixin
    private JournalArguments journal;

    @Option(names = "--sequence", paramLabel = "N",
            description = "Verifies the snapshot of that sequence only, from the one before it on.")
    private Long sequence;

    @Mixin
    private BackendOption backend;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the report as JSON as well.")
    private Path json;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        final Path directory = journal.directory();
        Json.checkWritable("--json", json);
        final PrintWriter out = spec.commandLine().getOut();
        final SnapshotReport report = verify(directory, out);
        print(report, out);
        if (json != null) {
            Json.write(json, toJson(report));
        }
        return report.isIdentical() ? ExitCode.OK : ExitCode.CHECK_FAILED;
    }

    private SnapshotReport verify(final Path directory, final PrintWriter out) {
        final boolean isInteractive = Terminal.isInteractive();
        final CountProgress progress = new CountProgress("snapshots", out, isInteractive, SystemNanoClock.INSTANCE);
        final SnapshotVerifier verifier = new SnapshotVerifier(directory, backend.name(), (doneCount, totalCount) -> {
            if (isInteractive) {
                progress.show(doneCount, totalCount);
            }
        }, SystemNanoClock.INSTANCE);
        try {
            return sequence == null ? verifier.verifyAll() : verifier.verify(sequence);
        } catch (final IllegalArgumentException ex) {
            throw new ParameterException(spec.commandLine(), "--" + ex.getMessage(), ex);
        } catch (final NoBackendException | JournalException ex) {
            throw ToolException.environment(ex.getMessage(), ex);
        } finally {
            progress.clear();
        }
    }

    private static void print(final SnapshotReport report, final PrintWriter out) {
        out.println("journal     " + report.journalDirectory());
        if (report.baseSequence() >= 0) {
            out.println("began at    snapshot sequence " + report.baseSequence() + ", taken as it is");
        }
        for (final SnapshotReport.VerifiedSnapshot snapshot : report.verified()) {
            out.println("verified    snapshot sequence " + snapshot.sequence() + ": " + snapshot.sessionCount() +
                    " sessions and " + snapshot.answerCount() + " answers bit-identical");
        }
        out.printf(Locale.ROOT, "computed    %,d requests, %.2f s%n", report.requestCount(), report.elapsedNs() / 1e9);
        out.println("snapshots: " + result(report));
        out.flush();
    }

    private static String result(final SnapshotReport report) {
        if (report.difference() != null) {
            return "DIFFERENT, " + report.difference();
        }
        if (report.damage() != null) {
            return "FAILED, " + report.damage();
        }
        return report.verified().size() + " verified, " + report.sessionCount() + " sessions and " +
                report.answerCount() + " answers bit-identical";
    }

    private static Map<String, Object> toJson(final SnapshotReport report) {
        final Map<String, Object> content = new LinkedHashMap<>();
        content.put("journal", report.journalDirectory().toString());
        content.put("ok", report.isIdentical());
        content.put("baseSequence", report.baseSequence() < 0 ? null : report.baseSequence());
        content.put("requests", report.requestCount());
        content.put("sessions", report.sessionCount());
        content.put("answers", report.answerCount());
        final List<Object> verified = new ArrayList<>();
        for (final SnapshotReport.VerifiedSnapshot snapshot : report.verified()) {
            verified.add(Map.of("sequence", snapshot.sequence(), "sessions", snapshot.sessionCount(),
                    "answers", snapshot.answerCount()));
        }
        content.put("verified", verified);
        content.put("elapsedNs", report.elapsedNs());
        content.put("difference", report.difference() == null ? null : toJson(report.difference()));
        content.put("damage", report.damage() == null ? null : report.damage().toString());
        return content;
    }

    private static Map<String, Object> toJson(final SnapshotDifference difference) {
        final Map<String, Object> content = new LinkedHashMap<>();
        content.put("sequence", difference.sequence());
        content.put("principalId", String.format(Locale.ROOT, "%016x", difference.principalId()));
        content.put("sessionKey", difference.sessionKey());
        content.put("modelIndex", difference.modelIndex());
        content.put("field", difference.field());
        content.put("snapshot", difference.expected());
        content.put("computed", difference.actual());
        return content;
    }
}
