package io.tiercel.appliance.journal;

import static io.tiercel.appliance.journal.JournalFixture.appendMany;
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
