package io.tiercel.tools.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.replay.ReplayCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayVerifyCommandTest {

    private static final int COUNT = 90;
    private static final int FIRST_OUTPUT_OFFSET = 8 + 52 + 4;

    @TempDir
    Path directory;

    private final JournalFixture journal = JournalFixture.of(3, COUNT);

    @Test
    void shouldSayThatAllAreIdenticalAndExit0() {
        journal.write(directory);

        final CommandRun run = verify();

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertTrue(run.out.endsWith("replay: 90 of 90 outcomes bit-identical\n"), run.out);
        assertTrue(run.out.contains(journal.bundles.get(0).versionHex()), run.out);
        assertEquals("", run.err);
    }

    @Test
    void shouldSayTheSameWithEveryBackendAndNumberOfThreads() {
        journal.write(directory);

        for (final String backend : List.of("reference", "auto")) {
            for (final String threads : List.of("1", "3")) {
                final CommandRun run = verify("--backend", backend, "--threads", threads);

                assertEquals(ExitCode.OK, run.exitCode, run::toString);
                assertTrue(run.out.endsWith("replay: 90 of 90 outcomes bit-identical\n"), run.out);
            }
        }
    }

    @Test
    void shouldSayWhatTheKernelsDoAloneWhenAsked() {
        journal.write(directory);

        final CommandRun run = verify("--threads", "1", "--measure-kernels");

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertTrue(run.out.contains(" requests/s alone on 1 thread; verified once more, warm: "), run.out);
        assertTrue(run.out.matches("(?s).*processor +[0-9,]+ ns a request alone, [0-9,]+ ns verified: .*"), run.out);
    }

    @Test
    void shouldTakeTheProcessorTimeOfAllThreadsTogether() throws IOException {
        journal.write(directory);
        final Path json = directory.resolve("report.json");

        final CommandRun run = verify("--threads", "2", "--measure-kernels", "--json", json.toString());

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertTrue(run.out.matches("(?s).*processor +[0-9,]+ ns a request alone, [0-9,]+ ns verified: .*"), run.out);
        final JsonNode kernels = new ObjectMapper().readTree(Files.readString(json)).get("kernels");
        assertTrue(kernels.get("processorNs").asDouble() > 0, kernels::toString);
        assertTrue(kernels.get("warmProcessorNs").asDouble() > 0, kernels::toString);
    }

    @Test
    void shouldSayWhatWasOnlyRebuiltWhenARangeIsGiven() {
        journal.write(directory);

        final CommandRun run = verify("--from", "30", "--to", "69");

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertTrue(run.out.contains("30 of them before sequence 30 and not compared"), run.out);
        assertTrue(run.out.endsWith("replay: 40 of 40 outcomes bit-identical\n"), run.out);
    }

    @Test
    void shouldShowTheDivergenceInOneBlockAndExit1() throws IOException {
        final int sequence = journal.computedFrom(20);
        journal.outcomes.get(sequence).frame[FIRST_OUTPUT_OFFSET] ^= 1;
        journal.write(directory);
        final Path json = directory.resolve("report.json");

        final CommandRun run = verify("--json", json.toString());

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode, run::toString);
        assertTrue(run.out.contains("replay: DIVERGED at sequence " + sequence), run.out);
        assertTrue(run.out.contains("outputs[0]"), run.out);
        assertTrue(run.out.contains("(journal)"), run.out);
        assertTrue(run.out.contains("(computed again)"), run.out);
        final JsonNode report = new ObjectMapper().readTree(Files.readString(json));
        assertEquals(false, report.get("ok").asBoolean());
        assertEquals(sequence, report.get("divergence").get("sequence").asInt());
        assertEquals("outputs[0]", report.get("divergence").get("field").asText());
        assertTrue(report.get("damage").isNull());
    }

    @Test
    void shouldNameTheMissingBundleAndExit1() throws IOException {
        journal.write(directory);
        Files.delete(journal.bundlePath(directory, 0));

        final CommandRun run = verify();

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode, run::toString);
        assertTrue(run.out.contains("replay: FAILED, missing bundle in bundles at sequence "), run.out);
        assertTrue(run.out.contains(journal.bundles.get(0).versionHex() + " is not at " + directory), run.out);
    }

    @Test
    void shouldExit1ForAnOpenTailAnd0WhenItIsAllowed() {
        journal.outcomes.remove(COUNT - 1);
        journal.write(directory);

        final CommandRun strict = verify();
        final CommandRun lenient = verify("--allow-open-tail");

        assertEquals(ExitCode.CHECK_FAILED, strict.exitCode, strict::toString);
        assertTrue(strict.out.contains("replay: FAILED, open tail in requests at sequence 89: 1 request"), strict.out);
        assertEquals(ExitCode.OK, lenient.exitCode, lenient::toString);
        assertTrue(lenient.out.contains("1 request at the end has no outcome yet"), lenient.out);
        assertTrue(lenient.out.endsWith("replay: 89 of 89 outcomes bit-identical\n"), lenient.out);
    }

    @Test
    void shouldExit1ForABadChecksum() {
        journal.write(directory);
        JournalFixture.corruptOnDisk(directory.resolve("requests"), journal.requests.get(33));

        final CommandRun run = verify();

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode, run::toString);
        assertTrue(run.out.contains("bad checksum in requests at sequence 33"), run.out);
    }

    @Test
    void shouldRefuseBadArgumentsInOneLineAndExit2() {
        journal.write(directory);

        assertRefused("--from=-1 is below 0", verify("--from", "-1"));
        assertRefused("--to=3 is below --from=4", verify("--from", "4", "--to", "3"));
        assertRefused("--threads=0 is not from 1 to 1024", verify("--threads", "0"));
        assertRefused("--backend=abacus is not one of auto, ", verify("--backend", "abacus"));
        assertRefused("Invalid value for option '--from'", verify("--from", "soon"));
        assertRefused("Unknown option: '--form=4'", verify("--form=4"));
        assertRefused("--journal=/nowhere is not a directory",
                CommandRun.of(new ReplayCommand(), "verify", "--journal", "/nowhere"));
        assertRefused("Missing required option: '--journal=DIR'", CommandRun.of(new ReplayCommand(), "verify"));
        assertRefused("Missing required subcommand", CommandRun.of(new ReplayCommand()));
    }

    @Test
    void shouldRefuseADirectoryThatIsNoJournal() {
        assertRefused("--journal=" + directory + " is not a journal: it has no journal.yaml", verify());
    }

    private static void assertRefused(final String message, final CommandRun run) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run.exitCode, run::toString);
        assertTrue(run.err.startsWith(message), run.err);
        assertEquals(1, run.err.lines().count(), run.err);
    }

    @Test
    void shouldExit3WhenTheReportCannotBeWritten() {
        journal.write(directory);

        final CommandRun run = verify("--json", "/nowhere/report.json");

        assertEquals(ExitCode.ENVIRONMENT, run.exitCode, run::toString);
        assertTrue(run.err.startsWith("--json=/nowhere/report.json cannot be written"), run.err);
    }

    @Test
    void shouldExplainTheRangeAndTheTailInItsHelp() {
        final CommandRun run = CommandRun.of(new ReplayCommand(), "verify", "--help");

        assertEquals(ExitCode.OK, run.exitCode);
        final String help = run.out.replaceAll("\\s+", " ");
        assertTrue(help.contains("still read and computed, from the journal's first record"), run.out);
        assertTrue(help.contains("--allow-open-tail"), run.out);
        assertTrue(help.contains("Exit codes:"), run.out);
    }

    private CommandRun verify(final String... more) {
        final String[] arguments = new String[3 + more.length];
        arguments[0] = "verify";
        arguments[1] = "--journal";
        arguments[2] = directory.toString();
        System.arraycopy(more, 0, arguments, 3, more.length);
        return CommandRun.of(new ReplayCommand(), arguments);
    }
}
