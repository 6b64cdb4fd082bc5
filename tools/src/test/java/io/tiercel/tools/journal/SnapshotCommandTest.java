package io.tiercel.tools.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotCommandTest {

    private static final int COUNT = 90;

    @TempDir
    Path directory;

    private final JournalFixture journal = JournalFixture.of(4, COUNT);

    @Test
    void shouldListTheSnapshotsThatThereAre() throws IOException {
        journal.write(directory);
        journal.writeSnapshot(directory, 30);
        journal.writeSnapshot(directory, 80);
        final Path json = directory.resolve("list.json");

        final CommandRun run = run("list", "--json", json.toString());

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertEquals(3, run.out.lines().count(), run.out);
        assertTrue(run.out.lines().toList().get(1).startsWith("80 "), run.out);
        assertTrue(run.out.lines().toList().get(1).contains("alias-0,alias-1,alias-2"), run.out);
        assertTrue(run.out.lines().toList().get(1).endsWith(" ok"), run.out);
        final JsonNode list = new ObjectMapper().readTree(Files.readString(json)).get("snapshots");
        assertEquals(80, list.get(0).get("sequence").asInt());
        assertTrue(list.get(1).get("ok").asBoolean());
    }

    @Test
    void shouldSayThatThereAreNone() {
        journal.write(directory);

        assertEquals("no snapshots\n", run("list").out);
        assertTrue(run("verify").out.endsWith("snapshots: 0 verified, 0 sessions and 0 answers bit-identical\n"));
    }

    @Test
    void shouldExit1WhenOneIsDamaged() throws IOException {
        journal.write(directory);
        journal.writeSnapshot(directory, 80);
        final Path file = journal.writeSnapshot(directory, 30);
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 500));

        final CommandRun list = run("list");
        assertEquals(ExitCode.CHECK_FAILED, list.exitCode, list::toString);
        assertTrue(list.out.contains("damaged: snapshot cannot be used: file=" + file), list.out);

        final CommandRun verify = run("verify");
        assertEquals(ExitCode.CHECK_FAILED, verify.exitCode, verify::toString);
        assertTrue(verify.out.contains("snapshots: FAILED, unusable snapshot in snapshots at sequence 30"),
                verify.out);
    }

    @Test
    void shouldSayHowManySessionsWereCompared() throws IOException {
        journal.write(directory);
        journal.writeSnapshot(directory, 30);
        journal.writeSnapshot(directory, 80);
        final Path json = directory.resolve("report.json");

        final CommandRun run = run("verify", "--sequence", "80", "--backend", "reference", "--json", json.toString());

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertTrue(run.out.contains("began at    snapshot sequence 30, taken as it is"), run.out);
        assertTrue(run.out.contains("verified    snapshot sequence 80: "), run.out);
        final JsonNode report = new ObjectMapper().readTree(Files.readString(json));
        assertTrue(report.get("ok").asBoolean());
        assertEquals(50, report.get("requests").asInt());
        assertTrue(report.get("sessions").asInt() > 10);
    }

    @Test
    void shouldRefuseBadArgumentsInOneLineAndExit2() {
        journal.write(directory);

        assertRefused("--sequence=7 is of no snapshot in " + directory, run("verify", "--sequence", "7"));
        assertRefused("--backend=abacus is not one of auto, ", run("verify", "--backend", "abacus"));
        assertRefused("Missing required subcommand", CommandRun.of(new SnapshotCommand()));
        assertRefused("--journal=/nowhere is not a directory",
                CommandRun.of(new SnapshotCommand(), "list", "--journal", "/nowhere"));
    }

    private static void assertRefused(final String message, final CommandRun run) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run.exitCode, run::toString);
        assertTrue(run.err.startsWith(message), run.err);
        assertEquals(1, run.err.lines().count(), run.err);
    }

    private CommandRun run(final String name, final String... more) {
        final String[] arguments = new String[3 + more.length];
        arguments[0] = name;
        arguments[1] = "--journal";
        arguments[2] = directory.toString();
        System.arraycopy(more, 0, arguments, 3, more.length);
        return CommandRun.of(new SnapshotCommand(), arguments);
    }
}
