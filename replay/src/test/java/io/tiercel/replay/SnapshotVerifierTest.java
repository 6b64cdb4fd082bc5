package io.tiercel.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backends;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotVerifierTest {

    private static final int COUNT = 120;
    /** The last message of a snapshot's file: its length, the header, the count of answers, the checksum. */
    private static final int END_LENGTH = 4 + 8 + 8;
    /** Behind the first message's length and header. */
    private static final int SEQUENCE_OFFSET = 4 + 8;

    @TempDir
    Path directory;

    private final JournalFixture journal = JournalFixture.of(17, COUNT);

    @Test
    void shouldFindEverySessionIdenticalInEverySnapshot() {
        journal.write(directory);
        journal.writeSnapshot(directory, 30);
        journal.writeSnapshot(directory, 80);

        final SnapshotReport report = verifier().verifyAll();

        assertIdentical(report);
        assertEquals(List.of(30L, 80L),
                report.verified().stream().map(SnapshotReport.VerifiedSnapshot::sequence).toList());
        assertTrue(report.sessionCount() > 20, report::toString);
        assertEquals(81, report.requestCount());
        assertEquals(-1, report.baseSequence());
    }

    @Test
    void shouldBeginAtTheSnapshotBeforeWhenOneIsAskedFor() {
        journal.write(directory);
        journal.writeSnapshot(directory, 30);
        journal.writeSnapshot(directory, 80);

        final SnapshotReport report = verifier().verify(80);

        assertIdentical(report);
        assertEquals(30, report.baseSequence());
        assertEquals(50, report.requestCount());
        assertEquals(31, verifier().verify(30).requestCount());
        assertThrows(IllegalArgumentException.class, () -> verifier().verify(31));
    }

    @Test
    void shouldFindSnapshotsIdenticalWhenSessionsMadeRoomForOthers() {
        final JournalFixture evicting = JournalFixture.of(19, COUNT, 6);
        evicting.write(directory);
        evicting.writeSnapshot(directory, 30);
        evicting.writeSnapshot(directory, 80);

        final SnapshotReport report = verifier().verifyAll();

        assertIdentical(report);
        assertEquals(12, report.sessionCount());
        assertIdentical(verifier().verify(80));
    }

    @Test
    void shouldFindNothingWrongWhenThereIsNoSnapshot() {
        journal.write(directory);

        assertIdentical(verifier().verifyAll());
    }

    @Test
    void shouldNameTheSessionAndTheOffsetWhenAStateIsAnother() throws IOException {
        journal.write(directory);
        final Path file = journal.writeSnapshot(directory, 30);
        forge(file, (int) Files.size(file) - END_LENGTH - 1, 0x40);

        final SnapshotReport report = verifier().verifyAll();

        assertNull(report.damage());
        assertTrue(report.difference().field().startsWith("state["), report::toString);
        assertEquals(30, report.difference().sequence());
        assertFalse(report.isIdentical());
    }

    @Test
    void shouldFindEveryAnswerIdenticalInEverySnapshot() {
        journal.write(directory);
        journal.writeSnapshot(directory, 30, 8);
        journal.writeSnapshot(directory, 80, COUNT);

        final SnapshotReport report = verifier().verifyAll();

        assertIdentical(report);
        assertTrue(report.verified().get(0).answerCount() >= 8, report::toString);
        assertTrue(report.verified().get(1).answerCount() > 60, report::toString);
        assertTrue(report.answerCount() < 31 + 81, report::toString);
    }

    /** The newest answer of all stands last in the file. */
    @Test
    void shouldNameTheAnswerWhenItIsNotTheJournals() throws IOException {
        final int sequence = journal.computedFrom(30);
        journal.write(directory);
        final Path file = journal.writeSnapshot(directory, sequence, 8);
        forge(file, (int) Files.size(file) - END_LENGTH - 1, 0x40);

        final SnapshotReport report = verifier().verifyAll();

        assertNull(report.damage());
        assertTrue(report.difference().field().startsWith("answers[" + sequence + "].outputs["), report::toString);
        assertFalse(report.isIdentical());
    }

    /** The snapshot of the first request, said to be that of the second, which begins another session. */
    @Test
    void shouldSayHowManySessionsThereAreWhenTheSnapshotLacksOne() throws IOException {
        journal.write(directory);
        final Path first = journal.writeSnapshot(directory, 0);
        forge(first, SEQUENCE_OFFSET, 1);
        Files.move(first, first.resolveSibling("00000000000000000001.snapshot"));

        final SnapshotReport report = verifier().verifyAll();

        assertEquals("sessionCount", report.difference().field());
        assertEquals("1", report.difference().expected());
        assertEquals("2", report.difference().actual());
    }

    @Test
    void shouldNameTheFileWhenItIsCutShort() throws IOException {
        journal.write(directory);
        journal.writeSnapshot(directory, 30);
        final Path file = journal.writeSnapshot(directory, 80);
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 1_000));

        final SnapshotReport report = verifier().verifyAll();

        assertEquals(DamageKind.BAD_SNAPSHOT, report.damage().kind());
        assertEquals(80, report.damage().sequence());
        assertTrue(report.damage().detail().contains(file.toString()), report::toString);
    }

    @Test
    void shouldNameTheBundleWhenItIsMissing() throws IOException {
        journal.write(directory);
        journal.writeSnapshot(directory, 30);
        Files.delete(journal.bundlePath(directory, 1));

        assertEquals(DamageKind.MISSING_BUNDLE, verifier().verifyAll().damage().kind());
    }

    @Test
    void shouldSayThatASnapshotIsBeyondTheJournal() {
        JournalFixture.of(17, 60).write(directory);
        journal.writeSnapshot(directory, 80);

        final Damage damage = verifier().verifyAll().damage();

        assertEquals(DamageKind.BAD_SNAPSHOT, damage.kind());
        assertTrue(damage.detail().contains("beyond the journal's last outcome"), damage::toString);
    }

    @Test
    void shouldTakeTheOldestSnapshotAsItIsWhenTheBeginningWasRemoved() {
        journal.writeWithoutBeginning(directory, 40, 50);
        journal.writeSnapshot(directory, 30);
        journal.writeSnapshot(directory, 60);
        journal.writeSnapshot(directory, 80);

        final SnapshotReport report = verifier().verifyAll();

        assertIdentical(report);
        assertEquals(60, report.baseSequence());
        assertEquals(List.of(80L),
                report.verified().stream().map(SnapshotReport.VerifiedSnapshot::sequence).toList());
    }

    @Test
    void shouldReplayFromTheOldestSnapshotThatFitsWhenTheBeginningWasRemoved() {
        journal.writeWithoutBeginning(directory, 40, 50);
        journal.writeSnapshot(directory, 30);
        journal.writeSnapshot(directory, 49);
        journal.writeSnapshot(directory, 80);

        final ReplayReport report = replay(new ReplayOptions());

        assertTrue(report.isIdentical(), report::toString);
        assertEquals(49, report.baseSequence());
        assertEquals(COUNT - 50, report.identicalCount());
        assertEquals(COUNT - 1, report.lastSequence());
        assertEquals(20, replay(new ReplayOptions().fromSequence(70).toSequence(89)).identicalCount());
        assertEquals(DamageKind.RANGE_OUTSIDE_JOURNAL,
                replay(new ReplayOptions().fromSequence(49)).damage().kind());
        assertEquals(DamageKind.RANGE_OUTSIDE_JOURNAL,
                replay(new ReplayOptions().toSequence(49)).damage().kind());
    }

    @Test
    void shouldFindNothingToCompareWhenTheSnapshotIsOfTheLastRequest() {
        journal.writeWithoutBeginning(directory, 40, 50);
        journal.writeSnapshot(directory, COUNT - 1);

        final ReplayReport report = replay(new ReplayOptions());

        assertTrue(report.isIdentical(), report::toString);
        assertEquals(COUNT - 1, report.baseSequence());
        assertEquals(0, report.comparedCount());
    }

    @Test
    void shouldSayWhenNoSnapshotStandsForTheBeginningThatWasRemoved() {
        journal.writeWithoutBeginning(directory, 40, 50);
        journal.writeSnapshot(directory, 30);

        assertEquals(DamageKind.NO_SNAPSHOT, replay(new ReplayOptions()).damage().kind());
        assertEquals(DamageKind.NO_SNAPSHOT, verifier().verifyAll().damage().kind());
    }

    @Test
    void shouldShowWhatIsThereWhenTheBeginningWasRemoved() {
        journal.writeWithoutBeginning(directory, 40, 50);

        try (JoinedJournal joined = JoinedJournal.open(directory)) {
            assertEquals(50, joined.firstSequence());
            assertTrue(joined.next());
            assertEquals(50, joined.sequence());
            assertTrue(joined.hasOutcome());
            assertEquals(COUNT, joined.outcomesEndSequence());
        }
    }

    private SnapshotVerifier verifier() {
        return new SnapshotVerifier(
                directory, Backends.AUTO, (doneCount, totalCount) -> {}, SystemNanoClock.INSTANCE);
    }

    private ReplayReport replay(final ReplayOptions options) {
        return new ReplayVerifier(options.journalDirectory(directory).progress((doneCount, totalCount) -> {})).verify();
    }

    private static void assertIdentical(final SnapshotReport report) {
        assertTrue(report.isIdentical(), () -> report.difference() + " " + report.damage());
    }

    /** Changes a byte, and makes the checksum fit. */
    private static void forge(final Path file, final int offset, final int bits) throws IOException {
        final byte[] bytes = Files.readAllBytes(file);
        bytes[offset] ^= (byte) bits;
        final CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length - END_LENGTH);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
                .putInt(bytes.length - Integer.BYTES, (int) crc.getValue());
        Files.write(file, bytes);
    }
}
