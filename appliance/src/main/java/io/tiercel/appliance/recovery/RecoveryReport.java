package io.tiercel.appliance.recovery;

/**
 * What a recovery found and did.
 *
 * @param snapshotSequence    of the snapshot that it began with, -1 if it began with nothing.
 * @param skippedSnapshots    newer ones that could not be used.
 * @param replayedCount       requests computed again behind the snapshot.
 * @param identicalCount      of them, those whose outcome was in the journal and was the same, bit for bit.
 * @param toleratedCount      of them, those whose outcome was in the journal and was the same, outputs within the
 *                            tolerance of their model, which is not exact.
 * @param largestDistance     between an output in the journal and the one computed again, of those.
 * @param recomputedCount     of them, those whose outcome a crash had kept from the journal; it is there now.
 * @param tornRecords         records at the end of the two queues that were not whole, and were cut off.
 * @param sessionCount        sessions in memory.
 * @param nextSequence        what the next request gets.
 * @param lastIngressNs       arrival of the last request, nanoseconds since the epoch; 0 if there is none.
 * @param durationNs          how long it took.
 */
public record RecoveryReport(
        long snapshotSequence,
        int skippedSnapshots,
        long replayedCount,
        long identicalCount,
        long toleratedCount,
        double largestDistance,
        long recomputedCount,
        int tornRecords,
        int sessionCount,
        long nextSequence,
        long lastIngressNs,
        long durationNs) {

    @Override
    public String toString() {
        return "snapshot=" + (snapshotSequence < 0 ? "none" : "sequence " + snapshotSequence) +
                (skippedSnapshots == 0 ? "" : " skipped-snapshots=" + skippedSnapshots) +
                " replayed=" + replayedCount + " identical=" + identicalCount +
                (toleratedCount == 0
                        ? ""
                        : " within-tolerance=" + toleratedCount + " largest-distance=" + (float) largestDistance)
                +
                " recomputed=" + recomputedCount +
                " torn=" + tornRecords + " sessions=" + sessionCount + " next-sequence=" + nextSequence +
                " ms=" + durationNs / 1_000_000;
    }
}
