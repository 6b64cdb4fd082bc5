package io.tiercel.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.journal.JournalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verifier over real queues on disk; everything that does not need them is in {@link ReplayVerifierTest}. */
class JournalDirectoryReplayTest {

    private static final int COUNT = 120;
    private static final int SCHEMA_VERSION_OFFSET = 6;

    @TempDir
    Path directory;

    private final JournalFixture journal = JournalFixture.of(11, COUNT);

    @Test
    void shouldFindEveryOutcomeIdenticalInAJournalOnDisk() {
        journal.write(directory);
        final List<Long> totals = new ArrayList<>();

        final ReplayReport report = verify(options().progress((doneCount, totalCount) -> totals.add(totalCount)));

        assertTrue(report.isIdentical(), () -> report.divergence() + " " + report.damage());
        assertEquals(COUNT, report.identicalCount());
        assertTrue(totals.stream().allMatch(total -> total == COUNT));
    }

    @Test
    void shouldChangeNothingInTheJournal() throws IOException {
        journal.write(directory);
        final List<String> before = fingerprint();

        verify(options());

        assertEquals(before, fingerprint());
    }

    /** Every path with the hash of its contents. */
    private List<String> fingerprint() throws IOException {
        final List<String> files = new ArrayList<>();
        try (Stream<Path> paths = Files.walk(directory)) {
            for (final Path path : paths.sorted().toList()) {
                files.add(path + " " + (Files.isRegularFile(path) ? Arrays.hashCode(Files.readAllBytes(path)) : 0));
            }
        }
        return files;
    }

    @Test
    void shouldFindAnEmptyJournalIdentical() {
        journal.requests.clear();
        journal.outcomes.clear();
        journal.write(directory);

        assertTrue(verify(options()).isIdentical());
    }

    @Test
    void shouldNameTheGapWhenARequestWasRemoved() {
        journal.requests.remove(40);
        journal.write(directory);

        assertDamage(DamageKind.GAP, "requests", 40);
    }

    @Test
    void shouldNameTheGapWhenAnOutcomeWasRemoved() {
        journal.outcomes.remove(40);
        journal.write(directory);

        assertDamage(DamageKind.GAP, "outcomes", 40);
    }

    @Test
    void shouldNameTheGapWhenTheFirstRecordIsMissing() {
        journal.requests.remove(0);
        journal.outcomes.remove(0);
        journal.write(directory);

        assertEquals(DamageKind.GAP, verify(options()).damage().kind());
    }

    @Test
    void shouldNameARecordThatComesTwice() {
        journal.requests.add(41, journal.requests.get(40));
        journal.write(directory);

        assertDamage(DamageKind.GAP, "requests", 41);
    }

    @Test
    void shouldNameTheRecordWhoseChecksumIsWrong() {
        journal.write(directory);
        final int sequence = journal.computedFrom(50);
        JournalFixture.corruptOnDisk(directory.resolve("outcomes"), journal.outcomes.get(sequence));

        final Damage damage = assertDamage(DamageKind.BAD_CHECKSUM, "outcomes", sequence);

        assertTrue(damage.detail().startsWith("crc32c is "), damage.detail());
    }

    @Test
    void shouldNameAnUnknownSchemaVersion() {
        journal.requests.get(60).frame[SCHEMA_VERSION_OFFSET]++;
        journal.write(directory);

        final Damage damage = assertDamage(DamageKind.UNKNOWN_SCHEMA, "requests", 60);

        assertTrue(damage.detail().startsWith("version=7, known is 6"), damage.detail());
    }

    @Test
    void shouldNameAFrameThatDoesNotBelongThere() {
        journal.outcomes.get(60).frame = journal.requests.get(60).frame;
        journal.write(directory);

        assertDamage(DamageKind.UNKNOWN_SCHEMA, "outcomes", 60);
    }

    @Test
    void shouldFindDamageBeforeTheRangeToo() {
        journal.requests.get(10).frame[SCHEMA_VERSION_OFFSET]++;
        journal.write(directory);

        assertFalse(verify(options().fromSequence(100)).isIdentical());
    }

    @Test
    void shouldReadOneQueueWhenTheOtherIsDamaged() {
        journal.outcomes.get(0).frame[SCHEMA_VERSION_OFFSET]++;
        journal.write(directory);

        try (JoinedJournal requests = JoinedJournal.open(directory, JoinedJournal.Queues.REQUESTS)) {
            int count = 0;
            while (requests.next()) {
                assertFalse(requests.hasOutcome());
                count++;
            }
            assertEquals(COUNT, count);
        }
    }

    @Test
    void shouldBeginAtASequenceWhenAskedTo() {
        journal.outcomes.subList(COUNT - 2, COUNT).clear();
        journal.write(directory);

        try (JoinedJournal joined = JoinedJournal.open(directory)) {
            assertTrue(joined.seek(COUNT - 3));
            assertTrue(joined.next());
            assertEquals(COUNT - 3, joined.sequence());
            assertTrue(joined.hasOutcome());
            assertTrue(joined.next());
            assertFalse(joined.hasOutcome());
            assertTrue(joined.seek(COUNT - 1));
            assertTrue(joined.next());
            assertEquals(COUNT - 1, joined.sequence());
            assertFalse(joined.hasOutcome());
            assertFalse(joined.next());
            assertFalse(joined.seek(COUNT) && joined.next());
        }
    }

    @Test
    void shouldCountTheOutcomes() {
        journal.outcomes.subList(COUNT - 2, COUNT).clear();
        journal.write(directory);

        try (JoinedJournal joined = JoinedJournal.open(directory)) {
            assertEquals(COUNT - 2, joined.outcomesEndSequence());
        }
    }

    @Test
    void shouldReadOnWhenTheLastOutcomesAreMissing() {
        journal.outcomes.subList(COUNT - 2, COUNT).clear();
        journal.write(directory);

        final ReplayReport report = verify(options().allowOpenTail(true));

        assertTrue(report.isIdentical());
        assertEquals(2, report.openTailCount());
    }

    @Test
    void shouldRefuseADirectoryThatIsNoJournal() {
        assertThrows(JournalException.class, () -> verify(options()));
    }

    private Damage assertDamage(final DamageKind kind, final String queue, final long sequence) {
        final Damage damage = verify(options()).damage();
        assertEquals(kind, damage.kind(), damage::toString);
        assertEquals(queue, damage.queue());
        assertEquals(sequence, damage.sequence());
        return damage;
    }

    private ReplayOptions options() {
        return new ReplayOptions().journalDirectory(directory);
    }

    private static ReplayReport verify(final ReplayOptions options) {
        return new ReplayVerifier(options).verify();
    }
}
