package io.tiercel.replay.tail;

import io.tiercel.replay.timeline.RequestTimeline;
import java.util.List;
import java.util.Locale;

/**
 * The pieces of a request's way, one behind the other without a gap: together they are the time from arrival to answer.
 *
 * <pre>
 *   one thread for both        arrival ─JOURNAL─▶ journaled ─WAITING─▶ start ─COMPUTE─▶ end ─EGRESS─▶ answer
 *   a thread for each          arrival ─────────WAITING─────────▶ start ─COMPUTE─▶ end ─JOURNAL─▶ journaled ─EGRESS─▶
 * </pre>
 *
 * In the second case JOURNAL is only what the answer still had to wait for, mostly nothing.
 */
public enum Leg {
    /** Waiting for its record to be in the journal. */
    JOURNAL(Cause.UNEXPLAINED_JOURNAL),
    /** Waiting for compute to begin. */
    WAITING(Cause.UNEXPLAINED_WAITING),
    /** Computed, alone or in a batch. */
    COMPUTE(Cause.UNEXPLAINED_COMPUTE),
    /** Ready, until the answer has left. */
    EGRESS(Cause.UNEXPLAINED_EGRESS);

    private static final List<Leg> SERIAL = List.of(JOURNAL, WAITING, COMPUTE, EGRESS);
    private static final List<Leg> BESIDE = List.of(WAITING, COMPUTE, JOURNAL, EGRESS);

    private final Cause unexplained;

    Leg(final Cause unexplained) {
        this.unexplained = unexplained;
    }

    /** What is left of the leg when all causes have had their part. */
    Cause unexplained() {
        return unexplained;
    }

    /** As requests of that stretch go through them. */
    public static List<Leg> inOrder(final RequestTimeline requests) {
        return requests.isSerial() ? SERIAL : BESIDE;
    }

    /** For people. */
    public String words() {
        return name().toLowerCase(Locale.ROOT);
    }

    public long startNs(final RequestTimeline requests, final int index) {
        return switch (this) {
            case JOURNAL -> requests.isSerial() ? requests.ingressNs(index) : requests.inferEndNs(index);
            case WAITING -> requests.isSerial() ? requests.journaledNs(index) : requests.ingressNs(index);
            case COMPUTE -> requests.inferStartNs(index);
            case EGRESS -> requests.readyNs(index);
        };
    }

    public long endNs(final RequestTimeline requests, final int index) {
        return switch (this) {
            case JOURNAL -> requests.isSerial() ? requests.journaledNs(index) : requests.readyNs(index);
            case WAITING -> requests.inferStartNs(index);
            case COMPUTE -> requests.inferEndNs(index);
            case EGRESS -> requests.egressNs(index);
        };
    }

    long durationNs(final RequestTimeline requests, final int index) {
        return Math.max(0, endNs(requests, index) - startNs(requests, index));
    }
}
