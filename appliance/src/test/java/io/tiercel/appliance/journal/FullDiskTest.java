package io.tiercel.appliance.journal;

import static io.tiercel.appliance.journal.JournalFixture.count;
import static io.tiercel.appliance.journal.JournalFixture.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** On a file system of 16 MiB, made for the purpose where this process may. */
class FullDiskTest {

    private static final int FRAME_LENGTH = 1_000;

    @TempDir
    private Path mountPoint;
    private final JournalFixture.ManualClock clock = new JournalFixture.ManualClock();
    private final UnsafeBuffer frame = JournalFixture.randomRequest(new Random(1), FRAME_LENGTH);
    private boolean isMounted;

    @BeforeEach
    void mount() throws Exception {
        isMounted = run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mountPoint.toString()) == 0;
        if (!isMounted) {
            final String reason = "not run: this process may not mount a small file system";
            System.out.println(getClass().getSimpleName() + " " + reason);
            Assumptions.abort(reason);
        }
    }

    @AfterEach
    void unmount() throws Exception {
        if (isMounted) {
            assertEquals(0, run("umount", "-l", mountPoint.toString()));
        }
    }

    @Test
    void shouldFailWithFileAndFreeBytesWhenTheDiskFillsUpAndLoseNothingAppended() {
        shouldFailWhenFull(true);
    }

    @Test
    void shouldFailTheSameWayWhenTheKernelHasNoPopulateWrite() {
        shouldFailWhenFull(false);
    }

    @Test
    void shouldFailBeforeTheDiskIsFullWhenLessThanTheMinimumIsFree() {
        try (JournalDirectory journal = JournalDirectory.open(mountPoint.resolve("journal"),
                settings(clock).minimumFreeBytes(12 << 20))) {
            final JournalException ex = assertThrows(JournalException.class, () -> fill(journal));
            assertTrue(ex.getMessage().contains("minimumFreeBytes=12582912"), ex.getMessage());
        }
    }

    @Test
    void shouldNotOpenWhenThereIsNoRoomForTheFirstBlock() {
        final JournalException ex = assertThrows(JournalException.class, () -> JournalDirectory.open(
                mountPoint.resolve("journal"), settings(clock).blockBytes(64 << 20).populateAheadBytes(32 << 20)));
        assertTrue(ex.getMessage().contains("freeBytes="), ex.getMessage());
    }

    private void shouldFailWhenFull(final boolean hasPopulateWrite) {
        final Path directory = mountPoint.resolve("journal");
        final long appended;
        try (JournalDirectory journal =
                JournalDirectory.open(directory, settings(clock).hasPopulateWrite(hasPopulateWrite))) {
            final JournalException ex = assertThrows(JournalException.class, () -> fill(journal));
            assertTrue(ex.getMessage().contains(".cq4"), ex.getMessage());
            assertTrue(ex.getMessage().contains("freeBytes="), ex.getMessage());
            appended = journal.report().requestCount();
            assertTrue(appended > 0);
            assertThrows(JournalException.class,
                    () -> journal.requests().append(appended, 0, 0, frame, frame, 0, FRAME_LENGTH));
            assertEquals(appended, journal.report().requestCount());
        }
        assertEquals(appended, count(directory));
    }

    private void fill(final JournalDirectory journal) {
        for (long sequence = 0; sequence < 100_000; sequence++) {
            while (!journal.requests().append(sequence, 0, 0, frame, frame, 0, FRAME_LENGTH)) {
                clock.advance(1, TimeUnit.SECONDS);
                journal.keeper().doWork();
            }
        }
    }

    private static int run(final String... command) throws IOException, InterruptedException {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start().waitFor();
        } catch (final IOException ex) {
            return -1;
        }
    }
}
