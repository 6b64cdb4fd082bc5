package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.TiercelCommand;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventsCommandTest {

    @TempDir
    private Path folder;
    private final StringWriter output = new StringWriter();
    private final StringWriter errors = new StringWriter();

    @Test
    void shouldWriteWhatTheFeedPlaysWhenTapeIsBitstamp() throws IOException {
        final Path csv = folder.resolve("events.csv");
        final Path npy = folder.resolve("events.npy");
        final Path json = folder.resolve("vocabulary.json");
        assertEquals(0, run("--output", csv.toString(), "--save-vocabulary", json.toString(), "--events", "90000"),
                errors::toString);
        final EventFeed feed = EventFeed.ofTrades(0, 90_000, EventVocabulary.read(json));
        final List<String> lines = Files.readAllLines(csv);
        assertEquals("session,token,split,next_move", lines.get(0));
        assertEquals(90_001, lines.size());
        assertEquals(0, run("--output", npy.toString(), "--vocabulary", json.toString(), "--events", "90000"),
                errors::toString);
        final ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(npy)).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(0, (10 + file.getShort(8)) % 64);
        final String header = new String(file.array(), 10, file.getShort(8), StandardCharsets.US_ASCII);
        assertEquals("{'descr': '<i4', 'fortran_order': False, 'shape': (90000, 4), }", header.strip());
        file.position(10 + file.getShort(8));
        for (int i = 0; i < 90_000; i++) {
            final String move = feed.nextMove(i) < 0 ? "" : Integer.toString(feed.nextMove(i));
            assertEquals(feed.sessionKey(i) + "," + feed.token(i) + "," + feed.split(i).text() + "," + move,
                    lines.get(i + 1));
            assertEquals(feed.sessionKey(i), file.getInt());
            assertEquals(feed.token(i), file.getInt());
            assertEquals(List.of("", "train", "test").indexOf(feed.split(i).text()), file.getInt());
            assertEquals(feed.nextMove(i), file.getInt());
        }
        assertFalse(file.hasRemaining());
        assertTrue(output.toString().contains("90000 events of 100000 rows, vocabulary: schema=bitstamp tokens="),
                output.toString());
        assertTrue(output.toString().contains("unigram bits  bigram bits"), output.toString());
    }

    @Test
    void shouldPlayALobsterSampleWhenOneIsGiven() throws IOException {
        final Path zip = TapeTestData.lobster(
                folder, 1, "1,1,1,1,10000,1\n2,1,1,1,10000,1\n3,3,1,1,10000,1\n", "10100,1,10000,1\n".repeat(3));
        final Path csv = folder.resolve("events.csv");
        assertEquals(0, run("--input", "lobster", "--lobster", zip.toString(), "--output", csv.toString()),
                errors::toString);
        assertEquals(4, Files.readAllLines(csv).size());
        assertTrue(Files.readAllLines(csv).get(3).endsWith(",,"));
    }

    @Test
    void shouldFailWithOneLineWhenArgumentOrFileIsBad() throws IOException {
        final String csv = folder.resolve("events.csv").toString();
        assertFailure(2, "--input=other is neither bitstamp nor lobster", "--input", "other", "--output", csv);
        assertFailure(2, "--lobster=absent.zip is not a file",
                "--input", "lobster", "--lobster", "absent.zip", "--output", csv);
        assertFailure(2, "--lobster=a.zip is for --input lobster", "--lobster", "a.zip", "--output", csv);
        assertFailure(2, "ends neither in .csv nor in .npy", "--output", folder.toString());
        assertFailure(2, "sessions=-1, expected 1 to 1024", "--sessions", "-1", "--output", csv);
        final Path json = Files.writeString(folder.resolve("bad.json"), "{\"format\": 1}");
        assertFailure(3, "bad.json: vocabulary keys=1 is without schema",
                "--vocabulary", json.toString(), "--output", csv);
        assertFailure(3, "--output=", "--events", "1", "--output", folder.resolve("no/such/events.csv").toString());
        assertFalse(Files.exists(Path.of(csv)));
    }

    private void assertFailure(final int exitCode, final String expected, final String... arguments) {
        errors.getBuffer().setLength(0);
        assertEquals(exitCode, run(arguments));
        final String text = errors.toString().strip();
        assertTrue(text.startsWith("tiercel events: ") && text.contains(expected) && text.lines().count() == 1, text);
    }

    private int run(final String... arguments) {
        return TiercelCommand.commandLine(new PrintWriter(output), new PrintWriter(errors, true))
                .execute(Stream.concat(Stream.of("events"), Stream.of(arguments)).toArray(String[]::new));
    }
}
