package io.tiercel.appliance.journal;

import java.nio.file.Path;

/**
 * Where a queue ends: behind its last good record. From {@link RecordReader#end()}; who continues the journal hands it
 * back to {@link ClaimedJournal#append}.
 *
 * @param file         the last file of the queue that was begun, or null if there is none.
 * @param position     in that file, where the next record's length word goes.
 * @param lastPosition of the length word of the last record in that file; 0 if the file holds none.
 * @param recordCount  records in that file.
 * @param nextSequence of the record that comes next.
 * @param tornCount    1 if a damaged record begins at {@code position}, else 0.
 * @param tornBytes    from {@code position} up to the last byte that is not zero: what a dead writer left behind.
 */
public record JournalEnd(
        Path file,
        long position,
        long lastPosition,
        long recordCount,
        long nextSequence,
        int tornCount,
        long tornBytes) {

    /** Of a queue that has no file yet. */
    public static final JournalEnd EMPTY = new JournalEnd(null, 0, 0, 0, 0, 0, 0);

    @Override
    public String toString() {
        return "file=" + file + " position=" + position + " recordCount=" + recordCount +
                " nextSequence=" + nextSequence + " tornCount=" + tornCount + " tornBytes=" + tornBytes;
    }
}
