package io.tiercel.replay;

import java.nio.file.Path;
import java.util.List;

/**
 * What the verification of snapshots found.
 *
 * @param baseSequence of the snapshot that computing began with, which was taken as it is; -1: with the first record.
 * @param requestCount requests computed.
 * @param verified     snapshots that are what the journal comes to, the oldest first.
 * @param elapsedNs    from the first record to the last.
 * @param difference   the first, or null.
 * @param damage       the first, or null.
 */
public record SnapshotReport(
        Path journalDirectory,
        long baseSequence,
        long requestCount,
        List<VerifiedSnapshot> verified,
        long elapsedNs,
        SnapshotDifference difference,
        Damage damage) {

    /**
     * A snapshot all of whose sessions and answers were compared.
     *
     * @param sessionCount how many.
     * @param answerCount  answers that it keeps for retries and whose requests are in the journal.
     */
    public record VerifiedSnapshot(Path file, long sequence, int sessionCount, int answerCount) {
    }

    /** Whether every snapshot that was to be compared was compared, and was the same. */
    public boolean isIdentical() {
        return difference == null && damage == null;
    }

    /** Sessions compared, all snapshots together. */
    public long sessionCount() {
        return verified.stream().mapToLong(VerifiedSnapshot::sessionCount).sum();
    }

    /** Answers compared, all snapshots together. */
    public long answerCount() {
        return verified.stream().mapToLong(VerifiedSnapshot::answerCount).sum();
    }
}
