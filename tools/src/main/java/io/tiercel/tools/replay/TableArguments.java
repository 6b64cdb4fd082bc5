package io.tiercel.tools.replay;

import io.tiercel.replay.table.JournalDatabase;
import io.tiercel.replay.table.QueryException;
import io.tiercel.replay.table.TableException;
import io.tiercel.replay.table.TableOptions;
import io.tiercel.tools.CountProgress;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.journal.JournalArguments;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.agrona.IoUtil;
import org.agrona.SystemUtil;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the commands that make tables of a journal, and how these commands end. */
final class TableArguments {

    private static final long LEAST_MEMORY_BYTES = 64L << 20;
    private static final int MAX_THREADS = 256;

    @Mixin
    private JournalArguments journal;

    @Option(names = "--from", paramLabel = "SEQ", description = "First sequence in the tables (default: 0).")
    private Long from;

    @Option(names = "--to", paramLabel = "SEQ",
            description = "Last sequence in the tables (default: the last there is).")
    private Long to;

    @Option(names = "--threads", paramLabel = "N",
            description = "Threads of DuckDB, one of which reads the journal (default: the machine's cores).")
    private Integer threads;

    @Option(names = "--memory", paramLabel = "SIZE", defaultValue = "4g",
            description = "What DuckDB may hold in memory; the rest of larger tables lies in --spill " +
                    "(default: ${DEFAULT-VALUE}).")
    private String memory;

    @Option(names = "--spill", paramLabel = "DIR",
            description = "Where a directory for what does not fit in memory is made, and removed at the end (default: "
                    +
                    "the system's temporary directory).")
    private Path spill;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    private CountProgress progress;

    /** @throws ParameterException if an argument is wrong. */
    JournalDatabase open() {
        final TableOptions options = options();
        if (Terminal.isErrorInteractive()) {
            progress = new CountProgress("reading", spec.commandLine().getErr(), true, SystemNanoClock.INSTANCE);
            options.progress(progress::show);
        }
        try {
            final JournalDatabase database = JournalDatabase.open(options);
            final File spillDirectory = database.spillDirectory().toFile();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> IoUtil.delete(spillDirectory, true)));
            return database;
        } catch (final TableException ex) {
            throw ToolException.environment(ex.getMessage(), ex);
        }
    }

    private TableOptions options() {
        final Path directory = journal.directory();
        journal.checkRange(from, to);
        if (threads != null && (threads < 1 || threads > MAX_THREADS)) {
            throw new ParameterException(
                    spec.commandLine(), "--threads=" + threads + " is not in 1.." + MAX_THREADS);
        }
        if (spill != null) {
            if (!Files.isDirectory(spill) || !Files.isWritable(spill)) {
                throw new ParameterException(spec.commandLine(), "--spill=" + spill + " is not a writable directory");
            }
            requireOutsideOfJournal("--spill", spill);
        }
        return new TableOptions()
                .journalDirectory(directory)
                .fromSequence(from == null ? 0 : from)
                .toSequence(to == null ? Long.MAX_VALUE : to)
                .threads(threads == null ? Runtime.getRuntime().availableProcessors() : threads)
                .memoryBytes(memoryBytes())
                .spillDirectory(spill);
    }

    private long memoryBytes() {
        try {
            final long bytes = SystemUtil.parseSize("--memory", memory);
            if (bytes >= LEAST_MEMORY_BYTES) {
                return bytes;
            }
        } catch (final NumberFormatException ex) {
            throw new ParameterException(spec.commandLine(), "--memory=" + memory + " is not a size such as 4g", ex);
        }
        throw new ParameterException(spec.commandLine(), "--memory=" + memory + " is below 64m");
    }

    /** @throws ParameterException if a path that is written to lies in the journal. */
    void requireOutsideOfJournal(final String option, final Path path) {
        if (path.toAbsolutePath().normalize().startsWith(journal.directory().toAbsolutePath().normalize())) {
            throw new ParameterException(
                    spec.commandLine(), option + "=" + path + " is in the journal, into which nothing is written");
        }
    }

    /** Runs what asks the database, with its failures as a command's. */
    void answering(final Runnable question) {
        try {
            question.run();
        } catch (final QueryException ex) {
            throw ToolException.badArgument(ex.getMessage());
        } catch (final TableException ex) {
            final String advice = ex.getMessage().startsWith("Out of Memory") ? "; --memory=" + memory : "";
            throw ToolException.environment(ex.getMessage() + advice, ex);
        } finally {
            clearProgress();
        }
    }

    /** Before rows are written to the same terminal. */
    void clearProgress() {
        if (progress != null) {
            progress.clear();
        }
    }

    /**
     * The exit code once all has been answered.
     *
     * @throws ToolException if a table ended at damage.
     */
    int conclude(final JournalDatabase database) {
        if (database.damage() != null) {
            throw new ToolException(ExitCode.CHECK_FAILED, database.damage().getMessage(), database.damage());
        }
        return ExitCode.OK;
    }
}
