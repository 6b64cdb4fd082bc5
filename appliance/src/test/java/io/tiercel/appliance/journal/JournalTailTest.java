package io.tiercel.appliance.journal;

import static io.tiercel.appliance.journal.JournalFixture.append;
import static io.tiercel.appliance.journal.JournalFixture.contents;
import static io.tiercel.appliance.journal.JournalFixture.count;
import static io.tiercel.appliance.journal.JournalFixture.endOf;
import static io.tiercel.appliance.journal.JournalFixture.randomRequest;
import static io.tiercel.appliance.journal.JournalFixture.resume;
import static io.tiercel.appliance.journal.JournalFixture.rollToNextDay;
import static io.tiercel.appliance.journal.JournalFixture.runKeeper;
import static io.tiercel.appliance.journal.JournalFixture.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;

/** What is at the very end of a journal whose writer or machine died, byte for byte, and what is done about it. */
class JournalTailTest {

    private static final int FRAME_LENGTH = 20;
    /** Length word, header, frame; a multiple of 4, so that the next word follows at once. */
    private static final int RECORD_LENGTH = 4 + 64 + FRAME_LENGTH;
    private static final int RECORD_COUNT = 3;
    private static final int GARBAGE_LENGTH = 200;

    @TempDir
    private Path directory;
    private final JournalFixture.ManualClock clock = new JournalFixture.ManualClock();
    private Path live;
    private Path file;
    private byte[] whole;
    private int lastPosition;

    /** Three records, as the death of the process leaves them; Chronicle's header knows of the first. */
    @BeforeEach
    void setUp() throws IOException {
        final Path open = directory.resolve("open");
        live = directory.resolve("live");
        try (JournalDirectory journal = JournalDirectory.open(open, settings(clock))) {
            appendRecords(journal, 0, 1);
            runKeeper(journal);
            appendRecords(journal, 1, RECORD_COUNT - 1);
            JournalFixture.copyLive(open, live);
        }
        file = JournalFixture.onlyFile(live.resolve("requests"));
        final byte[] bytes = Files.readAllBytes(file);
        lastPosition = (int) JournalFixture.positionOfFirstRecord(file) + (RECORD_COUNT - 1) * RECORD_LENGTH;
        whole = Arrays.copyOf(bytes, lastPosition + RECORD_LENGTH + 4_096);
    }

    @Test
    void shouldEndBehindTheLastRecordWhenNothingIsTorn() throws IOException {
        final JournalEnd end = end();
        assertEquals(RECORD_COUNT, end.recordCount());
        assertEquals(RECORD_COUNT, end.nextSequence());
        assertEquals(lastPosition + RECORD_LENGTH, end.position());
        assertEquals(lastPosition, end.lastPosition());
        assertEquals(0, end.tornCount());
        assertEquals(0, end.tornBytes());
        assertGoesOn(RECORD_COUNT);
    }

    @Test
    void shouldCutTheLastRecordWhenTheFileIsCutShortInIt() throws IOException {
        for (int kept = 0; kept < RECORD_LENGTH; kept++) {
            put(Arrays.copyOf(whole, lastPosition + kept));
            assertTail(kept < Integer.BYTES ? 0 : 1, kept);
        }
    }

    @Test
    void shouldCutTheLastRecordWhenItsEndIsGarbage() throws IOException {
        final Random random = new Random(1);
        for (int kept = 0; kept < RECORD_LENGTH; kept++) {
            final byte[] garbage = new byte[GARBAGE_LENGTH];
            random.nextBytes(garbage);
            garbage[0] |= 1;
            final byte[] bytes = whole.clone();
            System.arraycopy(garbage, 0, bytes, lastPosition + kept, GARBAGE_LENGTH);
            put(bytes);
            assertTail(1, kept);
        }
    }

    @Test
    void shouldCutTheLastRecordWhenAnyByteOfItIsWrong() throws IOException {
        for (int wrong = 0; wrong < RECORD_LENGTH; wrong++) {
            final byte[] bytes = whole.clone();
            bytes[lastPosition + wrong] ^= 0x40;
            put(bytes);
            assertTail(1, wrong);
        }
    }

    @Test
    void shouldCutTheLastRecordWhenTheHeaderNamesIt() throws IOException {
        claim(lastPosition);
        whole[lastPosition + 50] ^= 1;
        put(whole);
        assertTail(1, 0);
    }

    @Test
    void shouldReportDamageWhenTheHeaderNamesARecordThatIsGone() throws IOException {
        claim(lastPosition);
        put(Arrays.copyOf(whole, lastPosition));
        assertDamage(JournalDamage.TRUNCATED);
    }

    @Test
    void shouldReportDamageWhenTheHeaderNamesARecordBehindTheTornOne() throws IOException {
        claim(lastPosition);
        whole[lastPosition - RECORD_LENGTH + 50] ^= 1;
        Arrays.fill(whole, lastPosition, whole.length, (byte) 0);
        put(whole);
        assertDamage(JournalDamage.BAD_CHECKSUM);
    }

    @Test
    void shouldReportDamageWhenAGoodRecordFollowsABadOne() throws IOException {
        for (int wrong = 0; wrong < RECORD_LENGTH; wrong++) {
            final byte[] bytes = whole.clone();
            bytes[lastPosition - RECORD_LENGTH + wrong] ^= 0x40;
            put(bytes);
            assertThrows(JournalDamageException.class, this::end, "wrong=" + wrong);
        }
    }

    @Test
    void shouldReportDamageWhenAGoodRecordFollowsAHole() throws IOException {
        Arrays.fill(whole, lastPosition - RECORD_LENGTH, lastPosition, (byte) 0);
        put(whole);
        assertDamage(JournalDamage.TRUNCATED);
    }

    @Test
    void shouldReportDamageWhenAGoodRecordFollowsFarBehindABadOne() throws IOException {
        final int distance = 3 << 20;
        final byte[] bytes = Arrays.copyOf(whole, whole.length + distance);
        System.arraycopy(whole, lastPosition, bytes, lastPosition + distance, RECORD_LENGTH);
        bytes[lastPosition + 50] ^= 1;
        put(bytes);
        assertDamage(JournalDamage.BAD_CHECKSUM);
    }

    /** A client may send what looks like a record, but it cannot send one that belongs there. */
    @Test
    void shouldCutTheLastRecordWhenAnEarlierOneLiesBehindIt() throws IOException {
        System.arraycopy(whole, lastPosition - RECORD_LENGTH, whole, lastPosition + 2 * RECORD_LENGTH, RECORD_LENGTH);
        whole[lastPosition + 50] ^= 1;
        put(whole);
        assertTail(1, 0);
    }

    @Test
    void shouldReportDamageWhenTheLastRecordOfAnEarlierFileIsTorn() throws IOException {
        try (JournalDirectory journal = resume(live, settings(clock))) {
            rollToNextDay(journal, clock);
            appendRecords(journal, RECORD_COUNT, 1);
        }
        final byte[] bytes = Files.readAllBytes(file);
        bytes[lastPosition + 50] ^= 1;
        put(bytes);
        assertDamage(JournalDamage.BAD_CHECKSUM);
    }

    @Test
    void shouldCutTheFirstRecordWhenItIsTheOnlyOneAndTorn() throws IOException {
        final int firstPosition = lastPosition - (RECORD_COUNT - 1) * RECORD_LENGTH;
        Arrays.fill(whole, firstPosition + 40, whole.length, (byte) 0);
        put(whole);
        final JournalEnd end = end();
        assertEquals(0, end.recordCount());
        assertEquals(firstPosition, end.position());
        assertEquals(1, end.tornCount());
        assertGoesOn(0);
    }

    private void assertTail(final int tornCount, final int place) throws IOException {
        final Map<String, String> before = contents(live);
        final JournalEnd end = end();
        assertEquals(before, contents(live));
        assertEquals(RECORD_COUNT - 1, end.recordCount(), () -> "place=" + place);
        assertEquals(lastPosition, end.position(), () -> "place=" + place);
        assertEquals(lastPosition - RECORD_LENGTH, end.lastPosition());
        assertEquals(tornCount, end.tornCount(), () -> "place=" + place);
        assertTrue(tornCount == 0 || end.tornBytes() > 0, () -> "place=" + place);
        for (int sequence = 0; sequence < RECORD_COUNT; sequence++) {
            try (RecordReader reader = JournalDirectory.openForRead(live).recoverRequests()) {
                assertTrue(reader.seek(sequence));
                assertEquals(end, endOf(reader), () -> "place=" + place);
            }
        }
        assertGoesOn(RECORD_COUNT - 1);
    }

    private void assertGoesOn(final int recordCount) throws IOException {
        try (JournalDirectory journal = resume(live, settings(clock))) {
            assertEquals(recordCount, count(live));
            final JournalEnd end = end();
            assertEquals(0, end.tornCount());
            assertEquals(0, end.tornBytes());
            appendRecords(journal, recordCount, 2);
            assertEquals(recordCount + 2, count(live));
            runKeeper(journal);
            assertEquals(recordCount + 2, count(live));
        }
        assertEquals(recordCount + 2, count(live));
    }

    private void assertDamage(final JournalDamage damage) throws IOException {
        final Map<String, String> before = contents(live);
        final JournalDamageException ex = assertThrows(JournalDamageException.class, this::end);
        assertEquals(damage, ex.damage());
        assertEquals(file, ex.file());
        assertEquals(before, contents(live));
    }

    private JournalEnd end() {
        return endOf(JournalDirectory.openForRead(live).recoverRequests());
    }

    private void put(final byte[] bytes) throws IOException {
        Files.write(file, bytes);
    }

    /** Has Chronicle's header name a record. */
    private void claim(final long position) {
        new UnsafeBuffer(whole).putLong(64, position, ByteOrder.LITTLE_ENDIAN);
    }

    private static void appendRecords(final JournalDirectory journal, final long from, final int recordCount) {
        for (long sequence = from; sequence < from + recordCount; sequence++) {
            append(journal, journal.requests(), sequence, randomRequest(new Random(sequence), FRAME_LENGTH));
        }
    }
}
