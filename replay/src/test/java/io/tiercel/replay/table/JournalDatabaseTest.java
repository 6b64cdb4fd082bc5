package io.tiercel.replay.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.replay.DamageKind;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.JournalFixture;
import io.tiercel.replay.RowText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalDatabaseTest {

    private static final int COUNT = 90;

    @TempDir
    Path directory;

    private final JournalFixture journal = JournalFixture.of(11, COUNT, 6);
    private JournalDatabase database;

    @AfterEach
    void close() {
        if (database != null) {
            database.close();
        }
    }

    @Test
    void shouldHaveEachFieldOfEachRequest() throws SQLException {
        open();
        try (ResultSet rows = database.query("select * from requests order by sequence");
                JoinedJournal records = JoinedJournal.open(directory)) {
            while (records.next()) {
                assertTrue(rows.next());
                assertEquals(records.sequence(), rows.getLong("sequence"));
                assertEquals(RowText.hex(records.principalId()), rows.getString("principal"));
                assertEquals(RowText.hex(records.modelVersion(), 32), rows.getString("model_version"));
                assertEquals(records.requestFrame().templateName(), rows.getString("template"));
                assertEquals(records.requestFrame().correlationId(), rows.getLong("correlation_id"));
                assertEquals(records.requestFrame().sessionKey(), rows.getLong("session_key"));
                assertEquals(records.requestFrame().budgetNs(), rows.getLong("budget_ns"));
                assertEquals(records.requestFrame().stepCount(), rows.getInt("step_count"));
                assertEquals(records.requestFrame().isStream(), rows.getBoolean("stream"));
                assertNull(rows.getObject("tokens"));
                assertEquals(records.requestFrame().isInfer()
                        ? floats(records.requestFrame().buffer(),
                                records.requestFrame().featuresOffset(), records.requestFrame().featuresLength())
                        : null,
                        list(rows, "features"));
            }
            assertFalse(rows.next());
        }
    }

    @Test
    void shouldHaveEachFieldOfEachOutcome() throws SQLException {
        open();
        try (ResultSet rows = database.query("select *, epoch_ns(ingress_time) as ns from outcomes order by sequence");
                JoinedJournal records = JoinedJournal.open(directory)) {
            while (records.next()) {
                assertTrue(rows.next());
                assertEquals(records.sequence(), rows.getLong("sequence"));
                assertEquals(records.ingressNs(), rows.getLong("ns"));
                assertEquals(records.outcomeFrame().status().name(), rows.getString("status"));
                assertEquals(Long.toUnsignedString(records.outcomeFrame().stateHash()), rows.getString("state_hash"));
                assertEquals(records.outcomeFrame().hasSessionBegun(), rows.getBoolean("session_began"));
                assertEquals(records.outcomeFrame().hasSessionEvicted(), rows.getBoolean("session_evicted"));
                assertEquals(records.outcomeFrame().batchSize(), rows.getInt("batch_size"));
                assertEquals(records.outcomeFrame().egressNs(), rows.getLong("egress_ns"));
                final int length = records.outcomeFrame().outputsLength();
                assertEquals(length == 0
                        ? null
                        : floats(records.outcomeFrame().buffer(),
                                records.outcomeFrame().outputsOffset(), length),
                        list(rows, "outputs"));
            }
            assertFalse(rows.next());
        }
    }

    @Test
    void shouldCountStagesAsTelemetryDoes() throws SQLException {
        open();

        assertEquals(List.of("egress 300", "infer 2100", "journal 150", "queue 200", "total 2600"),
                answers("select distinct stage || ' ' || ns as line from stages order by line"));
    }

    @Test
    void shouldReadNothingThatIsNotNamed() throws IOException, SQLException {
        open();
        Files.delete(journal.bundlePath(directory, 0));

        assertEquals(List.of("3"), answers("select 1 + 2"));
        assertEquals(0, database.rowCount());
        assertEquals(List.of(Integer.toString(COUNT)), answers("select count(*) from requests"));
        assertEquals(COUNT, database.rowCount());
        assertEquals(List.of("0"), answers("select min(sequence) from requests where sequence >= 0"));
        assertEquals(COUNT, database.rowCount(), "the table is there already");
        assertNull(database.damage());
    }

    @Test
    void shouldLoadMoreWhenMoreIsNamedLater() throws SQLException {
        open();

        assertEquals(List.of("0"), answers("select min(sequence) from outcomes"));
        assertEquals(List.of("89"), answers("select max(sequence) from outcomes where outputs is not null " +
                "or status <> 'OK'"));
        assertEquals(List.of("true"), answers("select bool_and(status = 'OK' or outputs is null) from outcomes"));
    }

    @Test
    void shouldEndWhereABundleIsMissingThatIsNeeded() throws IOException, SQLException {
        open();
        Files.delete(journal.bundlePath(directory, 1));
        final String missing = journal.bundles.get(1).versionHex();
        final int first = (int) Stream.iterate(0, i -> i + 1)
                .filter(i -> Arrays.equals(journal.requests.get(i).modelVersion, journal.bundles.get(1).version()))
                .findFirst().orElseThrow();

        assertEquals(List.of(Integer.toString(first)), answers("select count(features) + count(*) filter (features " +
                "is null) from requests"));
        assertEquals(DamageKind.MISSING_BUNDLE, database.damage().damage().kind());
        assertTrue(database.damage().getMessage().contains(missing), database.damage()::getMessage);
    }

    @Test
    void shouldEndBothTablesAtTheFirstDamage() throws SQLException {
        open();
        JournalFixture.corruptOnDisk(directory.resolve("requests"), journal.requests.get(33));

        assertEquals(List.of("33 33"), answers(
                "select (select count(*) from requests) || ' ' || (select count(*) from outcomes)"));
        assertEquals(DamageKind.BAD_CHECKSUM, database.damage().damage().kind());
    }

    @Test
    void shouldTakeOnlyTheRange() throws SQLException {
        journal.write(directory);
        database = JournalDatabase.open(options().fromSequence(20).toSequence(29));

        assertEquals(List.of("20 29 10"),
                answers("select min(r.sequence) || ' ' || max(o.sequence) || ' ' || count(*) " +
                        "from requests r join outcomes o using (sequence)"));
        assertNull(database.damage());
    }

    @Test
    void shouldBeEmptyWhenTheRangeLiesBehindTheJournal() throws SQLException {
        journal.write(directory);
        database = JournalDatabase.open(options().fromSequence(1000));

        assertEquals(List.of("0"), answers("select count(*) from requests join outcomes using (sequence)"));
        assertNull(database.damage());
    }

    @Test
    void shouldAnswerOneSelectAndNothingElse() {
        open();

        assertRefused("Parser Error: syntax error at or near \"selec\"", "selec 1");
        assertRefused("one SELECT is answered, and there are 2", "select 1; select 2");
        assertRefused("one SELECT is answered, and there are 0", " ");
        assertRefused("one SELECT is answered, and this is another statement: copy requests to 'x.csv'",
                "copy requests to 'x.csv'");
        assertRefused("one SELECT is answered, and this is another statement: install httpfs", "install httpfs");
        assertRefused("one SELECT is answered, and this is another statement: attach 'x.db'", "attach 'x.db'");
        assertRefused("Conversion Error: Could not convert string 'a' to DOUBLE", "select 1 / 'a'");
        assertRefused("IO Error: No files found that match the pattern \"/nowhere/labels.csv\"",
                "from '/nowhere/labels.csv'");
        final QueryException ex =
                assertThrows(QueryException.class, () -> database.query("select seqence from requests"));
        assertTrue(ex.getMessage().startsWith("Binder Error: Referenced column \"seqence\" not found"), ex::getMessage);
        assertEquals(1, ex.getMessage().lines().count());
        assertFalse(Files.exists(Path.of("x.csv")));
        assertFalse(Files.exists(Path.of("x.db")));
    }

    @Test
    void shouldOpenNoConnection() throws SQLException {
        open();

        assertRefused("Missing Extension Error: File https://127.0.0.1:1/x.parquet requires the extension httpfs to " +
                "be loaded", "from 'https://127.0.0.1:1/x.parquet'");
        assertEquals(List.of("false", "false", "false"), answers("select value from duckdb_settings() where name in (" +
                "'autoinstall_known_extensions', 'autoload_known_extensions', 'allow_community_extensions')"));
    }

    @Test
    void shouldWriteNothingIntoTheJournalAndLeaveNothingBehind() throws IOException, SQLException {
        journal.write(directory.resolve("journal"));
        final List<String> before = listing(directory.resolve("journal"));
        final Path spill = Files.createDirectory(directory.resolve("spill"));
        try (JournalDatabase spilling = JournalDatabase.open(
                options().journalDirectory(directory.resolve("journal")).spillDirectory(spill))) {
            spilling.query("select * from requests join outcomes using (sequence)").close();
            for (final TableFormat format : TableFormat.values()) {
                spilling.export(JournalTable.STAGES, format, directory.resolve("stages." + format.extension()));
            }
        }

        assertEquals(before, listing(directory.resolve("journal")));
        assertEquals(List.of(), listing(spill));
    }

    @Test
    void shouldReadBackWhatItExports() throws SQLException {
        open();
        final Path requests = directory.resolve("it's.parquet");
        final Path slow = directory.resolve("outcomes.csv");
        database.export(JournalTable.REQUESTS, TableFormat.PARQUET, requests);
        database.export("select sequence, state_hash from outcomes order by sequence desc;", TableFormat.CSV, slow);

        assertEquals(List.of("0"), answers("select count(*) from (from requests except from '" +
                requests.toString().replace("'", "''") + "')"));
        assertEquals(List.of(Integer.toString(COUNT)), answers("select count(*) from '" + slow + "' join outcomes " +
                "using (sequence, state_hash)"));
        assertThrows(TableException.class, () -> database.export(
                JournalTable.REQUESTS, TableFormat.PARQUET, Path.of("/proc/nothing/here.parquet")));
        assertThrows(TableException.class, () -> database.export(
                JournalTable.REQUESTS, TableFormat.ARROW, Path.of("/proc/nothing/here.arrow")));
    }

    private void open() {
        journal.write(directory);
        database = JournalDatabase.open(options());
    }

    private TableOptions options() {
        return new TableOptions().journalDirectory(directory).threads(2);
    }

    private void assertRefused(final String message, final String sql) {
        assertEquals(message, assertThrows(QueryException.class, () -> database.query(sql)).getMessage());
    }

    private List<String> answers(final String sql) throws SQLException {
        final List<String> answers = new ArrayList<>();
        try (ResultSet rows = database.query(sql)) {
            while (rows.next()) {
                answers.add(rows.getString(1));
            }
        }
        return answers;
    }

    private static List<Object> list(final ResultSet rows, final String column) throws SQLException {
        return rows.getArray(column) == null ? null : List.of((Object[]) rows.getArray(column).getArray());
    }

    private static List<Object> floats(final org.agrona.DirectBuffer buffer, final int offset, final int length) {
        final List<Object> floats = new ArrayList<>();
        for (int i = 0; i < length / Float.BYTES; i++) {
            floats.add(RowText.floatAt(buffer, offset, i));
        }
        return floats;
    }

    private static List<String> listing(final Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            final List<String> listing = new ArrayList<>();
            for (final Path file : files.filter(each -> !each.equals(directory)).sorted().toList()) {
                listing.add(file + " " + Files.getLastModifiedTime(file) + " " + Files.size(file));
            }
            return listing;
        }
    }
}
