package io.tiercel.replay.table;

import io.tiercel.replay.DamageException;
import io.tiercel.replay.ModelCells;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.agrona.CloseHelper;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.duckdb.DuckDBResultSet;

/**
 * A journal as the tables of a DuckDB in memory. What a statement reads is known before it runs, from DuckDB's own plan
 * of it, so only those columns are taken from the journal; a table that is exported is not held at all.
 *
 * <p>One {@code SELECT} is answered and nothing else, so no statement can write, attach, install or set anything. It
 * can read other files, such as labels, on purpose. No connection is opened.
 *
 * <p>The journal is opened for reading. At the first damage a table ends, and {@link #damage} says where; the tables
 * that are loaded after it end there too. Beside a running appliance the outcomes end with the requests that were
 * loaded. One thread; DuckDB has its own beside it.
 */
public final class JournalDatabase implements AutoCloseable {

    private static final String STREAM = "journal_stream";
    private static final int ARROW_BATCH_ROWS = 65_536;

    private final TableOptions options;
    private final ModelCells models;
    private final DuckDb duckDb;
    private final BufferAllocator allocator = new RootAllocator();
    private final Map<JournalTable, Set<String>> loadedColumns = new EnumMap<>(JournalTable.class);
    private long toSequence;
    private long rowCount;
    private DamageException damage;

    private JournalDatabase(final TableOptions options, final DuckDb duckDb) {
        this.options = options;
        this.duckDb = duckDb;
        models = new ModelCells(options.journalDirectory());
        toSequence = options.toSequence();
    }

    /**
     * Opens the database; the journal is not read yet.
     *
     * @throws TableException if DuckDB cannot be had on this machine.
     */
    public static JournalDatabase open(final TableOptions options) {
        final JournalDatabase database = new JournalDatabase(options, DuckDb.open(options));
        try {
            for (final JournalTable table : JournalTable.stored()) {
                database.create(table);
            }
            database.duckDb.execute("CREATE VIEW " + JournalTable.STAGES.tableName() + " AS " +
                    JournalTable.STAGES.query(JournalTable.OUTCOMES.tableName()));
            return database;
        } catch (final SQLException ex) {
            database.close();
            throw new IllegalStateException("the tables are refused", ex);
        }
    }

    private void create(final JournalTable table) throws SQLException {
        duckDb.execute("CREATE OR REPLACE TABLE " + table.tableName() + table.columns().stream()
                .map(column -> column.name() + " " + column.type().sqlName())
                .collect(Collectors.joining(", ", " (", ")")));
    }

    /**
     * Answers a statement; what it reads of the journal is loaded first.
     *
     * @return rows, to be read and closed before anything else is asked.
     * @throws QueryException if it is not one SELECT, or is wrong.
     * @throws TableException if the machine cannot answer it.
     */
    public ResultSet query(final String sql) {
        load(sql);
        try {
            final Statement statement = duckDb.connection().createStatement();
            statement.closeOnCompletion();
            return statement.executeQuery(sql);
        } catch (final SQLException ex) {
            throw DuckDb.failure(duckDb.reason(sql, ex));
        }
    }

    /**
     * Writes what a statement answers to a file; what was there is replaced.
     *
     * @throws QueryException as {@link #query}.
     * @throws TableException if the file cannot be written.
     */
    public void export(final String sql, final TableFormat format, final Path file) {
        load(sql);
        write(sql, format, file);
    }

    /**
     * Writes a table to a file; what was there is replaced.
     *
     * @throws TableException if the file cannot be written.
     */
    public void export(final JournalTable table, final TableFormat format, final Path file) {
        stream(table.source(), table.sourceColumns(), () -> write(table.query(STREAM), format, file));
    }

    /** What went wrong while the rows of an answer were read, as {@link #query} has it. */
    public static RuntimeException failure(final SQLException ex) {
        return DuckDb.failure(ex);
    }

    /** The directory that {@link #close} removes; for whoever has to, because the process ends before. */
    public Path spillDirectory() {
        return duckDb.spillDirectory();
    }

    /** Rows that were read from the journal so far. */
    public long rowCount() {
        return rowCount;
    }

    /** What ended a table before the journal's end; null if nothing did. */
    public DamageException damage() {
        return damage;
    }

    private void load(final String sql) {
        duckDb.requireSelect(sql);
        final Map<JournalTable, Set<String>> needed = ScannedColumns.of(duckDb.plan(sql));
        for (final JournalTable table : JournalTable.stored()) {
            if (needed.containsKey(table)) {
                load(table, needed.get(table));
            }
        }
    }

    /** Columns that are not needed stay NULL: nothing reads them. */
    private void load(final JournalTable table, final Set<String> names) {
        final Set<String> loaded = loadedColumns.computeIfAbsent(table, any -> new LinkedHashSet<>());
        if (!loaded.isEmpty() && loaded.containsAll(names)) {
            return;
        }
        loaded.addAll(names);
        loaded.add(table.columns().get(0).name()); // something has to be read where rows are only counted
        final List<Column> columns =
                table.columns().stream().filter(column -> loaded.contains(column.name())).toList();
        final String list = columns.stream().map(Column::name).collect(Collectors.joining(", "));
        stream(table, columns, () -> {
            create(table);
            duckDb.execute("INSERT INTO " + table.tableName() + " (" + list + ") SELECT " + list + " FROM " + STREAM);
        });
    }

    /** Something that reads {@link #STREAM} once. */
    @FunctionalInterface
    private interface StreamReader {
        void read() throws SQLException;
    }

    private void stream(final JournalTable table, final List<Column> columns, final StreamReader reader) {
        try (JournalRows rows = new JournalRows(allocator, table.queues(), models, columns, options, toSequence);
                ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator)) {
            Data.exportArrayStream(allocator, rows, stream);
            duckDb.connection().registerArrowStream(STREAM, stream);
            reader.read();
            duckDb.execute("DROP VIEW " + STREAM);
            account(table, rows);
        } catch (final SQLException ex) {
            throw DuckDb.failure(ex);
        } catch (final IOException ex) {
            throw new IllegalStateException("memory is not closed", ex);
        }
    }

    private void account(final JournalTable table, final JournalRows rows) {
        rowCount += rows.rowCount();
        if (rows.failure() instanceof DamageException found) {
            damage = damage == null ? found : damage;
        } else if (rows.failure() != null) {
            throw rows.failure();
        }
        if (table == JournalTable.REQUESTS) {
            toSequence = Math.min(toSequence, rows.lastSequence());
        }
    }

    private void write(final String sql, final TableFormat format, final Path file) {
        try {
            switch (format) {
                case PARQUET -> duckDb.execute(copy(sql, file, "FORMAT parquet, COMPRESSION zstd"));
                case CSV -> duckDb.execute(copy(sql, file, "FORMAT csv, HEADER true"));
                default -> writeArrow(sql, file);
            }
        } catch (final SQLException ex) {
            final RuntimeException failure = DuckDb.failure(ex);
            throw failure.getMessage().startsWith("IO Error") ? new TableException(failure.getMessage(), ex) : failure;
        } catch (final IOException ex) {
            throw new TableException(file + " cannot be written: " + ex, ex);
        }
    }

    private static String copy(final String sql, final Path file, final String settings) {
        return "COPY (" + sql.strip().replaceFirst(";+\\s*$", "") + "\n) TO '" +
                file.toString().replace("'", "''") + "' (" + settings + ")";
    }

    private void writeArrow(final String sql, final Path file) throws SQLException, IOException {
        try (Statement statement = duckDb.connection().createStatement();
                ResultSet result = statement.executeQuery(sql);
                ArrowReader batches = (ArrowReader) result.unwrap(DuckDBResultSet.class)
                        .arrowExportStream(allocator, ARROW_BATCH_ROWS)) {
            ArrowFiles.write(batches, file);
        }
    }

    @Override
    public void close() {
        CloseHelper.closeAll(duckDb, allocator);
    }
}
