package io.tiercel.replay.table;

import io.tiercel.replay.ReplayProgress;
import java.nio.file.Path;

/** Which part of a journal becomes tables, and what DuckDB may use of the machine. */
public final class TableOptions {

    private static final long DEFAULT_MEMORY_BYTES = 4L << 30;

    private Path journalDirectory;
    private long fromSequence;
    private long toSequence = Long.MAX_VALUE;
    private int threads = 1;
    private long memoryBytes = DEFAULT_MEMORY_BYTES;
    private Path spillDirectory;
    private ReplayProgress progress;

    public Path journalDirectory() {
        return journalDirectory;
    }

    public TableOptions journalDirectory(final Path newJournalDirectory) {
        journalDirectory = newJournalDirectory;
        return this;
    }

    public long fromSequence() {
        return fromSequence;
    }

    /** First sequence that is in the tables; the journal is entered there by index. */
    public TableOptions fromSequence(final long newFromSequence) {
        fromSequence = newFromSequence;
        return this;
    }

    public long toSequence() {
        return toSequence;
    }

    /** Last sequence that is in the tables. */
    public TableOptions toSequence(final long newToSequence) {
        toSequence = newToSequence;
        return this;
    }

    public int threads() {
        return threads;
    }

    /** Of DuckDB; the journal is read by one of them. */
    public TableOptions threads(final int newThreads) {
        threads = newThreads;
        return this;
    }

    public long memoryBytes() {
        return memoryBytes;
    }

    /** What DuckDB holds in memory; tables that need more lie in the spill directory. */
    public TableOptions memoryBytes(final long newMemoryBytes) {
        memoryBytes = newMemoryBytes;
        return this;
    }

    public Path spillDirectory() {
        return spillDirectory;
    }

    /** Where a directory is made for what does not fit in memory, if there is any, and removed at the end. */
    public TableOptions spillDirectory(final Path newSpillDirectory) {
        spillDirectory = newSpillDirectory;
        return this;
    }

    /** Null: nobody is told. */
    public ReplayProgress progress() {
        return progress;
    }

    /** Whom to tell how many rows have been read, on whichever thread reads them; the total is not known, and 0. */
    public TableOptions progress(final ReplayProgress newProgress) {
        progress = newProgress;
        return this;
    }
}
