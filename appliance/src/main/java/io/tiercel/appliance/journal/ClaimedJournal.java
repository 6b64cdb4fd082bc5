package io.tiercel.appliance.journal;

import java.nio.file.Path;

/**
 * A journal's directory, held by its lock, of which nothing has been changed yet. Whoever continues a journal reads it
 * first, at leisure and undisturbed, and changes it by {@link #append} only when all is well.
 *
 * <p>One thread. A failure leaves the journal as it was; {@link #close()} lets go of the lock.
 */
public final class ClaimedJournal implements AutoCloseable {

    private final Path directory;
    private final JournalSettings settings;
    private final boolean hasRecords;
    private final String note;
    private DirectoryLock lock;

    ClaimedJournal(final Path directory, final JournalSettings settings, final DirectoryLock lock) {
        this.directory = directory;
        this.settings = settings;
        this.lock = lock;
        note = lock.note();
        hasRecords = JournalLayout.exists(directory) && new JournalView(directory, settings.roll()).hasRecords();
    }

    public Path directory() {
        return directory;
    }

    /** The line that an earlier holder of the lock left with {@link JournalDirectory#leaveNote}, or an empty one. */
    public String note() {
        return note;
    }

    /** Whether there is anything to recover: a record in either queue, readable or not. */
    public boolean hasRecords() {
        return hasRecords;
    }

    /**
     * To read what there is.
     *
     * @throws IllegalStateException if it holds no records.
     */
    public JournalView view() {
        if (!hasRecords) {
            throw new IllegalStateException("journal holds no records: directory=" + directory);
        }
        return new JournalView(directory, settings.roll());
    }

    /**
     * Goes on behind the given ends: cuts what a dead writer left behind them, and opens both queues for writing. The
     * lock goes over to the journal that is returned.
     *
     * @throws JournalException if the clock has gone backwards, if an end is not where the queue ends, or if the files
     *                          cannot be written. In the first two cases nothing has been changed.
     */
    public JournalDirectory append(final JournalEnd requests, final JournalEnd outcomes) {
        if (lock == null) {
            throw new IllegalStateException("journal is handed over or closed: directory=" + directory);
        }
        final JournalDirectory journal = JournalDirectory.resume(directory, settings, lock, requests, outcomes);
        lock = null;
        return journal;
    }

    /** Lets go of the lock, unless it has been handed over. */
    @Override
    public void close() {
        if (lock != null) {
            lock.close();
            lock = null;
        }
    }
}
