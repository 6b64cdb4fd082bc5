package io.tiercel.appliance.journal;

import static io.tiercel.appliance.journal.JournalFixture.append;
import static io.tiercel.appliance.journal.JournalFixture.appendMany;
import static io.tiercel.appliance.journal.JournalFixture.count;
import static io.tiercel.appliance.journal.JournalFixture.randomFrame;
import static io.tiercel.appliance.journal.JournalFixture.randomRequest;
import static io.tiercel.appliance.journal.JournalFixture.rollToNextDay;
import static io.tiercel.appliance.journal.JournalFixture.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.protocol.wire.HelloEncoder;
import io.tiercel.protocol.wire.InferEncoder;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;

class RecordReaderTest {

    @TempDir
    private Path directory;
    /** Of the file's header: where the last record is. */
    private static final int CLAIM_OFFSET = 64;

    private final JournalFixture.ManualClock clock = new JournalFixture.ManualClock();

    @Test
    void shouldReportAGapWhenASequenceIsMissing() {
        try (JournalDirectory journal = open()) {
            append(journal, journal.requests(), 0, randomRequest(new Random(1), 40));
            append(journal, journal.requests(), 2, randomRequest(new Random(1), 40));
        }
        final JournalDamageException damage = damageOf(directory);
        assertEquals(JournalDamage.SEQUENCE_GAP, damage.damage());
        assertEquals(1, damage.expected());
        assertEquals(2, damage.actual());
        assertEquals(1, damage.sequence());
        assertTrue(damage.getMessage().contains(Long.toHexString(damage.index())), damage.getMessage());
        assertTrue(damage.getMessage().contains(".cq4"), damage.getMessage());
    }

    @Test
    void shouldReportAGapWhenTheFirstRecordsAreMissing() {
        try (JournalDirectory journal = open()) {
            append(journal, journal.requests(), 5, randomRequest(new Random(1), 40));
        }
        assertEquals(JournalDamage.SEQUENCE_GAP, damageOf(directory).damage());
    }

    @Test
    void shouldReportARepetitionWhenASequenceComesTwice() {
        try (JournalDirectory journal = open()) {
            append(journal, journal.requests(), 0, randomRequest(new Random(1), 40));
            append(journal, journal.requests(), 0, randomRequest(new Random(1), 40));
        }
        assertEquals(JournalDamage.SEQUENCE_REPETITION, damageOf(directory).damage());
    }

    @Test
    void shouldReportAGapWhenAWholeFileIsMissing() throws IOException {
        try (JournalDirectory journal = open()) {
            for (int day = 0; day < 3; day++) {
                appendMany(journal, day * 10L, 10);
                rollToNextDay(journal, clock);
            }
        }
        Files.delete(JournalFixture.files(directory.resolve("requests")).get(1));
        final JournalDamageException damage = damageOf(directory);
        assertEquals(JournalDamage.SEQUENCE_GAP, damage.damage());
        assertEquals(10, damage.expected());
        assertEquals(20, damage.actual());
        try (RecordReader reader = JournalDirectory.openForRead(directory).requests()) {
            assertThrows(JournalDamageException.class, () -> reader.seek(15));
        }
    }

    @Test
    void shouldReportUnknownFramesWhenSchemaVersionOrTemplateIsNotOurs() {
        assertEquals(JournalDamage.UNKNOWN_SCHEMA, damageOfFrame(
                randomFrame(new Random(1), 40, InferEncoder.TEMPLATE_ID, 77, InferEncoder.SCHEMA_VERSION), "a"));
        assertEquals(JournalDamage.UNKNOWN_VERSION, damageOfFrame(
                randomFrame(new Random(1), 40, InferEncoder.TEMPLATE_ID, InferEncoder.SCHEMA_ID, 99), "b"));
        assertEquals(JournalDamage.UNKNOWN_TEMPLATE, damageOfFrame(randomFrame(
                new Random(1), 40, HelloEncoder.TEMPLATE_ID, InferEncoder.SCHEMA_ID, InferEncoder.SCHEMA_VERSION),
                "c"));
    }

    @Test
    void shouldReportTruncationWhenAFrameHasNoHeader() {
        assertEquals(JournalDamage.TRUNCATED, damageOfFrame(new UnsafeBuffer(new byte[7]), "short"));
    }

    @Test
    void shouldReportALieWhenFrameLengthIsWrongUnderAGoodChecksum() throws IOException {
        try (JournalDirectory journal = open()) {
            append(journal, journal.requests(), 0, randomRequest(new Random(1), 40));
        }
        final Path file = JournalFixture.onlyFile(directory.resolve("requests"));
        final int position = (int) JournalFixture.positionOfFirstRecord(file) + Integer.BYTES;
        final byte[] bytes = Files.readAllBytes(file);
        final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        buffer.putInt(position + 4, 39);
        final CRC32C crc = new CRC32C();
        crc.update(bytes, position + 4, 60 + 40);
        buffer.putInt(position, (int) crc.getValue());
        Files.write(file, bytes);
        final JournalDamageException damage = damageOf(directory);
        assertEquals(JournalDamage.LENGTH_MISMATCH, damage.damage());
        assertEquals(40, damage.expected());
        assertEquals(39, damage.actual());
    }

    /** A copy that was cut short at any point: damage, or the end if nothing was lost; never a crash, never silence. */
    @Test
    void shouldReportDamageWhenTheFileIsCutShortAnywhere() throws IOException {
        final int count = 200;
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, count);
        }
        final Path file = JournalFixture.onlyFile(directory.resolve("requests"));
        final byte[] whole = Files.readAllBytes(file);
        final long firstPosition = JournalFixture.positionOfFirstRecord(file);
        final Random random = new Random(9);
        for (int i = 0; i < 60; i++) {
            final int kept = (int) firstPosition + random.nextInt(count * 100);
            cut(file, whole, i % 2 == 0 ? kept : kept & -PagePopulator.PAGE_BYTES);
            assertThrows(JournalDamageException.class, () -> count(directory), () -> "kept=" + kept);
        }
        Files.write(file, whole);
        assertEquals(count, count(directory));
    }

    @Test
    void shouldReportDamageWhenTheFilesOwnHeaderIsLost() throws IOException {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
        }
        final Path file = JournalFixture.onlyFile(directory.resolve("requests"));
        for (final long length : new long[] {0, 3, 100, 4_096}) {
            try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
                access.setLength(0);
                access.setLength(length);
            }
            assertThrows(JournalDamageException.class, () -> count(directory), () -> "length=" + length);
        }
    }

    @Test
    void shouldPlaceItselfWhenSoughtAcrossFiles() {
        final int perDay = 300;
        try (JournalDirectory journal = open()) {
            for (int day = 0; day < 4; day++) {
                appendMany(journal, (long) day * perDay, perDay);
                rollToNextDay(journal, clock);
            }
        }
        try (RecordReader reader = JournalDirectory.openForRead(directory).requests()) {
            for (final long sequence : new long[] {1_199, 0, 299, 300, 601, 5, 900, 1_199}) {
                assertTrue(reader.seek(sequence));
                assertTrue(reader.next());
                assertEquals(sequence, reader.sequence());
            }
            assertFalse(reader.next());
            assertFalse(reader.seek(1_200));
            assertTrue(reader.next());
            assertEquals(0, reader.sequence());
        }
    }

    /** The header says where the last record is; a search that believed a damaged one would have no end. */
    @Test
    @Timeout(60)
    void shouldSeekInWhatThereIsWhenTheFilesHeaderClaimsAnythingElse() throws IOException {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
        }
        final Path file = JournalFixture.onlyFile(directory.resolve("requests"));
        for (final long claimed : new long[] {1L << 60, Long.MAX_VALUE, Long.MIN_VALUE, -1, 1}) {
            final byte[] bytes = Files.readAllBytes(file);
            new UnsafeBuffer(bytes).putLong(64, claimed);
            Files.write(file, bytes);
            try (RecordReader reader = JournalDirectory.openForRead(directory).requests()) {
                assertTrue(reader.seek(5), () -> "claimed=" + claimed);
                assertTrue(reader.next());
                assertEquals(5, reader.sequence());
                assertFalse(reader.seek(10));
            }
        }
    }

    /** A record that comes after what was read ahead, and before the file's header claims it. */
    @Test
    void shouldFindWhatHasBeenWrittenSinceItReadAhead() throws IOException {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 2);
        }
        final Path file = JournalFixture.onlyFile(directory.resolve("requests"));
        final byte[] bytes = Files.readAllBytes(file);
        final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        final int position = (int) buffer.getLong(CLAIM_OFFSET);
        final int word = buffer.getInt(position);
        buffer.putLong(CLAIM_OFFSET, JournalFixture.positionOfFirstRecord(file));
        buffer.putInt(position, 0);
        Files.write(file, bytes);
        try (RecordReader reader = JournalDirectory.openForRead(directory).requests()) {
            assertTrue(reader.next());
            buffer.putInt(position, word);
            Files.write(file, bytes, StandardOpenOption.WRITE);
            assertTrue(reader.next());
            assertEquals(1, reader.sequence());
            assertFalse(reader.next());
        }
    }

    @Test
    void shouldReadACopyAndLeaveItAsItIs() throws IOException {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 1_000);
            rollToNextDay(journal, clock);
            appendMany(journal, 1_000, 1_000);
            final Path copy = directory.resolve("copy");
            JournalFixture.copyLive(directory, copy);
            final Map<String, String> before = JournalFixture.contents(copy);
            assertEquals(2_000, count(copy));
            try (RecordReader reader = JournalDirectory.openForRead(copy).requests()) {
                assertTrue(reader.seek(1_500));
                assertTrue(reader.next());
            }
            assertEquals(before, JournalFixture.contents(copy));
        }
    }

    @Test
    void shouldReadWhenChroniclesTableOfFilesIsLost() throws IOException {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
            rollToNextDay(journal, clock);
            appendMany(journal, 10, 10);
        }
        Files.delete(directory.resolve("requests").resolve("metadata.cq4t"));
        assertEquals(20, count(directory));
    }

    @Test
    void shouldSayWhatIsMissingWhenItIsNoJournal() {
        final JournalException ex =
                assertThrows(JournalException.class, () -> JournalDirectory.openForRead(directory.resolve("nowhere")));
        assertTrue(ex.getMessage().contains("journal.yaml"), ex.getMessage());
    }

    private JournalDirectory open() {
        return JournalDirectory.open(directory, settings(clock));
    }

    private JournalDamage damageOfFrame(final UnsafeBuffer frame, final String name) {
        final Path journalDirectory = directory.resolve(name);
        try (JournalDirectory journal = JournalDirectory.open(journalDirectory, settings(clock))) {
            append(journal, journal.requests(), 0, frame);
        }
        return damageOf(journalDirectory).damage();
    }

    private static JournalDamageException damageOf(final Path journalDirectory) {
        return assertThrows(JournalDamageException.class, () -> count(journalDirectory));
    }

    private static void cut(final Path file, final byte[] whole, final int length) throws IOException {
        Files.write(file, whole);
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(length);
        }
    }
}
