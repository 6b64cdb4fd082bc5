package io.tiercel.appliance.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

class SpaceWatchTest {

    @TempDir
    private Path directory;
    private final JournalFixture.ManualClock clock = new JournalFixture.ManualClock();

    @Test
    void shouldBeLowBelowTheMarkUntilAnEighthMoreIsFree() {
        final SpaceWatch space =
                new SpaceWatch(directory.toFile(), JournalFixture.settings(clock).refuseFreeBytes(800));
        assertFalse(space.isLow());
        space.check(800);
        assertFalse(space.isLow());
        space.check(799);
        assertTrue(space.isLow());
        assertEquals(799, space.freeBytes());
        space.check(899);
        assertTrue(space.isLow());
        space.check(900);
        assertFalse(space.isLow());
        space.check(801);
        assertFalse(space.isLow());
    }

    @Test
    void shouldNeverBeLowWhenTheMarkIsZero() {
        final SpaceWatch space = new SpaceWatch(directory.toFile(), JournalFixture.settings(clock));
        space.check(0);
        assertFalse(space.isLow());
    }

    @Test
    void shouldLookTwiceASecondAndWhenTheClockIsPutBack() {
        final SpaceWatch space =
                new SpaceWatch(directory.toFile(), JournalFixture.settings(clock).refuseFreeBytes(800));
        space.check(1);
        clock.advance(499, TimeUnit.MILLISECONDS);
        space.doWork(clock.nanoTime());
        assertTrue(space.isLow());
        clock.advance(1, TimeUnit.MILLISECONDS);
        space.doWork(clock.nanoTime());
        assertFalse(space.isLow());
        space.check(1);
        clock.advance(-1, TimeUnit.DAYS);
        space.doWork(clock.nanoTime());
        assertFalse(space.isLow());
    }

    @Test
    void shouldBeLowFromTheStartWhenTheFileSystemIs() {
        try (JournalDirectory journal = JournalDirectory.open(
                directory, JournalFixture.settings(clock).refuseFreeBytes(1L << 50))) {
            assertTrue(journal.requests().isSpaceLow());
            assertTrue(journal.outcomes().isSpaceLow());
            assertTrue(journal.requests().freeBytes() > 0);
            JournalFixture.appendMany(journal, 0, 10);
        }
        assertEquals(10, JournalFixture.count(directory));
    }
}
