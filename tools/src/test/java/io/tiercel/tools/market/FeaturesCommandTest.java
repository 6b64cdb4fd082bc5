package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.TiercelCommand;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeaturesCommandTest {

    @TempDir
    private Path folder;
    private final StringWriter errors = new StringWriter();

    @Test
    void shouldWriteWhatTheFeedPlaysWhenTapeIsBitstamp() throws IOException {
        final Path csv = folder.resolve("rows.csv");
        assertEquals(0, run("--output", csv.toString(), "--events", "50", "--sessions", "2"), errors::toString);
        final List<String> lines = Files.readAllLines(csv);
        final MarketFeed feed = MarketFeed.open(MarketFeed.BITSTAMP, 2, 50);
        assertEquals("session,label,split," + String.join(",", feed.featureNames()), lines.get(0));
        assertEquals(51, lines.size());
        for (int i = 0; i < 50; i++) {
            final String[] fields = lines.get(i + 1).split(",");
            assertEquals(feed.sessionKey(i), Long.parseLong(fields[0]));
            assertEquals(feed.label(i), Integer.parseInt(fields[1]));
            assertEquals(i % 2 == 0 ? "train" : feed.split(i).text(), fields[2]);
            for (int j = 0; j < feed.featureCount(); j++) {
                assertEquals(feed.feature(i, j), Float.parseFloat(fields[3 + j]));
            }
        }
    }

    @Test
    void shouldLeaveLabelAndSplitEmptyWhenHorizonRunsPastTheEnd() throws IOException {
        final Path zip = TapeTestData.lobster(folder, 1, "1,1,1,1,1,1\n", "2,1,1,1\n");
        final Path csv = folder.resolve("rows.csv");
        assertEquals(0, run("--input", zip.toString(), "--output", csv.toString()), errors::toString);
        assertTrue(Files.readAllLines(csv).get(1).startsWith("1,,,"));
    }

    @Test
    void shouldWriteTheBookItselfWhenItsLevelsAreAskedFor() throws IOException {
        final Path zip = TapeTestData.lobster(folder, 2, "1,1,1,1,1,1\n", "9,1,7,2,11,3,6,4\n");
        final Path csv = folder.resolve("rows.csv");
        assertEquals(0, run("--input", zip.toString(), "--book-levels", "1", "--output", csv.toString()),
                errors::toString);
        assertEquals(List.of("session,label,split,f_ask_price_1,f_ask_size_1,f_bid_price_1,f_bid_size_1",
                "1,,,9.0,1.0,7.0,2.0"), Files.readAllLines(csv));
        assertEquals(2, run("--input", zip.toString(), "--book-levels", "3", "--output", csv.toString()));
        assertOneLine("tiercel features: levels=3, but lobster.zip has 2");
        assertEquals(2, run("--book-levels", "-1", "--output", csv.toString()));
        assertOneLine("tiercel features: --book-levels=-1 is not in 0..999");
    }

    @Test
    void shouldFailWithOneLineWhenArgumentOrTapeIsBad() throws IOException {
        final String csv = folder.resolve("rows.csv").toString();
        assertEquals(2, run("--input", "absent.zip", "--output", csv));
        assertOneLine("tiercel features: input=absent.zip is neither 'bitstamp' nor a file");
        assertEquals(2, run("--sessions", "-1", "--output", csv));
        assertOneLine("tiercel features: sessions=-1, expected 1 to 1024");
        final Path zip = TapeTestData.lobster(folder, 1, "1,9,1,1,1,1\n", "2,1,1,1\n");
        assertEquals(3, run("--input", zip.toString(), "--output", csv));
        assertOneLine("message_1.csv:1: type=9");
        assertEquals(3, run("--events", "1", "--output", folder.resolve("no/such/rows.csv").toString()));
        assertOneLine("tiercel features: --output=");
        assertFalse(Files.exists(Path.of(csv)));
    }

    private int run(final String... arguments) {
        errors.getBuffer().setLength(0);
        return TiercelCommand.commandLine(new PrintWriter(new StringWriter()), new PrintWriter(errors, true))
                .execute(Stream.concat(Stream.of("features"), Stream.of(arguments)).toArray(String[]::new));
    }

    private void assertOneLine(final String expected) {
        final String text = errors.toString().strip();
        assertTrue(text.contains(expected) && text.lines().count() == 1, text);
    }
}
