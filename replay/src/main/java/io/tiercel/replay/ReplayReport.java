package io.tiercel.replay;

import io.tiercel.appliance.engine.bundle.Tolerance;
import java.nio.file.Path;
import java.util.List;

/**
 * What a replay found.
 *
 * @param baseSequence    of the snapshot that computing began with; -1: with the journal's first record.
 * @param fromSequence    first sequence compared.
 * @param lastSequence    last sequence recomputed; -1 if there was none.
 * @param comparedCount   outcomes compared, the divergent one included.
 * @param identicalCount  outcomes that were bit-identical.
 * @param toleratedCount  outcomes of models that are not exact: outputs were within the tolerance, all else identical.
 * @param largestDistance between an output in the journal and the one computed again, of those.
 * @param rebuiltCount    requests before {@code fromSequence}, recomputed and not compared.
 * @param expiredCount    outcomes among the recomputed whose expiry was taken from the journal.
 * @param standbyCount    outcomes among the recomputed that a standby had computed, whose backend's device was lost.
 * @param stepCount       model steps computed.
 * @param sessionCount    sessions met.
 * @param openTailCount   requests at the end that have no outcome.
 * @param models          each bundle met and the backend that computed it.
 * @param elapsedNs       from the first record to the last.
 * @param processorNs     of all threads together, meanwhile.
 * @param divergence      the first, or null.
 * @param damage          the first, or null.
 */
public record ReplayReport(
        Path journalDirectory,
        long baseSequence,
        long fromSequence,
        long lastSequence,
        long comparedCount,
        long identicalCount,
        long toleratedCount,
        double largestDistance,
        long rebuiltCount,
        long expiredCount,
        long standbyCount,
        long stepCount,
        int sessionCount,
        long openTailCount,
        List<ReplayedModel> models,
        long elapsedNs,
        long processorNs,
        Divergence divergence,
        Damage damage) {

    /**
     * A bundle that the journal named.
     *
     * @param version   SHA-256 of the bundle.
     * @param tolerance that its outputs were compared within; null if as bits.
     */
    public record ReplayedModel(String version, String family, String backend, Tolerance tolerance) {
    }

    /** Whether everything that was to be compared was compared, and was the same, or as near as it has to be. */
    public boolean isIdentical() {
        return divergence == null && damage == null;
    }

    /** Outcomes that were what they have to be. */
    public long agreeingCount() {
        return identicalCount + toleratedCount;
    }

    /** How many of so many outcomes agreed, in what way, in words. */
    public String agreement(final long outcomeCount) {
        if (toleratedCount == 0) {
            return identicalCount + " of " + outcomeCount + " outcomes bit-identical";
        }
        return (identicalCount == 0 ? "" : identicalCount + " of " + outcomeCount + " outcomes bit-identical, ") +
                toleratedCount + " of " + outcomeCount
                + " within tolerance with states bit-identical, largest distance " +
                (float) largestDistance;
    }

    /** The open tail in words. */
    public String openTail() {
        return openTail(openTailCount);
    }

    static String openTail(final long openTailCount) {
        return openTailCount == 1
                ? "1 request at the end has no outcome yet"
                : openTailCount + " requests at the end have no outcome yet";
    }

    public double requestsPerSecond() {
        final long requestCount = rebuiltCount + comparedCount;
        return elapsedNs == 0 ? 0 : requestCount * 1e9 / elapsedNs;
    }
}
