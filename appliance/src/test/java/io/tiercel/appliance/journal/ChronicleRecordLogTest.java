package io.tiercel.appliance.journal;

import static io.tiercel.appliance.journal.JournalFixture.append;
import static io.tiercel.appliance.journal.JournalFixture.appendMany;
import static io.tiercel.appliance.journal.JournalFixture.count;
import static io.tiercel.appliance.journal.JournalFixture.randomOutcome;
import static io.tiercel.appliance.journal.JournalFixture.randomRequest;
import static io.tiercel.appliance.journal.JournalFixture.rollToNextDay;
import static io.tiercel.appliance.journal.JournalFixture.runKeeper;
import static io.tiercel.appliance.journal.JournalFixture.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;

class ChronicleRecordLogTest {

    private static final int WARM_UP_COUNT = 100_000;
    private static final int MEASURED_COUNT = 50_000;
    /** The JVM's own: a compiled version installed, a profile grown. Far below a byte per append. */
    private static final long ALLOWED_BYTES = MEASURED_COUNT / 10;

    @TempDir
    private Path directory;
    private final JournalFixture.ManualClock clock = new JournalFixture.ManualClock();

    @Test
    void shouldReadBackWhatWasAppendedWhenWriterIsStillOpen() {
        try (JournalDirectory journal = open()) {
            append(journal, journal.requests(), 0, randomRequest(new Random(1), 100));
            append(journal, journal.outcomes(), 0, randomOutcome(new Random(2), 60));
            final JournalView view = JournalDirectory.openForRead(directory);
            try (RecordReader requests = view.requests(); RecordReader outcomes = view.outcomes()) {
                assertTrue(requests.next());
                assertEquals(0, requests.sequence());
                assertEquals(1_000, requests.ingressNs());
                assertEquals(7, requests.principalId());
                assertEquals(randomRequest(new Random(1), 100), new UnsafeBuffer(requests.frame()));
                assertFalse(requests.next());
                assertTrue(outcomes.next());
                assertEquals(randomOutcome(new Random(2), 60), new UnsafeBuffer(outcomes.frame()));
                assertFalse(outcomes.next());
                append(journal, journal.requests(), 1, randomRequest(new Random(3), 99));
                assertTrue(requests.next());
                assertEquals(1, requests.sequence());
                assertEquals(99, requests.frameLength());
            }
        }
    }

    @Test
    void shouldCrossBlocksWhenMoreIsAppendedThanABlockHolds() {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 40_000);
        }
        assertEquals(40_000, count(directory));
    }

    @Test
    void shouldTakeTheLongestFrameWhereverItFallsInABlock() {
        final Random random = new Random(4);
        try (JournalDirectory journal = open()) {
            for (int i = 0; i < 30; i++) {
                append(journal, journal.requests(), i, randomRequest(random, ChronicleRecordLog.MAX_FRAME_LENGTH - i));
            }
            final UnsafeBuffer tooLong = new UnsafeBuffer(new byte[ChronicleRecordLog.MAX_FRAME_LENGTH + 1]);
            assertThrows(IllegalArgumentException.class, () -> append(journal, journal.requests(), 30, tooLong));
        }
        assertEquals(30, count(directory));
    }

    @Test
    void shouldAnswerFalseAndWriteNothingWhenMemoryAheadIsUsedUp() {
        final UnsafeBuffer frame = randomRequest(new Random(5), 1_000);
        try (JournalDirectory journal = open()) {
            long sequence = 0;
            while (journal.requests().append(sequence, 0, 0, frame, frame, 0, frame.capacity())) {
                sequence++;
            }
            assertTrue(sequence > 0);
            assertFalse(journal.requests().append(sequence, 0, 0, frame, frame, 0, frame.capacity()));
            assertEquals(sequence, count(directory));
            runKeeper(journal);
            assertTrue(journal.requests().append(sequence, 0, 0, frame, frame, 0, frame.capacity()));
        }
    }

    @Test
    void shouldRollWhenIdleAfterThePeriodEndsAndReadersGoOn() throws IOException {
        try (JournalDirectory journal = open()) {
            try (RecordReader live = JournalDirectory.openForRead(directory).requests()) {
                for (int day = 0; day < 5; day++) {
                    appendMany(journal, day * 5_000L, 5_000);
                    rollToNextDay(journal, clock);
                    assertEquals(0, journal.requests().onIdle());
                }
                appendMany(journal, 25_000, 1);
                assertEquals(5, journal.report().rolledCount());
                for (int i = 0; i < 25_001; i++) {
                    assertTrue(live.next());
                }
                assertFalse(live.next());
            }
        }
        assertEquals(25_001, count(directory));
        assertEquals(6, JournalFixture.files(directory.resolve("requests")).size());
    }

    @Test
    void shouldFollowALiveRollWhenReaderWaitsAtTheEnd() {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 3);
            try (RecordReader live = JournalDirectory.openForRead(directory).requests()) {
                for (int i = 0; i < 3; i++) {
                    assertTrue(live.next());
                }
                assertFalse(live.next());
                rollToNextDay(journal, clock);
                assertFalse(live.next());
                assertFalse(live.next());
                appendMany(journal, 3, 2);
                assertTrue(live.next());
                assertTrue(live.next());
                assertEquals(4, live.sequence());
                assertFalse(live.next());
            }
        }
    }

    /** As fast as the writer, over blocks and days: it asks after each append, and now and then a while later. */
    @Test
    void shouldSeeEveryRecordOnceWhenReaderFollowsLiveAcrossRolls() {
        final UnsafeBuffer frame = randomRequest(new Random(3), 700);
        try (JournalDirectory journal = open();
                RecordReader live = JournalDirectory.openForRead(directory).requests()) {
            long readCount = 0;
            for (long sequence = 0; sequence < 6_000; sequence++) {
                append(journal, journal.requests(), sequence, frame);
                if (sequence % 2_000 == 1_999) {
                    rollToNextDay(journal, clock);
                }
                while (sequence % 100 != 50 && live.next()) {
                    assertEquals(readCount, live.sequence());
                    readCount++;
                }
            }
            assertEquals(6_000, readCount);
            assertEquals(3, journal.report().rolledCount());
        }
    }

    /** The memory of the next file is there before the roll: nothing is left to do for the keeper at midnight. */
    @Test
    void shouldWriteToTheNextFileAtOnceWhenTheKeeperHasMadeItReadyEarly() {
        final UnsafeBuffer frame = randomRequest(new Random(3), 1_000);
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
            clock.advance(1, TimeUnit.DAYS);
            clock.advance(-30, TimeUnit.SECONDS);
            runKeeper(journal);
            runKeeper(journal);
            assertEquals(0, journal.requests().onIdle());
            clock.advance(30, TimeUnit.SECONDS);
            runKeeper(journal);
            assertEquals(1, journal.requests().onIdle());
            appendAll(journal.requests(), frame, 10, 600);
        }
        assertEquals(610, count(directory));
    }

    @Test
    void shouldRollInAppendWhenWriterIsNeverIdle() {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
            clock.advance(1, TimeUnit.DAYS);
            runKeeper(journal);
            runKeeper(journal);
            appendMany(journal, 10, 10);
            assertEquals(0, journal.report().rolledCount());
            clock.advance(6, TimeUnit.SECONDS);
            runKeeper(journal);
            appendMany(journal, 20, 10);
            assertEquals(1, journal.report().rolledCount());
        }
        assertEquals(30, count(directory));
    }

    @Test
    void shouldNotRollWhenClockGoesBack() {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
            clock.advance(-3, TimeUnit.DAYS);
            runKeeper(journal);
            assertEquals(0, journal.requests().onIdle());
        }
        assertEquals(10, count(directory));
    }

    @Test
    void shouldGoStraightToTheCurrentPeriodWhenSeveralHavePassed() throws IOException {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
            clock.advance(9, TimeUnit.DAYS);
            rollToNextDay(journal, clock);
            assertEquals(0, journal.requests().onIdle());
            appendMany(journal, 10, 10);
        }
        assertEquals(20, count(directory));
        assertEquals(2, JournalFixture.files(directory.resolve("requests")).size());
    }

    @Test
    void shouldBeAQueueThatChronicleItselfReadsAndContinues() {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 2_500);
            rollToNextDay(journal, clock);
            appendMany(journal, 2_500, 2_500);
        }
        try (SingleChronicleQueue queue = SingleChronicleQueueBuilder.binary(directory.resolve("requests"))
                .rollCycle(RollPeriod.DAILY.rollCycle())
                .timeProvider(() -> TimeUnit.NANOSECONDS.toMillis(clock.nanoTime()))
                .build();
                ExcerptAppender appender = queue.createAppender();
                ExcerptTailer tailer = queue.createTailer()) {
            assertEquals(5_000, queue.entryCount());
            assertEquals(2_499, queue.rollCycle().toSequenceNumber(queue.lastIndex()));
            try (DocumentContext document = appender.writingDocument()) {
                document.wire().bytes().writeLong(1);
            }
            assertEquals(2_500, queue.rollCycle().toSequenceNumber(appender.lastIndexAppended()));
            assertTrue(tailer.moveToIndex(queue.lastIndex()));
            try (DocumentContext document = tailer.readingDocument()) {
                assertTrue(document.isPresent());
                assertEquals(1, document.wire().bytes().readLong());
            }
        }
    }

    /** The keeper comes late, and Chronicle asserts that its position never jumps by a block. */
    @Test
    void shouldFollowAllBlocksWhenTheKeeperComesLate() {
        try (JournalDirectory journal =
                JournalDirectory.open(directory, settings(clock).populateAheadBytes(8 << 20))) {
            appendMany(journal, 0, 20_000);
            runKeeper(journal);
            appendMany(journal, 20_000, 1);
        }
        assertEquals(20_001, count(directory));
        try (SingleChronicleQueue queue = SingleChronicleQueueBuilder.binary(directory.resolve("requests"))
                .rollCycle(RollPeriod.DAILY.rollCycle())
                .readOnly(true)
                .build()) {
            assertEquals(20_001, queue.entryCount());
        }
    }

    @Test
    void shouldFailForGoodWhenClosed() {
        final JournalDirectory journal = open();
        final RecordLog log = journal.requests();
        journal.close();
        final UnsafeBuffer frame = randomRequest(new Random(6), 100);
        assertThrows(JournalException.class, () -> log.append(0, 0, 0, frame, frame, 0, 100));
    }

    @Test
    void shouldPrepareMemoryWhenTheKernelHasNoPopulateWrite() {
        try (JournalDirectory journal = JournalDirectory.open(
                directory, settings(clock).hasPopulateWrite(false))) {
            appendMany(journal, 0, 20_000);
            runKeeper(journal);
            rollToNextDay(journal, clock);
            appendMany(journal, 20_000, 10);
        }
        assertEquals(20_010, count(directory));
    }

    @Test
    void shouldSyncOnlyWhatWasWrittenSinceTheLastTime() {
        final CountingSync device = new CountingSync();
        final UnsafeBuffer frame = randomRequest(new Random(8), 8_000);
        try (JournalDirectory journal = JournalDirectory.open(directory, settings(clock)
                .isDurable(true).pageSync(device).populateAheadBytes(4 << 20))) {
            journal.requests().sync();
            assertEquals(0, device.syncCount);
            appendAll(journal.requests(), frame, 0, 1);
            journal.requests().sync();
            assertEquals(1, device.syncCount);
            assertTrue(device.lastLengthBytes > 8_000 && device.lastLengthBytes < 8_000 + 2 * PagePopulator.PAGE_BYTES,
                    "lengthBytes=" + device.lastLengthBytes);
            // Over the end of a block, where the whole file is synced, and on from there.
            appendAll(journal.requests(), frame, 1, 300);
            journal.requests().sync();
            assertEquals(1, device.syncCount);
            appendAll(journal.requests(), frame, 301, 1);
            journal.requests().sync();
            assertEquals(2, device.syncCount);
        }
        assertEquals(302, count(directory));
    }

    @Test
    void shouldFailForGoodWhenASyncFails() {
        final CountingSync device = new CountingSync();
        final UnsafeBuffer frame = randomRequest(new Random(8), 100);
        try (JournalDirectory journal =
                JournalDirectory.open(directory, settings(clock).isDurable(true).pageSync(device))) {
            final RecordLog log = journal.requests();
            appendAll(log, frame, 0, 1);
            device.errno = 5;
            final JournalException ex = assertThrows(JournalException.class, log::sync);
            assertTrue(ex.getMessage().contains("errno=5"), ex.getMessage());
            assertTrue(ex.getMessage().contains(".cq4"), ex.getMessage());
            device.errno = 0;
            assertThrows(JournalException.class, log::sync);
            assertThrows(JournalException.class, () -> appendAll(log, frame, 1, 1));
            assertEquals(1, device.syncCount);
        }
    }

    /** The keeper has not seen the roll yet. */
    @Test
    void shouldSyncTheFileThatWasLeftWhenRolled() throws IOException {
        try (JournalDirectory journal = JournalDirectory.open(directory, settings(clock).isDurable(true))) {
            appendMany(journal, 0, 10);
            clock.advance(1, TimeUnit.DAYS);
            runKeeper(journal);
            runKeeper(journal);
            assertEquals(1, journal.requests().onIdle());
            final Path left = JournalFixture.files(directory.resolve("requests")).get(0);
            final Path aside = directory.resolve("aside");
            Files.move(left, aside);
            Files.createDirectory(left);
            final JournalException ex = assertThrows(JournalException.class, journal.requests()::sync);
            assertTrue(ex.getMessage().contains(left.toString()), ex.getMessage());
            Files.delete(left);
            Files.move(aside, left);
        }
    }

    /** Else the death of the machine could leave a header that names a record which is gone: that reads as damage. */
    @Test
    void shouldNameOnlyWhatIsSyncedWhenWrittenThrough() throws IOException {
        final UnsafeBuffer frame = randomRequest(new Random(8), 100);
        final CountingSync device = new CountingSync();
        try (JournalDirectory journal = JournalDirectory.open(
                directory, settings(clock).isDurable(true).isWrittenThrough(true).pageSync(device))) {
            final Path file = JournalFixture.onlyFile(directory.resolve("requests"));
            appendAll(journal.requests(), frame, 0, 1);
            runKeeper(journal);
            assertEquals(0, claimedPosition(file));
            journal.requests().sync();
            runKeeper(journal);
            assertEquals(JournalFixture.positionOfFirstRecord(file), claimedPosition(file));
            appendAll(journal.requests(), frame, 1, 5);
            runKeeper(journal);
            assertEquals(JournalFixture.positionOfFirstRecord(file), claimedPosition(file));
            final int before = device.syncCount;
            rollToNextDay(journal, clock);
            assertEquals(before + 1, device.syncCount);
            assertTrue(claimedPosition(file) > JournalFixture.positionOfFirstRecord(file));
            appendAll(journal.requests(), frame, 6, 5);
        }
        assertEquals(11, count(directory));
        try (RecordReader reader = JournalDirectory.openForRead(directory).requests()) {
            assertTrue(reader.seek(10));
        }
    }

    @Test
    void shouldAllocateNothingPerSyncWhenWarm() {
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        final UnsafeBuffer frame = randomRequest(new Random(7), 192);
        try (JournalDirectory journal = JournalDirectory.open(directory, settings(clock)
                .isDurable(true).blockBytes(16 << 20).populateAheadBytes(8 << 20))) {
            final RecordLog log = journal.requests();
            appendAndSync(log, frame, 0, 1_000);
            final long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
            appendAndSync(log, frame, 1_000, 1_000);
            final long after = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
            final long allocatedBytes = after - before;
            assertTrue(allocatedBytes < 16 * 1_000, "allocatedBytes=" + allocatedBytes);
        }
    }

    @Test
    void shouldAllocateNothingPerAppendWhenWarm() {
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        final UnsafeBuffer frame = randomRequest(new Random(7), 192);
        try (JournalDirectory journal = JournalDirectory.open(
                directory, settings(clock).blockBytes(64 << 20).populateAheadBytes(48 << 20))) {
            appendAll(journal.requests(), frame, 0, WARM_UP_COUNT);
            final long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
            appendAll(journal.requests(), frame, WARM_UP_COUNT, MEASURED_COUNT);
            final long after = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
            final long allocatedBytes = after - before;
            assertTrue(allocatedBytes < ALLOWED_BYTES, "allocatedBytes=" + allocatedBytes);
        }
    }

    private JournalDirectory open() {
        return JournalDirectory.open(directory, settings(clock));
    }

    private static long claimedPosition(final Path file) throws IOException {
        try (QueueFile queueFile = QueueFile.open(file, QueueFile.newBuffer())) {
            return queueFile.claimedPosition();
        }
    }

    private static void appendAndSync(
            final RecordLog log, final UnsafeBuffer frame, final long from, final int appendCount) {
        for (long sequence = from; sequence < from + appendCount; sequence++) {
            appendAll(log, frame, sequence, 1);
            log.sync();
        }
    }

    private static void appendAll(
            final RecordLog log, final UnsafeBuffer frame, final long from, final int appendCount) {
        for (long i = from; i < from + appendCount; i++) {
            if (!log.append(i, i, i, frame, frame, 0, frame.capacity())) {
                throw new AssertionError("memory is not prepared at " + i);
            }
        }
    }

    /** Counts, and fails when told. */
    private static final class CountingSync extends PageSync {
        private int syncCount;
        private long lastLengthBytes;
        private int errno;

        @Override
        int sync(final long address, final long lengthBytes) {
            assertEquals(0, address % PagePopulator.PAGE_BYTES);
            syncCount++;
            lastLengthBytes = lengthBytes;
            return errno == 0 ? super.sync(address, lengthBytes) : errno;
        }
    }
}
