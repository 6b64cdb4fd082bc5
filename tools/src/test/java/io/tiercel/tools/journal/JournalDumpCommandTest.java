package io.tiercel.tools.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalDumpCommandTest {

    private static final int COUNT = 60;

    @TempDir
    Path directory;

    private final JournalFixture journal = JournalFixture.of(9, COUNT);
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    @Test
    void shouldWriteEverySequenceBesideItsOutcome() {
        journal.write(directory);

        assertEquals(ExitCode.OK, dump().exitCode);
        assertEquals(1 + COUNT, lines().size());
        assertTrue(lines().get(0).contains("SEQUENCE"));
        assertTrue(lines().get(0).endsWith("STATE HASH"));
    }

    @Test
    void shouldWriteTokensAsIntegersWhenTheBundleIsInTheJournal() throws IOException {
        writeTokens(true);

        dump("--format", "json");
        assertTrue(lines().get(0).contains("\"features\":[5,22]"), lines().get(0));
        assertTrue(lines().get(0).contains("\"outputs\":[7,0.75,3,0.125,0,0.0625]"), lines().get(0));
        written.reset();
        dump("--format", "csv");
        assertTrue(lines().get(1).contains(",5 22,OK,"), lines().get(1));
        assertTrue(lines().get(1).contains(",7 0.75 3 0.125 0 0.0625,"), lines().get(1));
        written.reset();
        dump();
        assertTrue(lines().get(1).contains("  5 22  "), lines().get(1));
        assertTrue(lines().get(1).contains("  7 0.75000 3 +3  "), lines().get(1));
    }

    @Test
    void shouldWriteTokensAsFloatsWhenTheBundleIsMissing() throws IOException {
        writeTokens(false);

        dump("--format", "json");

        assertTrue(lines().get(0).contains("\"features\":[7.0E-45,3.1E-44]"), lines().get(0));
    }

    @Test
    void shouldWriteForksAndTheTokensThatWereMade() throws IOException {
        final Bundle bundle = Bundle.open(RandomTransformers.writeTokens(1, 8, directory));
        final Path bundles = Files.createDirectories(directory.resolve("bundles"));
        Files.copy(bundle.path(), bundles.resolve(bundle.versionHex() + ".safetensors"));
        try (TokenJournal tokens = new TokenJournal(directory)) {
            tokens.version(bundle.version()).infer(2, new int[] {5}, 7, Float.floatToRawIntBits(0.75f));
            tokens.fork(3, 2);
            tokens.generate(3, 6, 4, Float.floatToRawIntBits(0.25f));
        }

        dump("--format", "json");
        assertTrue(lines().get(1).contains("\"template\":\"ForkSession\""), lines().get(1));
        assertTrue(lines().get(1).contains("\"sourceKey\":2"), lines().get(1));
        assertTrue(lines().get(1).contains("\"status\":\"FORKED\""), lines().get(1));
        assertTrue(lines().get(2).contains("\"template\":\"Generate\""), lines().get(2));
        assertTrue(lines().get(2).contains("\"madeTokens\":1,\"maxTokens\":3,\"temperature\":0.5,\"topTokens\":4," +
                "\"seed\":18446744073709551615,\"stopTokens\":[8,9]"), lines().get(2));
        assertTrue(lines().get(2).contains("\"features\":[6]"), lines().get(2));
        assertTrue(lines().get(2).contains("\"outputs\":[4,0.25]"), lines().get(2));
        written.reset();
        dump("--format", "csv");
        assertTrue(lines().get(2).contains(",ForkSession,"), lines().get(2));
        assertTrue(lines().get(3).contains(",4 0.25,"), lines().get(3));
        written.reset();
        dump();
        assertTrue(lines().get(2).contains("  Fork"), lines().get(2));
        assertTrue(lines().get(3).contains("  Gen "), lines().get(3));
    }

    /** A journal of one request of two tokens. */
    private void writeTokens(final boolean hasBundle) throws IOException {
        final Bundle bundle = Bundle.open(RandomTransformers.writeTokens(1, 8, directory));
        final Path bundles = Files.createDirectories(directory.resolve("bundles"));
        if (hasBundle) {
            Files.copy(bundle.path(), bundles.resolve(bundle.versionHex() + ".safetensors"));
        }
        try (TokenJournal tokens = new TokenJournal(directory)) {
            tokens.version(bundle.version()).infer(2, new int[] {5, 22},
                    7, Float.floatToRawIntBits(0.75f), 3, Float.floatToRawIntBits(0.125f),
                    0, Float.floatToRawIntBits(0.0625f));
        }
    }

    @Test
    void shouldWriteOnlyTheRangeAndTheLimit() {
        journal.write(directory);

        dump("--format", "json", "--from", "10", "--to", "19", "--limit", "4");

        assertEquals(4, lines().size());
        assertTrue(lines().get(0).startsWith("{\"sequence\":10,"), lines().get(0));
        assertTrue(lines().get(3).startsWith("{\"sequence\":13,"), lines().get(3));
    }

    @Test
    void shouldEndAtTheLastOfTheRange() {
        journal.write(directory);

        dump("--format", "csv", "--from", "57", "--to", "58");

        assertEquals(3, lines().size());
        assertTrue(lines().get(2).startsWith("58,"), lines().get(2));
    }

    @Test
    void shouldWriteOneQueueAlone() {
        journal.write(directory);

        dump("--format", "json", "--queue", "outcomes");

        assertEquals(COUNT, lines().size());
        assertTrue(lines().stream().noneMatch(line -> line.contains("\"request\"")));
        assertTrue(lines().stream().allMatch(line -> line.contains("\"outcome\"")));
    }

    @Test
    void shouldWriteWhatIsGoodAndExit1AtTheFirstDamage() {
        journal.write(directory);
        JournalFixture.corruptOnDisk(directory.resolve("requests"), journal.requests.get(33));

        final CommandRun run = dump("--format", "json");

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode, run::toString);
        assertEquals(33, lines().size());
        assertTrue(run.err.startsWith("bad checksum in requests at sequence 33"), run.err);
        assertEquals(1, run.err.lines().count(), run.err);
    }

    @Test
    void shouldEndQuietlyWhenTheReaderHasSeenEnough() {
        journal.write(directory);

        final CommandRun run = run(new BrokenPipe());

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertEquals("", run.err);
    }

    @Test
    void shouldRefuseBadArgumentsInOneLineAndExit2() {
        journal.write(directory);

        assertRefused("--format=xml is not one of table, json, csv", dump("--format", "xml"));
        assertRefused("--queue=all is not one of requests, outcomes, both", dump("--queue", "all"));
        assertRefused("--limit=-3 is below 0", dump("--limit", "-3"));
        assertRefused("--to=0 is below --from=1", dump("--from", "1", "--to", "0"));
        assertRefused("Missing required subcommand", CommandRun.of(new JournalCommand()));
    }

    private static void assertRefused(final String message, final CommandRun run) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run.exitCode, run::toString);
        assertEquals(message, run.err);
    }

    private CommandRun dump(final String... more) {
        return run(written, more);
    }

    private CommandRun run(final OutputStream standardOutput, final String... more) {
        final String[] arguments = new String[2 + more.length];
        arguments[0] = "--journal";
        arguments[1] = directory.toString();
        System.arraycopy(more, 0, arguments, 2, more.length);
        return CommandRun.of(new JournalDumpCommand(standardOutput), arguments);
    }

    private List<String> lines() {
        return written.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private static final class BrokenPipe extends OutputStream {

        @Override
        public void write(final int value) throws IOException {
            throw new IOException("Broken pipe");
        }
    }
}
