package io.tiercel.appliance.journal;

import static io.tiercel.appliance.journal.JournalFixture.appendMany;
import static io.tiercel.appliance.journal.JournalFixture.contents;
import static io.tiercel.appliance.journal.JournalFixture.count;
import static io.tiercel.appliance.journal.JournalFixture.endOf;
import static io.tiercel.appliance.journal.JournalFixture.resume;
import static io.tiercel.appliance.journal.JournalFixture.rollToNextDay;
import static io.tiercel.appliance.journal.JournalFixture.runKeeper;
import static io.tiercel.appliance.journal.JournalFixture.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A journal that is gone on with: after an orderly end, after a death, on the same day, on a later one. */
class JournalResumeTest {

    @TempDir
    private Path directory;
    private final JournalFixture.ManualClock clock = new JournalFixture.ManualClock();

    @Test
    void shouldClaimWithoutRecordsWhenDirectoryIsNew() {
        try (ClaimedJournal claimed = JournalDirectory.claim(directory, settings(clock))) {
            assertFalse(claimed.hasRecords());
            assertEquals(directory, claimed.directory());
            assertThrows(IllegalStateException.class, claimed::view);
            assertThrows(JournalException.class, () -> JournalDirectory.claim(directory, settings(clock)));
            assertFalse(Files.exists(directory.resolve("journal.yaml")));
        }
        open().close();
    }

    @Test
    void shouldHandTheLockOverWhenAppended() {
        final ClaimedJournal claimed = JournalDirectory.claim(directory, settings(clock));
        try (JournalDirectory journal = claimed.append(JournalEnd.EMPTY, JournalEnd.EMPTY)) {
            claimed.close();
            assertThrows(JournalException.class, () -> JournalDirectory.claim(directory, settings(clock)));
            assertThrows(IllegalStateException.class, () -> claimed.append(JournalEnd.EMPTY, JournalEnd.EMPTY));
            appendMany(journal, 0, 1);
        }
        JournalDirectory.claim(directory, settings(clock)).close();
    }

    @Test
    void shouldSayWhereTheQueueEndsWhenAllHasBeenRead() throws IOException {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
            rollToNextDay(journal, clock);
            appendMany(journal, 10, 7);
        }
        final JournalView view = JournalDirectory.openForRead(directory);
        final JournalEnd end = endOf(view.recoverRequests());
        assertEquals(JournalFixture.files(directory.resolve("requests")).get(1), end.file());
        assertEquals(7, end.recordCount());
        assertEquals(17, end.nextSequence());
        assertEquals(0, end.tornCount());
        assertEquals(0, end.tornBytes());
        assertEquals(end, endOf(view.requests()));
        for (final long sequence : new long[] {0, 9, 10, 11, 16, 17}) {
            try (RecordReader reader = view.recoverRequests()) {
                assertTrue(reader.seek(sequence));
                assertEquals(end, endOf(reader), () -> "sequence=" + sequence);
            }
        }
        try (RecordReader reader = view.recoverRequests()) {
            assertFalse(reader.seek(18));
        }
        final JournalEnd outcomes = endOf(view.recoverOutcomes());
        assertEquals(0, outcomes.recordCount());
        assertEquals(0, outcomes.nextSequence());
    }

    @Test
    void shouldGoOnSeveralTimesADayWhenClosed() throws IOException {
        open().close();
        for (int run = 0; run < 5; run++) {
            try (JournalDirectory journal = run == 0 ? open() : resume(directory, settings(clock))) {
                assertEquals(run * 100L - 1, journal.report().lastRequestSequence());
                appendMany(journal, run * 100L, 100);
                assertEquals(100, journal.report().requestCount());
            }
            assertEquals((run + 1) * 100, count(directory));
        }
        assertEquals(1, JournalFixture.files(directory.resolve("requests")).size());
        assertReadByChronicle(directory, 500);
    }

    @Test
    void shouldGoOnWhenTheProcessHasDiedAndTheHeaderLags() throws IOException {
        Path live = directory.resolve("run-0");
        JournalDirectory journal = JournalDirectory.open(live, settings(clock));
        for (int run = 0; run < 4; run++) {
            appendMany(journal, run * 3_000L, 1_000);
            runKeeper(journal);
            appendMany(journal, run * 3_000L + 1_000, 2_000);
            final Path copy = directory.resolve("run-" + (run + 1));
            JournalFixture.copyLive(live, copy);
            journal.close();
            live = copy;
            journal = resume(live, settings(clock));
            assertEquals((run + 1) * 3_000L - 1, journal.report().lastRequestSequence());
        }
        appendMany(journal, 12_000, 1);
        assertEquals(12_001, count(live));
        journal.close();
        assertEquals(12_001, count(live));
        assertReadByChronicle(live, 12_001);
    }

    @Test
    void shouldBeginANewFileWhenGoneOnWithTheNextDay() throws IOException {
        for (int day = 0; day < 4; day++) {
            try (JournalDirectory journal = day == 0 ? open() : resume(directory, settings(clock))) {
                appendMany(journal, day * 100L, 100);
            }
            clock.advance(1, TimeUnit.DAYS);
        }
        assertEquals(400, count(directory));
        assertEquals(4, JournalFixture.files(directory.resolve("requests")).size());
        assertReadByChronicle(directory, 400);
    }

    @Test
    void shouldRollAndGoOnManyTimes() throws IOException {
        long sequence = 0;
        for (int day = 0; day < 3; day++) {
            for (int run = 0; run < 2; run++) {
                try (JournalDirectory journal = sequence == 0 ? open() : resume(directory, settings(clock))) {
                    appendMany(journal, sequence, 50);
                    if (run == 1) {
                        rollToNextDay(journal, clock);
                    }
                    appendMany(journal, sequence + 50, 50);
                    sequence += 100;
                }
            }
        }
        assertEquals(600, count(directory));
        assertEquals(4, JournalFixture.files(directory.resolve("requests")).size());
        assertReadByChronicle(directory, 600);
    }

    /** Beyond the first block, and longer than a block behind what Chronicle's header names. */
    @Test
    void shouldGoOnInALaterBlockWhenTheProcessHasDied() throws IOException {
        final JournalSettings large = settings(clock).populateAheadBytes(8 << 20);
        final Path copy = directory.resolve("copy");
        try (JournalDirectory journal = JournalDirectory.open(directory.resolve("open"), large)) {
            appendMany(journal, 0, 10_000);
            runKeeper(journal);
            appendMany(journal, 10_000, 15_000);
            JournalFixture.copyLive(directory.resolve("open"), copy);
        }
        try (JournalDirectory journal = resume(copy, large)) {
            appendMany(journal, 25_000, 10_000);
        }
        try (JournalDirectory journal = resume(copy, settings(clock).blockBytes(4 << 20))) {
            appendMany(journal, 35_000, 10_000);
        }
        assertEquals(45_000, count(copy));
        assertReadByChronicle(copy, 45_000);
        try (RecordReader reader = JournalDirectory.openForRead(copy).requests()) {
            for (final long sequence : new long[] {0, 9_999, 24_999, 25_000, 44_999}) {
                assertTrue(reader.seek(sequence));
                assertTrue(reader.next());
                assertEquals(sequence, reader.sequence());
            }
        }
    }

    @Test
    void shouldGoOnInTheNewFileWhenTheProcessDiedRightAfterARoll() throws IOException {
        final Path copy = directory.resolve("copy");
        try (JournalDirectory journal = JournalDirectory.open(directory.resolve("open"), settings(clock))) {
            appendMany(journal, 0, 10);
            clock.advance(1, TimeUnit.DAYS);
            runKeeper(journal);
            runKeeper(journal);
            assertEquals(1, journal.requests().onIdle());
            JournalFixture.copyLive(directory.resolve("open"), copy);
        }
        final JournalEnd end = endOf(JournalDirectory.openForRead(copy).recoverRequests());
        assertEquals(0, end.recordCount());
        assertEquals(10, end.nextSequence());
        try (JournalDirectory journal = resume(copy, settings(clock))) {
            assertEquals(9, journal.report().lastRequestSequence());
            appendMany(journal, 10, 10);
        }
        assertEquals(20, count(copy));
        assertReadByChronicle(copy, 20);
    }

    /** The next file is made a minute early; the process may die with it there, and come back before or after. */
    @Test
    void shouldPassPreparedFilesWhenTheyWereNeverUsed() throws IOException {
        final Path copy = directory.resolve("copy");
        try (JournalDirectory journal = JournalDirectory.open(directory.resolve("open"), settings(clock))) {
            appendMany(journal, 0, 10);
            clock.advance(1, TimeUnit.DAYS);
            clock.advance(-30, TimeUnit.SECONDS);
            runKeeper(journal);
            runKeeper(journal);
            JournalFixture.copyLive(directory.resolve("open"), copy);
        }
        assertEquals(2, JournalFixture.files(copy.resolve("requests")).size());
        try (JournalDirectory journal = resume(copy, settings(clock))) {
            appendMany(journal, 10, 10);
        }
        assertEquals(1, files(copy, 20));
        clock.advance(2, TimeUnit.DAYS);
        try (JournalDirectory journal = resume(copy, settings(clock))) {
            appendMany(journal, 20, 10);
        }
        assertEquals(2, files(copy, 30));
        assertReadByChronicle(copy, 30);
    }

    @Test
    void shouldOpenAnEmptyJournalAgainWhenDaysHavePassed() {
        open().close();
        clock.advance(1, TimeUnit.DAYS);
        open().close();
        clock.advance(1, TimeUnit.DAYS);
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
        }
        assertEquals(10, count(directory));
    }

    @Test
    void shouldRefuseAndChangeNothingWhenTheClockHasGoneBackwards() throws IOException {
        writeTwoDays();
        clock.advance(-1, TimeUnit.DAYS);
        final String message = refusal();
        assertTrue(message.contains("clock has gone backwards"), message);
        assertTrue(message.contains(".cq4"), message);
        assertTrue(message.contains("fileBegins=2026-02-17T00:00:00Z"), message);
        assertTrue(message.contains("clock=2026-02-16T00:00:00Z"), message);
    }

    @Test
    void shouldRefuseAndChangeNothingWhenTheFileOfTheDayIsEnded() throws IOException {
        writeTwoDays();
        Files.delete(JournalFixture.files(directory.resolve("requests")).get(1));
        clock.advance(-1, TimeUnit.DAYS);
        final String message = refusal();
        assertTrue(message.contains("journal file is ended"), message);
        assertTrue(message.contains("clock=2026-02-16T00:00:00Z"), message);
    }

    @Test
    void shouldRefuseAndChangeNothingWhenTheFormatIsNewer() throws IOException {
        writeTwoDays();
        Files.writeString(directory.resolve("journal.yaml"), "formatVersion: 2\nroll: daily\n");
        final Map<String, String> before = contents(directory);
        final JournalException ex =
                assertThrows(JournalException.class, () -> JournalDirectory.claim(directory, settings(clock)));
        assertTrue(ex.getMessage().contains("formatVersion=2 supported=1"), ex.getMessage());
        assertEquals(before, contents(directory));
    }

    @Test
    void shouldChangeNothingWhenAFileInTheMiddleIsMissing() throws IOException {
        writeTwoDays();
        clock.advance(1, TimeUnit.DAYS);
        try (JournalDirectory journal = resume(directory, settings(clock))) {
            appendMany(journal, 20, 10);
        }
        Files.delete(JournalFixture.files(directory.resolve("requests")).get(1));
        final Map<String, String> before = contents(directory);
        final JournalDamageException ex =
                assertThrows(JournalDamageException.class, () -> resume(directory, settings(clock)));
        assertEquals(JournalDamage.SEQUENCE_GAP, ex.damage());
        assertEquals(10, ex.expected());
        assertEquals(20, ex.actual());
        assertEquals(before, contents(directory));
        JournalDirectory.claim(directory, settings(clock)).close();
    }

    @Test
    void shouldChangeNothingWhenAnotherApplianceHasTheDirectory() throws IOException {
        writeTwoDays();
        try (ClaimedJournal claimed = JournalDirectory.claim(directory, settings(clock))) {
            final Map<String, String> before = contents(directory);
            final JournalException ex =
                    assertThrows(JournalException.class, () -> resume(directory, settings(clock)));
            assertTrue(ex.getMessage().contains("in use by another appliance"), ex.getMessage());
            assertEquals(before, contents(directory));
            assertTrue(claimed.hasRecords());
        }
    }

    @Test
    void shouldRefuseAndChangeNothingWhenRecordsAreBehindTheEnd() throws IOException {
        writeTwoDays();
        final Map<String, String> before = contents(directory);
        try (ClaimedJournal claimed = JournalDirectory.claim(directory, settings(clock))) {
            final JournalException ex = assertThrows(
                    JournalException.class, () -> claimed.append(JournalEnd.EMPTY, JournalEnd.EMPTY));
            assertTrue(ex.getMessage().contains("records behind its end"), ex.getMessage());
            assertEquals(before, contents(directory));
        }
    }

    /** Reads what is there, as recovery does, and is refused. */
    private String refusal() throws IOException {
        final Map<String, String> before = contents(directory);
        final JournalException ex =
                assertThrows(JournalException.class, () -> resume(directory, settings(clock)));
        assertEquals(before, contents(directory));
        JournalDirectory.claim(directory, settings(clock)).close();
        return ex.getMessage();
    }

    private void writeTwoDays() {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
            rollToNextDay(journal, clock);
            appendMany(journal, 10, 10);
        }
    }

    /** @return how many files have records, which are as many as they should be. */
    private static int files(final Path journal, final int recordCount) throws IOException {
        assertEquals(recordCount, count(journal));
        int begun = 0;
        for (final Path file : JournalFixture.files(journal.resolve("requests"))) {
            try (QueueFile queueFile = QueueFile.open(file, QueueFile.newBuffer())) {
                begun += queueFile.isBegun() ? 1 : 0;
            }
        }
        return begun;
    }

    private JournalDirectory open() {
        return JournalDirectory.open(directory, settings(clock));
    }

    /** Chronicle counts, seeks and reads, and appends one that its own reader then finds. */
    private void assertReadByChronicle(final Path journal, final long recordCount) {
        try (SingleChronicleQueue queue = SingleChronicleQueueBuilder.binary(journal.resolve("requests"))
                .rollCycle(RollPeriod.DAILY.rollCycle())
                .timeProvider(() -> TimeUnit.NANOSECONDS.toMillis(clock.nanoTime()))
                .build();
                ExcerptAppender appender = queue.createAppender();
                ExcerptTailer tailer = queue.createTailer()) {
            assertEquals(recordCount, queue.entryCount());
            assertEquals(recordCount, documentCount(tailer));
            assertTrue(tailer.moveToIndex(queue.lastIndex()));
            try (DocumentContext document = appender.writingDocument()) {
                document.wire().bytes().writeLong(1);
            }
            assertTrue(tailer.moveToIndex(appender.lastIndexAppended()));
            try (DocumentContext document = tailer.readingDocument()) {
                assertTrue(document.isPresent());
                assertEquals(1, document.wire().bytes().readLong());
            }
        }
    }

    private static long documentCount(final ExcerptTailer tailer) {
        long count = 0;
        while (true) {
            try (DocumentContext document = tailer.readingDocument()) {
                if (!document.isPresent()) {
                    return count;
                }
                count++;
            }
        }
    }
}
