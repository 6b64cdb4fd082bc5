package io.tiercel.appliance.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tiercel.protocol.FuzzSeeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Any bytes as a queue's only file: damage that is reported, or records, each from its place in the file. Every input
 * is read twice, as it is and with right checksums, since no fuzzer would guess them.
 */
@Timeout(20)
class QueueFileFuzzTest {

    private static final int RECORD_HEADER_LENGTH = 64;
    private static final int NOT_COMPLETE = 1 << 31;
    private static final int META_DATA = 1 << 30;
    private static final int END_OF_FILE = NOT_COMPLETE | META_DATA;

    private static final long[] SOUGHT = {1, Long.MAX_VALUE};

    @TempDir
    private static Path directory;

    private static Path file;

    private final ByteBuffer memory = QueueFile.newBuffer();

    @BeforeAll
    static void nameFile() throws IOException {
        JournalLayout.write(directory, new JournalLayout.Description(RollPeriod.DAILY, 0));
        file = Files.createDirectory(directory.resolve(JournalLayout.REQUESTS)).resolve("20260216X.cq4");
    }

    @FuzzTest
    void shouldReadRecordsOrReportDamage(final byte[] bytes) throws IOException {
        final List<Integer> offsets = recordOffsets(bytes);
        check(bytes, offsets);
        final byte[] summed = bytes.clone();
        putChecksums(summed, offsets);
        if (!Arrays.equals(bytes, summed)) {
            check(summed, offsets);
        }
    }

    private void check(final byte[] bytes, final List<Integer> offsets) throws IOException {
        Files.write(file, bytes);
        final int count = readAll(bytes, offsets);
        recover(count);
        try (RecordReader reader = open()) {
            assertTrue(count == 0 || reader.hasDocuments(), "records, and yet none");
        }
        for (final long sequence : SOUGHT) {
            seek(sequence);
        }
        if (count > 0) {
            seek(count - 1);
        }
    }

    /** @return how many records were read, to the end or to where the damage is. */
    private int readAll(final byte[] bytes, final List<Integer> offsets) {
        int count = 0;
        try (RecordReader reader = open()) {
            while (reader.next()) {
                assertEquals(count, reader.sequence());
                final int start = offsets.get(count++) + RECORD_HEADER_LENGTH;
                final byte[] frame = new byte[reader.frameLength()];
                reader.frame().getBytes(0, frame);
                assertArrayEquals(Arrays.copyOfRange(bytes, start, start + frame.length), frame);
                reader.modelVersion().getByte(31);
            }
            assertFalse(reader.next(), "a record behind the end");
        } catch (final JournalDamageException ex) {
            assertTrue(ex.getMessage().contains("damage=" + ex.damage()), ex.getMessage());
        }
        return count;
    }

    /** Where a recovery would go on: behind what can be read, if that is not damaged. */
    private void recover(final int count) {
        try (RecordReader reader = open(true)) {
            while (reader.next()) {
                assertTrue(reader.sequence() < count, "a record that a strict reader does not read");
            }
            final JournalEnd end = reader.end();
            assertEquals(count, end.nextSequence());
        } catch (final JournalDamageException ex) {
            assertTrue(ex.getMessage().contains("damage=" + ex.damage()), ex.getMessage());
        }
    }

    private void seek(final long sequence) {
        try (RecordReader reader = open()) {
            if (reader.seek(sequence) && reader.next()) {
                assertEquals(sequence, reader.sequence());
            }
        } catch (final JournalDamageException ex) {
            assertTrue(ex.getMessage().contains("damage=" + ex.damage()), ex.getMessage());
        }
    }

    private RecordReader open() {
        return open(false);
    }

    private RecordReader open(final boolean isRecovery) {
        final JournalView view = new JournalView(directory, RollPeriod.DAILY);
        return new RecordReader(view, RecordKind.REQUEST, isRecovery, memory);
    }

    /** Where the records stand, by the picture in {@link QueueFile} alone. */
    private static List<Integer> recordOffsets(final byte[] bytes) {
        final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        final List<Integer> offsets = new ArrayList<>();
        long position = 0;
        while (position + Integer.BYTES <= bytes.length) {
            final int word = buffer.getInt((int) position, ByteOrder.LITTLE_ENDIAN);
            if (word == 0 || word == END_OF_FILE || (word & NOT_COMPLETE) != 0) {
                break;
            }
            if ((word & META_DATA) == 0) {
                offsets.add((int) position + Integer.BYTES);
            }
            position = JournalSegment.align(position + Integer.BYTES + (word & META_DATA - 1));
        }
        return offsets;
    }

    private static void putChecksums(final byte[] bytes, final List<Integer> offsets) {
        final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        final CRC32C crc = new CRC32C();
        for (final int offset : offsets) {
            final int length = buffer.getInt(offset - Integer.BYTES, ByteOrder.LITTLE_ENDIAN);
            if (length >= RECORD_HEADER_LENGTH && length <= bytes.length - offset) {
                crc.reset();
                crc.update(bytes, offset + Integer.BYTES, length - Integer.BYTES);
                buffer.putInt(offset, (int) crc.getValue(), ByteOrder.LITTLE_ENDIAN);
            }
        }
    }

    @Test
    void shouldHaveSeedsOfFilesWithAndWithoutRecords(@TempDir final Path written) throws IOException {
        final byte[] three = compact(written, 3);
        final byte[] ended = Arrays.copyOf(three, three.length + Integer.BYTES);
        new UnsafeBuffer(ended).putInt(three.length, END_OF_FILE, ByteOrder.LITTLE_ENDIAN);
        final byte[] late = three.clone();
        new UnsafeBuffer(late).putLong(64, 1L << 60, ByteOrder.LITTLE_ENDIAN);
        final byte[] negative = three.clone();
        new UnsafeBuffer(negative).putLong(64, Long.MIN_VALUE, ByteOrder.LITTLE_ENDIAN);
        FuzzSeeds.of(QueueFileFuzzTest.class, "shouldReadRecordsOrReportDamage")
                .add("no-record", compact(written, 0))
                .add("one-record", compact(written, 1))
                .add("three-records", three)
                .add("ended", ended)
                .add("cut", Arrays.copyOf(three, three.length - 30))
                .add("zeros-follow", Arrays.copyOf(three, three.length + 32))
                .add("claims-more", late)
                .add("claims-less-than-nothing", negative)
                .add("header-alone", Arrays.copyOf(three, 72))
                .check();
    }

    /** A file as the journal writes it, without what Chronicle keeps between the header and the first record. */
    private static byte[] compact(final Path parent, final int count) throws IOException {
        final Path journal = parent.resolve("journal-" + count);
        try (JournalDirectory open = JournalDirectory.open(
                journal, JournalFixture.settings(new JournalFixture.ManualClock()))) {
            final Random random = new Random(count);
            for (int i = 0; i < count; i++) {
                JournalFixture.append(open, open.requests(), i, JournalFixture.randomRequest(random, 8 + 5 * i));
            }
        }
        final Path queueFile = JournalFixture.onlyFile(journal.resolve(JournalLayout.REQUESTS));
        final byte[] bytes = Files.readAllBytes(queueFile);
        final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        final int headerEnd = Integer.BYTES + (buffer.getInt(0, ByteOrder.LITTLE_ENDIAN) & META_DATA - 1);
        final int from = (int) JournalSegment.align(headerEnd);
        final int first = (int) JournalFixture.positionOfFirstRecord(queueFile);
        final long last = buffer.getLong(64, ByteOrder.LITTLE_ENDIAN);
        final int end = count == 0
                ? first
                : (int) JournalSegment.align(last + Integer.BYTES + buffer.getInt((int) last, ByteOrder.LITTLE_ENDIAN));
        final byte[] compact = new byte[from + end - first];
        System.arraycopy(bytes, 0, compact, 0, from);
        System.arraycopy(bytes, first, compact, from, end - first);
        if (count > 0) {
            new UnsafeBuffer(compact).putLong(64, last - first + from, ByteOrder.LITTLE_ENDIAN);
        }
        return compact;
    }
}
