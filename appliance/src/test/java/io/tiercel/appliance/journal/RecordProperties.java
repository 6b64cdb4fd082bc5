package io.tiercel.appliance.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

class RecordProperties {

    private static final int RECORD_HEADER_LENGTH = 64;

    @Property(tries = 40, shrinking = ShrinkingMode.BOUNDED)
    void shouldReadBackAnyRecords(
            @ForAll final long seed,
            @ForAll @Size(min = 1, max = 200) final List<@IntRange(min = 8, max = 9_000) Integer> frameLengths)
            throws IOException {
        final Path directory = Files.createTempDirectory("records-");
        try {
            final Random random = new Random(seed);
            final List<UnsafeBuffer> frames = new ArrayList<>();
            try (JournalDirectory journal = open(directory)) {
                for (final int frameLength : frameLengths) {
                    frames.add(JournalFixture.randomRequest(random, frameLength));
                    JournalFixture.append(journal, journal.requests(), frames.size() - 1,
                            frames.get(frames.size() - 1));
                }
            }
            try (RecordReader reader = JournalDirectory.openForRead(directory).requests()) {
                for (int i = 0; i < frames.size(); i++) {
                    assertTrue(reader.next());
                    assertEquals(i, reader.sequence());
                    assertEquals(frames.get(i), new UnsafeBuffer(reader.frame()));
                    assertEquals(
                            JournalFixture.randomModelVersion(new Random(i)), new UnsafeBuffer(reader.modelVersion()));
                }
                assertFalse(reader.next());
            }
        } finally {
            IoUtil.delete(directory.toFile(), true);
        }
    }

    /** All bytes of a record, its length word included, first record, one in the middle and last. */
    @Example
    void shouldReportDamageWhenAnyByteOfARecordIsChanged() throws IOException {
        final Path directory = Files.createTempDirectory("damage-");
        try {
            final Random random = new Random(11);
            final int frameLength = 60;
            final int count = 3;
            try (JournalDirectory journal = open(directory)) {
                for (int i = 0; i < count; i++) {
                    JournalFixture.append(journal, journal.requests(), i,
                            JournalFixture.randomRequest(random, frameLength));
                }
            }
            final Path file = JournalFixture.onlyFile(directory.resolve("requests"));
            final long firstPosition = JournalFixture.positionOfFirstRecord(file);
            final int stride = Integer.BYTES + RECORD_HEADER_LENGTH + frameLength;
            try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
                for (long position = firstPosition; position < firstPosition + (long) count * stride; position++) {
                    access.seek(position);
                    final int good = access.read();
                    for (int bit = 0; bit < Byte.SIZE; bit++) {
                        access.seek(position);
                        access.write(good ^ 1 << bit);
                        assertDamaged(directory, position - firstPosition, bit);
                    }
                    access.seek(position);
                    access.write(good);
                }
            }
            assertEquals(count, JournalFixture.count(directory));
        } finally {
            IoUtil.delete(directory.toFile(), true);
        }
    }

    private static void assertDamaged(final Path directory, final long offset, final int bit) {
        assertThrows(JournalDamageException.class, () -> JournalFixture.count(directory),
                () -> "offset=" + offset + " bit=" + bit);
    }

    private static JournalDirectory open(final Path directory) {
        return JournalDirectory.open(directory, JournalFixture.settings(new JournalFixture.ManualClock()));
    }
}
