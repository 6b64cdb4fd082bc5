package io.tiercel.tools.replay;

import io.tiercel.replay.table.JournalDatabase;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.journal.RowSink;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tiercel replay query}: asks a journal in SQL. */
@Command(
        name = "query",
        mixinStandardHelpOptions = true,
        description = {
            "Answers one SELECT over a journal, in DuckDB's SQL.",
            "Tables: requests, outcomes, stages; \"describe requests\" lists the columns. Only what the statement "
                    + "reads is taken from the journal. It can read other files too, such as labels.csv."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:answered, or the reader closed the pipe",
            "1:a damaged record, or a bundle that is missing; what is before it was answered from",
            "2:bad arguments, or a statement that is no SELECT or is wrong",
            "3:the machine or a file failed"
        })
public final class QueryCommand implements Callable<Integer> {

    private final OutputStream standardOutput;

    @Mixin
    private TableArguments tables;

    @Option(names = "--format", paramLabel = "FORMAT", defaultValue = "table",
            description = "table for people; csv; json, an object a line (default: ${DEFAULT-VALUE}).")
    private String format;

    @Parameters(paramLabel = "SELECT", description = "The statement.")
    private String sql;

    @Spec
    private CommandSpec spec;

    /** Writes to the process's standard output, past {@code System.out}, which hides a closed pipe. */
    public QueryCommand() {
        this(new FileOutputStream(FileDescriptor.out));
    }

    QueryCommand(final OutputStream standardOutput) {
        this.standardOutput = standardOutput;
    }

    @Override
    public Integer call() {
        final ResultFormat rows = resultFormat();
        try (JournalDatabase database = tables.open()) {
            tables.answering(() -> write(database, rows));
            return tables.conclude(database);
        }
    }

    private void write(final JournalDatabase database, final ResultFormat rows) {
        final RowSink sink = new RowSink(standardOutput);
        try (ResultSet result = database.query(sql)) {
            tables.clearProgress();
            rows.write(result, sink);
            sink.flush();
        } catch (final SQLException ex) {
            throw JournalDatabase.failure(ex);
        } catch (final IOException ex) {
            throw ToolException.environment("standard output cannot be written: " + ex.getMessage(), ex);
        }
    }

    private ResultFormat resultFormat() {
        return switch (format.toLowerCase(Locale.ROOT)) {
            case "table" -> new ResultTable();
            case "csv" -> new ResultCsv();
            case "json" -> new ResultJson();
            default -> throw new ParameterException(
                    spec.commandLine(), "--format=" + format + " is not one of table, csv, json");
        };
    }
}
