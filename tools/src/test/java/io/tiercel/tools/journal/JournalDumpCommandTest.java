package io.tiercel.tools.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.protocol.journal.Arithmetic;
import io.tiercel.protocol.journal.OutcomeEncoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;
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

    /** A journal of one request of two tokens. */
    private void writeTokens(final boolean hasBundle) throws IOException {
        final Bundle bundle = Bundle.open(RandomTransformers.writeTokens(1, 8, directory));
        final Path bundles = Files.createDirectories(directory.resolve("bundles"));
        if (hasBundle) {
            Files.copy(bundle.path(), bundles.resolve(bundle.versionHex() + ".safetensors"));
        }
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[256]);
        final InferEncoder infer = new InferEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(1).sessionKey(2).budgetNs(0).modelId(0).stepCount(2).featureCount(1);
        infer.flags().clear();
        infer.putFeatures(cells(5, 22), 0, 8);
        final UnsafeBuffer outcomeFrame = new UnsafeBuffer(new byte[256]);
        final OutcomeEncoder outcome = new OutcomeEncoder()
                .wrapAndApplyHeader(outcomeFrame, 0, new io.tiercel.protocol.journal.MessageHeaderEncoder())
                .correlationId(1).sessionKey(2).modelId(0).batchSize(1).stepCount(2).outputCount(6)
                .status(OutcomeStatus.OK).arithmetic(Arithmetic.EXACT);
        outcome.putOutputs(cells(7, Float.floatToRawIntBits(0.75f), 3, Float.floatToRawIntBits(0.125f), 0,
                Float.floatToRawIntBits(0.0625f)), 0, 24);
        final UnsafeBuffer version = new UnsafeBuffer(bundle.version());
        try (JournalDirectory opened = JournalDirectory.open(directory, new JournalSettings()
                .blockBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .populateAheadBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .minimumFreeBytes(0)
                .clock(() -> 1_700_000_000_000_000_000L)
                .keeperThread(false))) {
            assertTrue(opened.requests().append(0, 1, 77, version, frame, 0, 8 + infer.encodedLength()));
            assertTrue(opened.outcomes().append(0, 1, 77, version, outcomeFrame, 0, 8 + outcome.encodedLength()));
        }
    }

    private static UnsafeBuffer cells(final int... values) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[values.length * Integer.BYTES]);
        for (int i = 0; i < values.length; i++) {
            buffer.putInt(i * Integer.BYTES, values[i], ByteOrder.LITTLE_ENDIAN);
        }
        return buffer;
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
