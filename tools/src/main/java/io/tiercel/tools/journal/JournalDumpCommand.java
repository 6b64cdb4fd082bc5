package io.tiercel.tools.journal;

import io.tiercel.replay.DamageException;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.ModelCells;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel journal dump}: requests beside their outcomes, for people and for other programs. */
@Command(
        name = "dump",
        mixinStandardHelpOptions = true,
        description = {
            "Writes the journal's requests beside their outcomes, one sequence a line.",
            "Checks each record that it writes and stops at the first that is not good."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the range was written, or the reader closed the pipe",
            "1:a damaged record; what is before it was written",
            "2:bad arguments",
            "3:the machine or a file failed"
        })
public final class JournalDumpCommand implements Callable<Integer> {

    /** How rows are written. */
    enum Format {
        TABLE, JSON, CSV
    }

    private final OutputStream standardOutput;

    @Mixin
    private JournalArguments journal;

    @Option(names = "--from", paramLabel = "SEQ", description = "First sequence (default: 0).")
    private Long from;

    @Option(names = "--to", paramLabel = "SEQ", description = "Last sequence (default: the last there is).")
    private Long to;

    @Option(names = "--limit", paramLabel = "N", description = "Lines at most (default: all).")
    private Long limit;

    @Option(names = "--format", paramLabel = "FORMAT", defaultValue = "table",
            description = "table for people; json (an object a line) and csv hold every field in full " +
                    "(default: ${DEFAULT-VALUE}).")
    private String format;

    @Option(names = "--queue", paramLabel = "QUEUE", defaultValue = "both",
            description = "requests, outcomes or both (default: ${DEFAULT-VALUE}). One can be read where the other " +
                    "is damaged.")
    private String queue;

    @Spec
    private CommandSpec spec;

    /** Writes to the process's standard output, past {@code System.out}, which hides a closed pipe. */
    public JournalDumpCommand() {
        this(new FileOutputStream(FileDescriptor.out));
    }

    JournalDumpCommand(final OutputStream standardOutput) {
        this.standardOutput = standardOutput;
    }

    @Override
    public Integer call() {
        journal.checkRange(from, to);
        if (limit != null && limit < 0) {
            throw new ParameterException(spec.commandLine(), "--limit=" + limit + " is below 0");
        }
        final JoinedJournal.Queues queues = constant(JoinedJournal.Queues.class, "--queue", queue);
        final RowFormat rows = rowFormat(
                constant(Format.class, "--format", format), queues, new ModelCells(journal.directory()));
        final RowSink sink = new RowSink(standardOutput);
        try (JoinedJournal joined = JoinedJournal.open(journal.directory(), queues)) {
            try {
                dump(joined, rows, sink);
            } finally {
                sink.flush();
            }
        } catch (final DamageException ex) {
            throw new ToolException(ExitCode.CHECK_FAILED, ex.getMessage(), ex);
        } catch (final IOException ex) {
            throw ToolException.environment("standard output cannot be written: " + ex.getMessage(), ex);
        }
        return ExitCode.OK;
    }

    private void dump(final JoinedJournal joined, final RowFormat rows, final RowSink sink) throws IOException {
        final long first = from == null ? 0 : from;
        final long last = to == null ? Long.MAX_VALUE : to;
        long remaining = limit == null ? Long.MAX_VALUE : limit;
        rows.appendHeader(sink.text());
        if (first > 0 && !joined.seek(first)) {
            return;
        }
        while (remaining > 0 && joined.next() && joined.sequence() <= last) {
            rows.appendRow(sink.text(), joined);
            remaining--;
            if (!sink.rowEnded()) {
                return;
            }
        }
    }

    private static RowFormat rowFormat(
            final Format format, final JoinedJournal.Queues queues, final ModelCells models) {
        switch (format) {
            case JSON:
                return new JsonRows(models);
            case CSV:
                return new CsvRows(queues, models);
            default:
                return new TableRows(queues, models);
        }
    }

    private <E extends Enum<E>> E constant(final Class<E> type, final String option, final String text) {
        final StringBuilder allowed = new StringBuilder();
        for (final E value : type.getEnumConstants()) {
            if (value.name().equalsIgnoreCase(text)) {
                return value;
            }
            allowed.append(allowed.isEmpty() ? "" : ", ").append(value.name().toLowerCase(Locale.ROOT));
        }
        throw new ParameterException(spec.commandLine(), option + "=" + text + " is not one of " + allowed);
    }
}
