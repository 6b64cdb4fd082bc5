package io.tiercel.replay.table;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.agrona.IoUtil;
import org.duckdb.DuckDBConnection;
import org.duckdb.DuckDBDriver;

/**
 * A DuckDB in memory that keeps to itself: no extension is installed, loaded or looked for, nothing lies in the user's
 * home, and what does not fit in memory lies in a directory that is removed at the end.
 */
final class DuckDb implements AutoCloseable {

    private static final String URL = "jdbc:duckdb:";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Without these a plan shows each column that it reads in the scan that reads it, whatever rows there are. */
    private static final String UNTOLD_OPTIMISERS = "filter_pushdown,statistics_propagation,empty_result_pullup";

    private final Path spillDirectory;
    private final DuckDBConnection connection;

    private DuckDb(final Path spillDirectory, final DuckDBConnection connection) {
        this.spillDirectory = spillDirectory;
        this.connection = connection;
    }

    /** @throws TableException if it cannot be had on this machine. */
    static DuckDb open(final TableOptions options) {
        final Path spillDirectory = newSpillDirectory(options.spillDirectory());
        try {
            return new DuckDb(spillDirectory, (DuckDBConnection) new DuckDBDriver().connect(
                    URL, properties(options, spillDirectory)));
        } catch (final SQLException | LinkageError | RuntimeException ex) {
            IoUtil.delete(spillDirectory.toFile(), true);
            throw new TableException("DuckDB cannot be started: " + oneLine(String.valueOf(ex.getMessage())), ex);
        }
    }

    private static Properties properties(final TableOptions options, final Path spillDirectory) {
        final Properties properties = new Properties();
        properties.setProperty("threads", Integer.toString(options.threads()));
        properties.setProperty("memory_limit", options.memoryBytes() + "B");
        properties.setProperty("temp_directory", spillDirectory.toString());
        properties.setProperty("extension_directory", spillDirectory.resolve("extensions").toString());
        properties.setProperty("autoinstall_known_extensions", "false");
        properties.setProperty("autoload_known_extensions", "false");
        properties.setProperty("allow_community_extensions", "false");
        properties.setProperty("allow_persistent_secrets", "false");
        properties.setProperty(DuckDBDriver.JDBC_STREAM_RESULTS, "true");
        return properties;
    }

    private static Path newSpillDirectory(final Path parent) {
        try {
            return parent == null
                    ? Files.createTempDirectory("tiercel-tables-")
                    : Files.createTempDirectory(parent, "tiercel-tables-");
        } catch (final IOException ex) {
            throw new TableException("no directory can be made in spill=" +
                    (parent == null ? System.getProperty("java.io.tmpdir") : parent) + ": " + ex, ex);
        }
    }

    /** What lies in it is of no use to anybody else. */
    Path spillDirectory() {
        return spillDirectory;
    }

    DuckDBConnection connection() {
        return connection;
    }

    void execute(final String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /**
     * Refuses what is not one SELECT. DuckDB's parser says so: that it can write a statement as JSON only if it is one.
     *
     * @throws QueryException with the parser's words.
     */
    void requireSelect(final String sql) {
        final JsonNode parsed;
        try (PreparedStatement statement = connection.prepareStatement("SELECT json_serialize_sql(?::VARCHAR)")) {
            statement.setString(1, sql);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                parsed = JSON.readTree(result.getString(1));
            }
        } catch (final SQLException | JsonProcessingException ex) {
            throw new QueryException(oneLine(ex.getMessage()), ex);
        }
        if (parsed.path("error").asBoolean()) {
            throw new QueryException("parser".equals(parsed.path("error_type").asText())
                    ? "Parser Error: " + oneLine(parsed.path("error_message").asText())
                    : "one SELECT is answered, and this is another statement: " + oneLine(sql));
        }
        if (parsed.path("statements").size() != 1) {
            throw new QueryException("one SELECT is answered, and there are " + parsed.path("statements").size());
        }
    }

    /**
     * DuckDB's plan of a statement, in which each scan names the columns that it reads.
     *
     * @throws QueryException if the statement is wrong: a name that is not there, types that do not go together.
     */
    JsonNode plan(final String sql) {
        try {
            execute("SET disabled_optimizers = '" + UNTOLD_OPTIMISERS + "'");
            try (Statement statement = connection.createStatement();
                    ResultSet result = statement.executeQuery("EXPLAIN (FORMAT json) " + sql)) {
                result.next();
                return JSON.readTree(result.getString(2));
            } finally {
                execute("SET disabled_optimizers = ''");
            }
        } catch (final SQLException ex) {
            throw failure(ex);
        } catch (final JsonProcessingException ex) {
            throw new IllegalStateException("DuckDB's plan is no JSON", ex);
        }
    }

    /** Of a statement that failed before its first row: DuckDB tells the reason only where rows are not fetched. */
    SQLException reason(final String sql, final SQLException failure) {
        try {
            execute("EXPLAIN ANALYZE " + sql);
            return failure;
        } catch (final SQLException ex) {
            return ex;
        }
    }

    /** What DuckDB says, as a failure of the machine or of what was asked. */
    static RuntimeException failure(final SQLException ex) {
        final String message = oneLine(ex.getMessage());
        return message.startsWith("Out of Memory Error") || message.contains("No space left on device")
                ? new TableException(message, ex)
                : new QueryException(message, ex);
    }

    /** Without the lines that show the place in the statement, and without advice that does not hold here. */
    static String oneLine(final String message) {
        final StringBuilder line = new StringBuilder();
        for (final String part : message.lines().toList()) {
            if (part.startsWith("LINE ") || part.startsWith("Please try installing") ||
                    part.startsWith("Possible solutions")) {
                break;
            }
            line.append(line.isEmpty() || part.isBlank() ? "" : " ").append(part.strip());
        }
        return line.toString();
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (final SQLException ex) {
            throw new TableException("DuckDB cannot be closed: " + oneLine(ex.getMessage()), ex);
        } finally {
            IoUtil.delete(spillDirectory.toFile(), true);
        }
    }
}
