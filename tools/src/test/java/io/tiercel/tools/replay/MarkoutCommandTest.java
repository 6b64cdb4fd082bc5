package io.tiercel.tools.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.CommittedModels;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.journal.CommandRun;
import io.tiercel.tools.journal.TokenJournal;
import io.tiercel.tools.market.Labels;
import io.tiercel.tools.market.MarketFeed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MarkoutCommandTest {

    private static final int COUNT = 2_000;
    private static final int CLASSES = 3;
    private static final MarketFeed FEED = MarketFeed.open(MarketFeed.BITSTAMP, 0, COUNT);

    @TempDir
    Path directory;

    @Test
    void shouldShowThatAnAnswerIsWorthLessTheLaterItComes() throws IOException {
        write(FEED::label, COUNT, -1);
        final Path json = directory.resolve("markout.json");
        final Path html = directory.resolve("markout.html");

        final CommandRun run = markout("--json", json.toString(), "--html", html.toString());

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertTrue(run.out.contains("2,000 requests line up with the tape's first 2,000 events, bit for bit"), run.out);
        assertTrue(run.out.contains(FEED.count(MarketFeed.Split.HELD_OUT) + " answers to held-out events"), run.out);
        assertTrue(run.out.contains("latency of these, µs: p50 2.50"), run.out);
        assertTrue(run.out.contains("an event is worth "), run.out);
        assertTrue(Files.readString(html).contains("value of an answer, horizon 8 events"));
        final JsonNode curve = new ObjectMapper().readTree(Files.readString(json)).get("curves").get(0);
        assertEquals("8", curve.get("horizon").asText());
        final JsonNode points = curve.get("points");
        assertEquals("at once", points.get(0).get("delay").asText());
        assertTrue(points.get(0).get("hitRate").asDouble() > 0.8, "labels are what came: " + points);
        for (int i = 1; i < points.size(); i++) {
            assertTrue(points.get(i).get("meanBp").asDouble() < points.get(i - 1).get("meanBp").asDouble(), run.out);
        }
        assertTrue(points.get(1).get("distinguishable").asBoolean(), run.out);
        assertEquals(0, points.get(points.size() - 1).get("meanBp").asDouble(), "at the horizon nothing is left");
    }

    @Test
    void shouldSaySoWhereNoAnswerNamesADirection() throws IOException {
        write(event -> Labels.FLAT, 400, -1);

        final CommandRun run = markout("--all");

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertTrue(run.out.contains("400 answers to events, held out or not, of which 0 name a direction"), run.out);
        assertTrue(run.out.contains("no answer whose horizon lies within the tape"), run.out);
    }

    @Test
    void shouldRefuseAJournalThatDoesNotLineUpWithTheTape() throws IOException {
        write(FEED::label, 50, 37);

        final CommandRun run = markout();
        assertEquals(ExitCode.BAD_ARGUMENTS, run.exitCode, run::toString);
        assertTrue(run.err
                .startsWith("sequence=37 does not line up with event=37 of bitstamp_trades_from_20131125_usd.csv" +
                        ": cell=0 has bits "),
                run.err);
        assertEquals(1, run.err.lines().count());
        final CommandRun others = markout("--sessions", "2");
        assertTrue(others.err.startsWith("sequence=1 does not line up with event=1 of "), others.err);
        assertTrue(others.err.endsWith("; was it another --tape, or played in other --sessions?"), others.err);
        assertEquals(ExitCode.BAD_ARGUMENTS, others.exitCode);
    }

    @Test
    void shouldRefuseBadArgumentsInOneLineAndExit2() throws IOException {
        write(FEED::label, 50, -1);

        assertRefused("--delays=1us: --tape=bitstamp tells time in whole steps of 1s, so this shows nothing; give " +
                "numbers of events, such as 1,2,4", markout("--delays", "1us,1s"));
        assertRefused("--delays=2 after 4: they have to rise, and be all times or all numbers of events",
                markout("--delays", "4,2"));
        assertRefused("--delays=1s after 4: they have to rise, and be all times or all numbers of events",
                markout("--delays", "4,1s"));
        assertRefused("--horizons=soon is neither a time such as 10us nor a number of events",
                markout("--horizons", "soon"));
        assertRefused("input=/nowhere.zip is neither 'bitstamp' nor a file", markout("--tape", "/nowhere.zip"));
    }

    @Test
    void shouldExit1WhereTheBundleIsMissing() throws IOException {
        write(FEED::label, 50, -1);
        final Path bundles = directory.resolve("bundles");
        try (var files = Files.list(bundles)) {
            Files.delete(files.findFirst().orElseThrow());
        }

        final CommandRun run = markout();

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode, run::toString);
        assertTrue(run.err.startsWith("missing bundle in bundles at sequence 0: modelVersion="), run.err);
    }

    /** @param wrong the event whose first cell is another than the tape's; -1: none. */
    private void write(final IntUnaryOperator answer, final int count, final int wrong) throws IOException {
        final Bundle bundle = CommittedModels.open("bitstamp-int8");
        final Path bundles = Files.createDirectories(directory.resolve("bundles"));
        Files.move(CommittedModels.extract(bundle, bundles), bundles.resolve(bundle.versionHex() + ".safetensors"));
        try (TokenJournal journal = new TokenJournal(directory)) {
            journal.version(bundle.version()).egressNs(2_500);
            for (int event = 0; event < count; event++) {
                final int[] cells = new int[FEED.featureCount()];
                for (int i = 0; i < cells.length; i++) {
                    cells[i] = FEED.cell(event, i) ^ (event == wrong && i == 0 ? 1 : 0);
                }
                final int[] outputs = new int[CLASSES];
                final int label = answer.applyAsInt(event);
                outputs[label == Labels.NONE ? Labels.FLAT : label] = Float.floatToRawIntBits(1f);
                journal.answer(FEED.sessionKey(event), cells, outputs);
            }
        }
    }

    private static void assertRefused(final String message, final CommandRun run) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run.exitCode, run::toString);
        assertEquals(message, run.err);
    }

    private CommandRun markout(final String... more) {
        final String[] arguments = new String[2 + more.length];
        arguments[0] = "--journal";
        arguments[1] = directory.toString();
        System.arraycopy(more, 0, arguments, 2, more.length);
        return CommandRun.of(new MarkoutCommand(), arguments);
    }
}
