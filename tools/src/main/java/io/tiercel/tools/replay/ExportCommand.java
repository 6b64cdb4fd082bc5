package io.tiercel.tools.replay;

import io.tiercel.replay.table.JournalDatabase;
import io.tiercel.replay.table.JournalTable;
import io.tiercel.replay.table.TableFormat;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel replay export}: a journal's tables as files that other programs read. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description = {
            "Writes a journal's tables, or what a SELECT over them answers, as Parquet, CSV or Arrow.",
            "A file that is there already is replaced."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:written",
            "1:a damaged record, or a bundle that is missing; what is before it was written",
            "2:bad arguments, or a statement that is no SELECT or is wrong",
            "3:the machine or a file failed"
        })
public final class ExportCommand implements Callable<Integer> {

    @Mixin
    private TableArguments tables;

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "DIR|FILE",
            description = "A file, for one table or for --query; a directory, for requests.FORMAT, outcomes.FORMAT and "
                    +
                    "stages.FORMAT, which is made if its name has no ending.")
    private Path output;

    @Option(names = "--format", paramLabel = "FORMAT",
            description = "parquet, csv or arrow (default: the file's ending, else parquet).")
    private String format;

    @Option(names = "--tables", paramLabel = "NAME", split = ",",
            description = "requests, outcomes, stages, with commas between them (default: all).")
    private List<String> names;

    @Option(names = "--query", paramLabel = "SELECT", description = "Writes what this answers instead, to a file.")
    private String sql;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        final boolean isFile = !Files.isDirectory(output) && !ending().isEmpty();
        final TableFormat chosen = chosenFormat(isFile);
        final Set<JournalTable> wanted = wantedTables();
        if (sql != null && names != null) {
            throw refusal("--query and --tables exclude each other");
        }
        if (sql != null && !isFile) {
            throw refusal(
                    "--output=" + output + " is not a file, which --query needs: end it in ." + chosen.extension());
        }
        if (sql == null && isFile && wanted.size() != 1) {
            throw refusal("--output=" + output + " is one file for " + wanted.size() +
                    " tables: name a directory, or one of --tables");
        }
        tables.requireOutsideOfJournal("--output", output);
        try (JournalDatabase database = tables.open()) {
            makeDirectory(isFile);
            tables.answering(() -> {
                if (sql != null) {
                    write(database, output, () -> database.export(sql, chosen, output));
                } else {
                    wanted.forEach(table -> {
                        final Path file =
                                isFile ? output : output.resolve(table.tableName() + "." + chosen.extension());
                        write(database, file, () -> database.export(table, chosen, file));
                    });
                }
            });
            return tables.conclude(database);
        }
    }

    private void write(final JournalDatabase database, final Path file, final Runnable export) {
        final long startNs = SystemNanoClock.INSTANCE.nanoTime();
        final long rowsBefore = database.rowCount();
        export.run();
        tables.clearProgress();
        final double seconds = (SystemNanoClock.INSTANCE.nanoTime() - startNs) / 1e9;
        final long rowCount = database.rowCount() - rowsBefore;
        final PrintWriter out = spec.commandLine().getOut();
        try {
            out.printf(Locale.ROOT, "%s  %,d bytes of %,d records, %.2f s, %,.0f records/s%n",
                    file, Files.size(file), rowCount, seconds, rowCount / seconds);
        } catch (final IOException ex) {
            throw ToolException.environment(file + " cannot be read: " + ex, ex);
        }
        out.flush();
    }

    private void makeDirectory(final boolean isFile) {
        final Path directory = isFile ? output.toAbsolutePath().getParent() : output;
        try {
            Files.createDirectories(directory);
        } catch (final IOException ex) {
            throw ToolException.environment("--output=" + output + " cannot be made: " + ex, ex);
        }
    }

    private TableFormat chosenFormat(final boolean isFile) {
        final String name = format != null ? format : isFile ? ending() : TableFormat.PARQUET.extension();
        for (final TableFormat each : TableFormat.values()) {
            if (each.extension().equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw refusal((format != null ? "--format=" + format : "--output=" + output + " ends in ." + name + ", which") +
                " is not one of parquet, csv, arrow");
    }

    /** Behind the last dot of the file's name; empty if there is none. */
    private String ending() {
        final String name = output.getFileName() == null ? "" : output.getFileName().toString();
        final int dot = name.lastIndexOf('.');
        return dot <= 0 ? "" : name.substring(dot + 1);
    }

    private Set<JournalTable> wantedTables() {
        if (names == null) {
            return EnumSet.allOf(JournalTable.class);
        }
        final List<JournalTable> wanted = new ArrayList<>();
        for (final String name : names) {
            wanted.add(table(name));
        }
        return EnumSet.copyOf(wanted);
    }

    private JournalTable table(final String name) {
        for (final JournalTable each : JournalTable.values()) {
            if (each.tableName().equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw refusal("--tables=" + name + " is not one of requests, outcomes, stages");
    }

    private ParameterException refusal(final String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
