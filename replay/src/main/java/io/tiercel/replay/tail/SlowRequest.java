package io.tiercel.replay.tail;

import io.tiercel.protocol.journal.OutcomeStatus;
import java.util.List;

/**
 * One slow request, and why.
 *
 * @param ingressNs      since the epoch.
 * @param batchSequences all that were computed in one step with it, itself among them.
 * @param queueDepth     requests that had arrived before it and had not been answered when it arrived.
 * @param gapNs          since the arrival before it.
 * @param lateStampNs    as long before its time of arrival the thread that takes requests in had been away: its true
 *                       time of arrival lies in there, and nobody knows where.
 * @param excessNs       what it took longer than the median request, leg by leg.
 * @param blames         what it owes to whom, the most first; together {@code excessNs}.
 * @param beside         what the tracks have over its time, in words.
 */
public record SlowRequest(
        long sequence,
        long ingressNs,
        long principalId,
        long sessionKey,
        int modelId,
        OutcomeStatus status,
        int stepCount,
        Legs legs,
        List<Long> batchSequences,
        int queueDepth,
        long gapNs,
        long lateStampNs,
        long excessNs,
        List<Blamed> blames,
        List<String> beside) {

    /** How long each leg took. */
    public record Legs(long journalNs, long waitingNs, long computeNs, long egressNs) {

        public long totalNs() {
            return journalNs + waitingNs + computeNs + egressNs;
        }

        /** The leg in which most of the time went. */
        public Leg longest() {
            final long[] legsNs = {journalNs, waitingNs, computeNs, egressNs};
            int longest = 0;
            for (int leg = 1; leg < legsNs.length; leg++) {
                if (legsNs[leg] > legsNs[longest]) {
                    longest = leg;
                }
            }
            return Leg.values()[longest];
        }
    }

    /** @param ns of the excess. */
    public record Blamed(Cause cause, long ns) {
    }

    public SlowRequest {
        batchSequences = List.copyOf(batchSequences);
        blames = List.copyOf(blames);
        beside = List.copyOf(beside);
    }
}
