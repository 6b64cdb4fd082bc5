package io.tiercel.tools.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.JournalFixture;
import io.tiercel.replay.ModelCells;
import io.tiercel.replay.RowText;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowFormatTest {

    private static final int COUNT = 200;
    private static final ModelCells NO_BUNDLES = new ModelCells(Path.of("no-journal"));

    private final JournalFixture journal = JournalFixture.of(5, COUNT);

    @Test
    void shouldWriteOneJsonObjectALineWithEveryFloatExact() throws IOException {
        final List<JsonNode> rows = new ArrayList<>();
        for (final String line : lines(new JsonRows(NO_BUNDLES))) {
            rows.add(new ObjectMapper().readTree(line));
        }

        assertEquals(COUNT, rows.size());
        final int computed = journal.computedFrom(0);
        final JsonNode row = rows.get(computed);
        assertEquals(computed, row.get("sequence").asInt());
        assertEquals(journal.requests.get(computed).ingressNs, row.get("ingressNs").asLong());
        assertEquals("Infer", row.get("request").get("template").asText());
        assertEquals("OK", row.get("outcome").get("status").asText());
        assertEquals(16, row.get("outcome").get("stateHash").asText().length());
        final int stepCount = row.get("request").get("stepCount").asInt();
        assertEquals(stepCount * JournalFixture.FEATURES, row.get("request").get("features").size());
        final float feature = Float.parseFloat(row.get("request").get("features").get(0).asText());
        assertEquals(journal.requests.get(computed).buffer().getFloat(48), feature);
    }

    @Test
    void shouldLeaveTheOutcomeOutOfJsonWhenThereIsNone() throws IOException {
        journal.outcomes.remove(COUNT - 1);

        final List<String> lines = lines(new JsonRows(NO_BUNDLES));

        assertEquals(COUNT, lines.size());
        assertFalse(new ObjectMapper().readTree(lines.get(COUNT - 1)).has("outcome"));
    }

    @Test
    void shouldGiveEveryCsvRowTheColumnsOfTheHeader() {
        journal.outcomes.remove(COUNT - 1);
        for (final JoinedJournal.Queues queues : JoinedJournal.Queues.values()) {
            final List<String> lines = lines(new CsvRows(queues, NO_BUNDLES), journal.inMemory(queues));
            final int columns = lines.get(0).split(",", -1).length;
            for (final String line : lines) {
                assertEquals(columns, line.split(",", -1).length, line);
            }
        }
    }

    @Test
    void shouldShowAResetAndAnExpiryInTheTable() {
        final List<String> lines = lines(new TableRows(JoinedJournal.Queues.BOTH, NO_BUNDLES));

        final String reset = lines.get(1 + journal.firstWith(OutcomeStatus.RESET));
        final String expired = lines.get(1 + journal.firstWith(OutcomeStatus.EXPIRED));
        assertTrue(reset.contains("  Reset  "), reset);
        assertTrue(reset.contains("  RESET  "), reset);
        assertTrue(expired.contains("  EXPIRED  "), expired);
    }

    @Test
    void shouldAlignTheColumnsOfTheTable() {
        final List<String> lines = lines(new TableRows(JoinedJournal.Queues.BOTH, NO_BUNDLES));

        final int hashColumn = lines.get(0).indexOf("STATE HASH");
        for (final String line : lines.subList(1, lines.size())) {
            assertEquals(hashColumn + 16, line.length(), line);
        }
        assertTrue(lines.get(1).contains("2023-11-14T22:13:20.00000"), lines.get(1));
    }

    @Test
    void shouldWriteTimesToTheNanosecond() {
        assertEquals("1970-01-01T00:00:00.000000001Z", RowText.time(1));
        assertEquals("1969-12-31T23:59:59.999999999Z", RowText.time(-1));
        assertEquals("2026-01-02T03:04:05.678901234Z", RowText.time(1_767_323_045_678_901_234L));
    }

    @Test
    void shouldStopQuietlyWhenThePipeIsClosed() throws IOException {
        final RowSink sink = new RowSink(new FailingOutput("Broken pipe"));
        sink.text().append("row\n");

        assertTrue(sink.rowEnded());
        assertFalse(sink.flush());
        assertFalse(sink.rowEnded());
    }

    @Test
    void shouldFailWhenTheDiskIsFull() {
        final RowSink sink = new RowSink(new FailingOutput("No space left on device"));
        sink.text().append("row\n");

        assertThrows(IOException.class, sink::flush);
    }

    private List<String> lines(final RowFormat rows) {
        return lines(rows, journal.inMemory());
    }

    private static List<String> lines(final RowFormat rows, final JoinedJournal joined) {
        final StringBuilder text = new StringBuilder();
        rows.appendHeader(text);
        while (joined.next()) {
            rows.appendRow(text, joined);
        }
        return Arrays.asList(text.toString().split("\n"));
    }

    private static final class FailingOutput extends OutputStream {
        private final String reason;

        FailingOutput(final String reason) {
            this.reason = reason;
        }

        @Override
        public void write(final int value) throws IOException {
            throw new IOException(reason);
        }
    }
}
