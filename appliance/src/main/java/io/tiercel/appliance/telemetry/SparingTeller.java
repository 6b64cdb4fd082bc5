package io.tiercel.appliance.telemetry;

import io.tiercel.protocol.telemetry.EventKind;

/**
 * Tells of one kind of happening, but of no more than {@value #MAX_TOLD} a second: somebody reads them, and a bad host
 * makes hundreds. Of those that are over, the longest is told when the next second begins, so that the worst is never
 * the one that is left out; its value is how many others were.
 *
 * <p>A second is {@value #ROUNDS} rounds of the telemetry thread, which sleeps 0.1 s between two: it may be longer, and
 * needs no clock. One thread.
 */
final class SparingTeller {

    static final int MAX_TOLD = 4;
    static final int ROUNDS = 10;

    private final EventKind kind;
    private final Happenings happenings;
    private int roundCount;
    private int toldCount;
    private boolean hasHeld;
    private long heldStartTickNs;
    private long heldDurationNs;
    private String heldSubject;
    private long leftOutCount;

    SparingTeller(final EventKind kind, final Happenings happenings) {
        this.kind = kind;
        this.happenings = happenings;
    }

    void tell(final long startTickNs, final long durationNs, final String subject) {
        if (toldCount < MAX_TOLD) {
            toldCount++;
            happenings.tell(kind, startTickNs, durationNs, leftOutCount, subject);
            leftOutCount = 0;
            return;
        }
        leftOutCount += hasHeld ? 1 : 0;
        if (!hasHeld || durationNs > heldDurationNs) {
            hasHeld = true;
            heldStartTickNs = startTickNs;
            heldDurationNs = durationNs;
            heldSubject = subject;
        }
    }

    /** A round of the telemetry thread is over. */
    void onRound() {
        if (++roundCount >= ROUNDS) {
            onSecond();
        }
    }

    /** Tells what is held, though its second is not over: none follows. */
    void finish() {
        onSecond();
    }

    private void onSecond() {
        roundCount = 0;
        toldCount = 0;
        if (hasHeld) {
            hasHeld = false;
            tell(heldStartTickNs, heldDurationNs, heldSubject);
        }
    }
}
