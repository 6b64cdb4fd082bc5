package io.tiercel.appliance.journal;

/** What {@link JournalDirectory#prune} has removed. */
public record PruneReport(int fileCount, long removedBytes, long firstSequence) {

    @Override
    public String toString() {
        return "removedFiles=" + fileCount + " removedBytes=" + removedBytes + " firstSequence=" + firstSequence;
    }
}
