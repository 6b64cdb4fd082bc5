package io.tiercel.replay.tail;

import io.tiercel.appliance.session.Sessions;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.Run;
import io.tiercel.replay.timeline.Tracks;
import java.util.Arrays;

/**
 * Gives the time that a request took beyond the median one to causes, request by request in the order of sequences.
 *
 * <p><b>Excess.</b> Of each leg, what it is longer than the median of that leg over all requests. Only the excess is
 * given away, each nanosecond of it to one cause at most.
 *
 * <p><b>How.</b> In each leg, in this order, while there is excess left:
 * <ol>
 * <li>of compute: what a request of its kind takes longer than the median one ({@link Cause#WORK});
 * <li>what lies over the leg in time, by the precedence of {@link Cause}: pauses of the JVM, rolls, snapshots, stalls
 *     of the thread whose work the leg is;
 * <li>of compute: what its batch takes longer, and a long quiet before it;
 * <li>of the others: if it waited for the request before it (the one that was journaled, computed on its worker, or
 *     sent last), what had made that one late, as much of it as that was. So a stall is to blame for all who wait until
 *     the queue behind it is worked off, though it was over when they came. If there is excess left, and the request
 *     before it was still being served, it is the {@link Cause#QUEUE};
 * <li>the rest is unexplained.
 * </ol>
 *
 * <p><b>Limits.</b> Overlap in time is no proof. What is to blame for a delay that began before the stretch of the
 * journal is not known. With several infer workers the tracks of the run say how many.
 *
 * <p>One thread. {@link #next} in order; what it has found is good until it is called again.
 */
final class Blame {

    /** How far back the request is looked for that the worker computed before. */
    private static final int REACH = 1 << 10;
    private static final long QUIET_NS = 1_000_000;
    private static final int QUIET_GAPS = 8;

    private static final Cause[] CAUSES = Cause.values();

    private final RequestTimeline requests;
    private final Tracks tracks;
    private final CauseTimelines timelines;
    private final Typical typical;
    /** What made each of the last requests late where it was computed: rows are reused. */
    private final long[][] computedLateNs = new long[REACH][Cause.COUNT];
    private final int[] workers = new int[REACH];
    /** What made the last request late where it was journaled, and in all. */
    private final long[] journaledLateNs = new long[Cause.COUNT];
    private final long[] sentLateNs = new long[Cause.COUNT];
    private final long[] blamedNs = new long[Cause.COUNT];
    private final long[] inheritedNs = new long[Cause.COUNT];
    private final long[] overlapNs = new long[Cause.COUNT];
    private final long[] scratchNs = new long[Cause.COUNT];
    private long[] targetNs = blamedNs;
    private long excessNs;
    private int next;
    private Run run;
    private int runWorkers = 1;

    Blame(final RequestTimeline requests, final Tracks tracks, final Typical typical) {
        this.requests = requests;
        this.tracks = tracks;
        this.typical = typical;
        timelines = new CauseTimelines(requests, tracks);
    }

    /** Looks at the next request. */
    void next() {
        final int index = next++;
        final int worker = worker(index);
        final long[] computedLate = computedLateNs[index & REACH - 1];
        workers[index & REACH - 1] = worker;
        Arrays.fill(blamedNs, 0);
        Arrays.fill(inheritedNs, 0);
        if (requests.isSerial()) {
            journal(index, Leg.JOURNAL.startNs(requests, index), typical.legNs(Leg.JOURNAL));
            System.arraycopy(blamedNs, 0, journaledLateNs, 0, Cause.COUNT);
        }
        waiting(index, worker);
        compute(index, worker);
        System.arraycopy(blamedNs, 0, computedLate, 0, Cause.COUNT);
        if (!requests.isSerial()) {
            journalBeside(index);
        }
        egress(index);
        System.arraycopy(blamedNs, 0, sentLateNs, 0, Cause.COUNT);
    }

    /** What the request that was looked at last owes to a cause, waiting behind others included. */
    long blamedNs(final Cause cause) {
        return blamedNs[cause.ordinal()];
    }

    /** Of that, what it owes to it because it had to wait behind others whom it had delayed. */
    long inheritedNs(final Cause cause) {
        return inheritedNs[cause.ordinal()];
    }

    private int worker(final int index) {
        if (tracks.runs().size() > 1 || run == null && !tracks.runs().isEmpty()) {
            run = tracks.runAt(requests.ingressNs(index));
            runWorkers = run == null ? 1 : run.inferWorkers();
        }
        return Sessions.workerOf(requests.sessionKey(index), runWorkers);
    }

    private void journal(final int index, final long startNs, final long typicalNs) {
        final long endNs = requests.journaledNs(index);
        begin(startNs, endNs, typicalNs);
        giveOverlap(timelines.of(Leg.JOURNAL, 0), startNs, endNs);
        giveWaiting(startNs, index == 0 ? startNs : requests.journaledNs(index - 1), journaledLateNs);
        give(Leg.JOURNAL.unexplained(), excessNs);
    }

    /**
     * Beside compute: what made it late there is worked out for those who are journaled behind it, and the answer owes
     * to it only what it still had to wait.
     */
    private void journalBeside(final int index) {
        Arrays.fill(scratchNs, 0);
        targetNs = scratchNs;
        journal(index, requests.ingressNs(index), typical.journalingNs());
        targetNs = blamedNs;
        System.arraycopy(scratchNs, 0, journaledLateNs, 0, Cause.COUNT);
        begin(Leg.JOURNAL.startNs(requests, index), Leg.JOURNAL.endNs(requests, index), typical.legNs(Leg.JOURNAL));
        for (final Cause cause : CAUSES) {
            give(cause, journaledLateNs[cause.ordinal()]);
        }
        give(Leg.JOURNAL.unexplained(), excessNs);
    }

    private void waiting(final int index, final int worker) {
        final long startNs = Leg.WAITING.startNs(requests, index);
        final long endNs = Leg.WAITING.endNs(requests, index);
        begin(startNs, endNs, typical.legNs(Leg.WAITING));
        if (excessNs > 0) {
            giveOverlap(timelines.of(Leg.WAITING, worker), startNs, endNs);
            final int before = computedBefore(index, worker);
            if (before >= 0) {
                giveWaiting(startNs, requests.inferEndNs(before), computedLateNs[before & REACH - 1]);
            }
            give(Leg.WAITING.unexplained(), excessNs);
        }
    }

    private void compute(final int index, final int worker) {
        final long startNs = requests.inferStartNs(index);
        final long endNs = requests.inferEndNs(index);
        begin(startNs, endNs, typical.legNs(Leg.COMPUTE));
        if (excessNs > 0) {
            final long ownNs = typical.computeNs(index);
            give(Cause.WORK, ownNs - typical.legNs(Leg.COMPUTE));
            giveOverlap(timelines.of(Leg.COMPUTE, worker), startNs, endNs);
            if (requests.batchSize(index) > 1) {
                give(Cause.BATCH, typical.computeInBatchNs(index) - ownNs);
            }
            if (isAfterQuiet(index)) {
                give(Cause.QUIET, excessNs);
            }
            give(Leg.COMPUTE.unexplained(), excessNs);
        }
    }

    /** Answers leave in the order of sequences, so it waits for all that made the one before it late. */
    private void egress(final int index) {
        final long startNs = Leg.EGRESS.startNs(requests, index);
        final long endNs = Leg.EGRESS.endNs(requests, index);
        begin(startNs, endNs, typical.legNs(Leg.EGRESS));
        giveOverlap(timelines.of(Leg.EGRESS, 0), startNs, endNs);
        giveWaiting(startNs, index == 0 ? startNs : requests.egressNs(index - 1), sentLateNs);
        give(Leg.EGRESS.unexplained(), excessNs);
    }

    private boolean isAfterQuiet(final int index) {
        final long gapNs = index == 0 ? 0 : requests.ingressNs(index) - requests.ingressNs(index - 1);
        return gapNs >= QUIET_NS && gapNs >= QUIET_GAPS * typical.gapNs();
    }

    /** The last request that the worker had computed when it began with this one; -1 if it was free long before. */
    private int computedBefore(final int index, final int worker) {
        for (int before = index - 1; before >= 0 && before > index - REACH; before--) {
            if (workers[before & REACH - 1] == worker && !requests.isSameBatch(before, index)) {
                return before;
            }
        }
        return -1;
    }

    private void begin(final long startNs, final long endNs, final long typicalNs) {
        excessNs = Math.max(0, endNs - startNs - typicalNs);
    }

    /** Gives a cause at most so much, and at most what there is. */
    private long give(final Cause cause, final long mostNs) {
        final long givenNs = Math.max(0, Math.min(mostNs, excessNs));
        targetNs[cause.ordinal()] += givenNs;
        excessNs -= givenNs;
        return givenNs;
    }

    private void giveOverlap(final CauseIntervals intervals, final long startNs, final long endNs) {
        if (excessNs == 0) {
            return;
        }
        Arrays.fill(overlapNs, 0);
        intervals.addOverlap(startNs, endNs, overlapNs);
        for (final Cause cause : CAUSES) {
            give(cause, overlapNs[cause.ordinal()]);
        }
    }

    /** What the request before it is to blame for, or what is to blame for that one. */
    private void giveWaiting(final long startNs, final long beforeEndNs, final long[] beforeLateNs) {
        long behindNs = beforeEndNs - startNs;
        if (behindNs <= 0 || excessNs == 0) {
            return;
        }
        for (final Cause cause : CAUSES) {
            final long givenNs = give(cause.inherited(), beforeLateNs[cause.ordinal()]);
            if (targetNs == blamedNs) {
                inheritedNs[cause.inherited().ordinal()] += givenNs;
            }
            behindNs -= givenNs;
        }
        give(Cause.QUEUE, behindNs);
    }
}
