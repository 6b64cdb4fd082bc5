package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.protocol.Sha256;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * An appliance is to go on with a journal that something has happened to. It goes on where that is right, and says so;
 * else it ends at once, with one line that says what is wrong and where, and has changed nothing.
 */
@Timeout(180)
class BadJournalSystemTest {

    private static final int REQUESTS = 200;
    private static final long LAST_SEQUENCE = 2 * REQUESTS - 1;

    /** What is on the class path of tests may silence them. */
    private static final String WARNINGS_OF_RECOVERY =
            "-Dorg.slf4j.simpleLogger.log.io.tiercel.appliance.recovery.SnapshotLoader=warn";

    @RegisterExtension
    private static final Workbench BENCH = new Workbench();

    private static Path bundle;
    private static Path journal;

    /** Two lives of an appliance, each of which has left a snapshot at its end. */
    @BeforeAll
    static void writeJournal() {
        bundle = BENCH.model(5);
        final ServeConfig config = BENCH.config(bundle);
        journal = config.journal();
        live(config);
        final TiercelProcess second = live(config);
        assertTrue(second.awaitLine("recovered: ").contains(
                "snapshot=sequence " + (REQUESTS - 1) + " replayed=0 identical=0 recomputed=0 torn=0"),
                second::toString);
        assertEquals(2, snapshots(journal).size(), () -> snapshots(journal).toString());
    }

    @Test
    void shouldGoOnWithTheOlderSnapshotWhenTheNewestIsCutShort() throws IOException {
        final Path copy = BENCH.copy(journal, "cut-snapshot");
        final Path newest = snapshots(copy).get(1);
        final Path draft = newest.resolveSibling("00000000000000000999.snapshot.tmp");
        Files.write(draft, new byte[100]);
        Files.write(newest, Arrays.copyOf(Files.readAllBytes(newest), (int) Files.size(newest) - 10));

        final TiercelProcess verify = BENCH.run("snapshot", "verify", "--journal", copy.toString());
        assertEquals(ExitCode.CHECK_FAILED, verify.awaitExit(), verify::toString);
        assertTrue(verify.awaitLine("snapshots: FAILED").contains(newest.toString()), verify::toString);

        final TiercelProcess appliance = BENCH.serve(BENCH.config(bundle).journal(copy), WARNINGS_OF_RECOVERY);
        assertTrue(appliance.awaitLine("recovered: ").startsWith("recovered: snapshot=sequence " + (REQUESTS - 1) +
                " skipped-snapshots=1 replayed=" + REQUESTS), appliance::toString);
        assertTrue(appliance.awaitErrorLine("snapshot skipped").contains(newest.toString()), appliance::toString);
        assertFalse(Files.exists(draft), "what was half-written is gone");
        assertEquals(0, appliance.terminate(), appliance::toString);
    }

    @Test
    void shouldBeginWithTheFirstRecordWhenThereIsNoSnapshot() throws IOException {
        final Path copy = withoutSnapshots("no-snapshot");
        final TiercelProcess appliance = BENCH.serve(BENCH.config(bundle).journal(copy));
        assertTrue(appliance.awaitLine("recovered: ").startsWith(
                "recovered: snapshot=none replayed=" + 2 * REQUESTS + " identical=" + 2 * REQUESTS),
                appliance::toString);
        assertEquals(0, appliance.terminate(), appliance::toString);
    }

    @Test
    void shouldRefuseAnotherModel() throws IOException {
        assertRefused(BENCH.copy(journal, "other-model"), BENCH.model(6), "code=OTHER_MODEL", ".snapshot");
        assertRefused(withoutSnapshots("other-model-journal"), BENCH.model(6), "code=OTHER_MODEL", "sequence=0");
    }

    @Test
    void shouldNameTheFileWhenAFileOfTheJournalIsMissing() throws IOException {
        final Path copy = withoutSnapshots("missing-file");
        Files.delete(StoredRecord.files(copy, "requests").get(0));
        assertRefused(copy, bundle, copy.toString());
    }

    @Test
    void shouldNameTheVersionsWhenTheJournalIsOfANewerOne() throws IOException {
        final Path copy = BENCH.copy(journal, "newer");
        final Path description = copy.resolve("journal.yaml");
        Files.writeString(description, Files.readString(description).replace("formatVersion: 1", "formatVersion: 2"));
        assertRefused(copy, bundle, description.toString(), "formatVersion=2", "supported=1");
    }

    @Test
    void shouldNameTheRecordAndACommandThatShowsMoreWhenOneInTheMiddleIsDamaged() throws IOException {
        final Path copy = withoutSnapshots("damaged");
        final StoredRecord record = StoredRecord.find(copy, "requests", 123);
        record.flipBitNearTheEnd();
        record.write();
        final String message = assertRefused(
                copy, bundle, "code=DAMAGED_JOURNAL", record.file().toString(), "123", "BAD_CHECKSUM");

        final Matcher command = Pattern.compile("tools/tiercel (journal dump .*)$").matcher(message);
        assertTrue(command.find(), message);
        final TiercelProcess dump = BENCH.run(command.group(1).split(" "));
        assertEquals(ExitCode.CHECK_FAILED, dump.awaitExit(), dump::toString);
        assertTrue(dump.out().stream().anyMatch(line -> line.startsWith("122 ") || line.contains(" 122 ")),
                "what is before it is shown\n" + dump);
        assertTrue(dump.err().get(0).contains("bad checksum in requests at sequence 123"), dump::toString);
    }

    @Test
    void shouldCutTheTailWhenItIsTorn() throws IOException {
        final Path copy = withoutSnapshots("torn");
        StoredRecord.find(copy, "outcomes", LAST_SEQUENCE).tear();
        final ServeConfig config = BENCH.config(bundle).journal(copy);
        final TiercelProcess appliance = BENCH.serve(config);
        assertTrue(appliance.awaitLine("recovered: ").contains(
                "identical=" + LAST_SEQUENCE + " recomputed=1 torn=1"), appliance::toString);
        assertEquals(0, BENCH.client("desk-1", "--requests", "50").awaitExit());
        assertEquals(0, appliance.terminate(), appliance::toString);

        final TiercelProcess replay = BENCH.run("replay", "verify", "--journal", copy.toString());
        assertEquals(ExitCode.OK, replay.awaitExit(), replay::toString);
        replay.awaitLine("replay: " + (LAST_SEQUENCE + 51) + " of " + (LAST_SEQUENCE + 51));
    }

    /** The newest snapshot stands for an outcome that had reached the device, and that is not there any more. */
    @Test
    void shouldNotBeginWhenTheOutcomeThatASnapshotEndsWithIsTorn() throws IOException {
        final Path copy = BENCH.copy(journal, "torn-behind-snapshot");
        StoredRecord.find(copy, "outcomes", LAST_SEQUENCE).tear();
        assertRefused(copy, bundle, "code=JOURNAL_TOO_SHORT", snapshots(copy).get(1).toString(), "outcomes");
    }

    @Test
    void shouldNotBeginAnewWhenSnapshotsAreAllThatIsLeft() throws IOException {
        final Path copy = BENCH.copy(journal, "snapshots-alone");
        Files.delete(StoredRecord.files(copy, "requests").get(0));
        Files.delete(StoredRecord.files(copy, "outcomes").get(0));
        assertRefused(copy, bundle, "code=JOURNAL_TOO_SHORT", snapshots(copy).get(1).toString(), "requests");
    }

    private static TiercelProcess live(final ServeConfig config) {
        final TiercelProcess appliance = BENCH.serve(config);
        assertEquals(0, BENCH.client("desk-1", "--requests", Integer.toString(REQUESTS)).awaitExit());
        assertEquals(0, appliance.terminate(), appliance::toString);
        return appliance;
    }

    private static Path withoutSnapshots(final String name) throws IOException {
        final Path copy = BENCH.copy(journal, name);
        for (final Path snapshot : snapshots(copy)) {
            Files.delete(snapshot);
        }
        return copy;
    }

    /** The oldest first. */
    private static List<Path> snapshots(final Path directory) {
        try (var files = Files.list(directory.resolve("snapshots"))) {
            return files.sorted().toList();
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    /** @return the line that says why. */
    private static String assertRefused(final Path directory, final Path model, final String... parts)
            throws IOException {
        final Map<String, String> before = contents(directory);
        final Path config = BENCH.write(BENCH.config(model).journal(directory));
        final TiercelProcess process = BENCH.run("serve", "--config", config.toString());
        assertEquals(ExitCode.ENVIRONMENT, process.awaitExit(), process::toString);
        final String message = process.err().get(process.err().size() - 1);
        final List<String> missing = new ArrayList<>(List.of(parts));
        missing.removeIf(message::contains);
        assertEquals(List.of(), missing, () -> "not in the message\n" + process);
        assertTrue(process.err().stream().noneMatch(line -> line.startsWith("\tat ")), process::toString);
        assertEquals(before, contents(directory), "nothing is changed");
        return message;
    }

    /** Every file but the lock, by its hash. */
    private static Map<String, String> contents(final Path directory) throws IOException {
        final Map<String, String> contents = new TreeMap<>();
        try (var files = Files.walk(directory)) {
            for (final Path file : files.filter(Files::isRegularFile).toList()) {
                if (!file.endsWith("lock")) {
                    contents.put(file.toString(), Sha256.hexOf(Files.readAllBytes(file)));
                }
            }
        }
        return contents;
    }
}
