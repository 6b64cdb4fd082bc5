package io.tiercel.appliance.journal;

import static io.tiercel.appliance.journal.JournalFixture.appendMany;
import static io.tiercel.appliance.journal.JournalFixture.appendOutcomes;
import static io.tiercel.appliance.journal.JournalFixture.contents;
import static io.tiercel.appliance.journal.JournalFixture.files;
import static io.tiercel.appliance.journal.JournalFixture.resume;
import static io.tiercel.appliance.journal.JournalFixture.runKeeper;
import static io.tiercel.appliance.journal.JournalFixture.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

/** Five days of a hundred requests; of the outcomes each day's last ten come with the next day. */
class JournalPruneTest {

    private static final int DAYS = 5;
    private static final int PER_DAY = 100;
    private static final int LATE = 10;

    @TempDir
    private Path directory;
    private final JournalFixture.ManualClock clock = new JournalFixture.ManualClock();

    @Test
    void shouldRemoveNothingWhenNoLimitIsSet() throws IOException {
        try (JournalDirectory journal = written(settings(clock))) {
            final Map<String, String> before = contents(directory);
            final PruneReport report = prune(journal, 450);
            assertEquals(0, report.fileCount());
            assertEquals(before, contents(directory));
        }
    }

    @Test
    void shouldRemoveWhatIsOlderAndNotNeeded() throws IOException {
        try (JournalDirectory journal = written(settings(clock).keepForNs(TimeUnit.HOURS.toNanos(1)))) {
            // The records' times are of 1970: all are old enough.
            final PruneReport report = prune(journal, 250);
            assertEquals(200, report.firstSequence());
            assertEquals(4, report.fileCount());
            assertTrue(report.removedBytes() > 0);
            assertEquals(DAYS - 2, files(directory.resolve("requests")).size());
            assertEquals(DAYS - 2, files(directory.resolve("outcomes")).size());
            final JournalView view = JournalDirectory.openForRead(directory);
            assertEquals(200, view.firstSequence());
            assertRead(view.requests(), 200, 500);
            assertRead(view.outcomes(), 190, 500);
            assertEquals(0, prune(journal, 250).fileCount());
        }
    }

    @Test
    void shouldKeepTheFileOfTheNewestRecordWhenNothingIsNeeded() throws IOException {
        try (JournalDirectory journal = written(settings(clock).keepForNs(1))) {
            rollBoth(journal);
            prune(journal, Long.MAX_VALUE);
            assertEquals(2, files(directory.resolve("requests")).size());
            assertEquals(400, JournalDirectory.openForRead(directory).firstSequence());
        }
        assertTrue(JournalDirectory.openForRead(directory).hasRecords());
    }

    @Test
    void shouldRemoveTheOldestWhileTheJournalIsTooLarge() throws IOException {
        written(settings(clock)).close();
        final long fileBytes = Files.size(files(directory.resolve("requests")).get(0));
        try (JournalDirectory journal = resume(directory, settings(clock).keepBytes(6 * fileBytes))) {
            final PruneReport report = prune(journal, 450);
            assertTrue(report.fileCount() > 0 && report.fileCount() < 8, report.toString());
            assertEquals(0, prune(journal, 450).fileCount());
        }
    }

    @Test
    void shouldReportAGapWhenMoreIsMissingThanWasRemoved() throws IOException {
        try (JournalDirectory journal = written(settings(clock).keepForNs(1))) {
            prune(journal, 250);
        }
        Files.delete(files(directory.resolve("requests")).get(0));
        final JournalView view = JournalDirectory.openForRead(directory);
        try (RecordReader reader = view.requests()) {
            final JournalDamageException ex = assertThrows(JournalDamageException.class, reader::next);
            assertEquals(JournalDamage.SEQUENCE_GAP, ex.damage());
            assertEquals(200, ex.expected());
            assertEquals(300, ex.actual());
        }
    }

    @Test
    void shouldSeekFromTheFirstThereIsAndSayWhatWasRemoved() {
        try (JournalDirectory journal = written(settings(clock).keepForNs(1))) {
            prune(journal, 250);
        }
        final JournalView view = JournalDirectory.openForRead(directory);
        try (RecordReader reader = view.requests()) {
            assertTrue(reader.seek(200));
            assertTrue(reader.next());
            assertEquals(200, reader.sequence());
            final JournalException ex = assertThrows(JournalException.class, () -> reader.seek(199));
            assertTrue(ex.getMessage().contains("firstSequence=200"), ex.getMessage());
        }
    }

    /** It began before, and has read the name of the first sequence that there was then. */
    @Test
    void shouldBeReadFromAViewThatIsOlder() {
        try (JournalDirectory journal = written(settings(clock).keepForNs(1))) {
            final JournalView view = JournalDirectory.openForRead(directory);
            prune(journal, 250);
            assertRead(view.requests(), 200, 500);
        }
    }

    @Test
    void shouldBeGoneOnWithWhenPruned() {
        try (JournalDirectory journal = written(settings(clock).keepForNs(1))) {
            prune(journal, 450);
            appendMany(journal, 500, 10);
        }
        try (JournalDirectory journal = resume(directory, settings(clock))) {
            assertEquals(509, journal.report().lastRequestSequence());
            appendMany(journal, 510, 10);
        }
        assertRead(JournalDirectory.openForRead(directory).requests(), 400, 520);
    }

    @Test
    void shouldBeReadByChronicleWhenTheFirstFilesAreGone() {
        try (JournalDirectory journal = written(settings(clock).keepForNs(1))) {
            prune(journal, 250);
            rollBoth(journal);
            appendMany(journal, 500, 5);
        }
        try (SingleChronicleQueue queue = SingleChronicleQueueBuilder.binary(directory.resolve("requests"))
                .rollCycle(RollPeriod.DAILY.rollCycle())
                .timeProvider(() -> TimeUnit.NANOSECONDS.toMillis(clock.nanoTime()))
                .build();
                ExcerptTailer tailer = queue.createTailer()) {
            int count = 0;
            boolean isPresent = true;
            while (isPresent) {
                try (DocumentContext document = tailer.readingDocument()) {
                    isPresent = document.isPresent();
                    count += isPresent ? 1 : 0;
                }
            }
            assertEquals(305, count);
        }
    }

    private static PruneReport prune(final JournalDirectory journal, final long keepFromSequence) {
        return journal.prune(keepFromSequence, JournalFixture.START_NS);
    }

    private JournalDirectory written(final JournalSettings settings) {
        final JournalDirectory journal = JournalDirectory.open(directory, settings);
        int outcomes = 0;
        for (int day = 0; day < DAYS; day++) {
            if (day > 0) {
                rollBoth(journal);
            }
            appendMany(journal, day * PER_DAY, PER_DAY);
            final int to = (day + 1) * PER_DAY - (day == DAYS - 1 ? 0 : LATE);
            appendOutcomes(journal, outcomes, to - outcomes);
            outcomes = to;
        }
        return journal;
    }

    private void rollBoth(final JournalDirectory journal) {
        JournalFixture.rollToNextDay(journal, clock);
        assertEquals(1, journal.outcomes().onIdle());
        runKeeper(journal);
    }

    private static void assertRead(final RecordReader reader, final long from, final long to) {
        try (reader) {
            for (long sequence = from; sequence < to; sequence++) {
                assertTrue(reader.next());
                assertEquals(sequence, reader.sequence());
            }
            assertFalse(reader.next());
        }
    }
}
