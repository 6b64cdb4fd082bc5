package io.tiercel.appliance.sequencer;

/**
 * Whether the pipeline takes requests. Written rarely, by whoever finds out; read by ingress and egress once in a
 * duty cycle. A failure is final.
 */
public final class PipelineState {

    /** What ingress does with a request. */
    public enum Phase {
        /** Takes requests. */
        SERVING,
        /** Refuses new requests, finishes those in the ring. */
        DRAINING,
        /** The journal cannot be written: nothing more is answered. */
        JOURNAL_FAILED
    }

    private volatile Phase phase = Phase.SERVING;
    private volatile Throwable failure;
    private volatile boolean isJournalStopped;

    public Phase phase() {
        return phase;
    }

    /** The cause of {@link Phase#JOURNAL_FAILED}, or of a stage's death; null if all is well. */
    public Throwable failure() {
        return failure;
    }

    /** Stops taking requests; a journal that has failed stays failed. */
    public synchronized void drain() {
        if (phase == Phase.SERVING) {
            phase = Phase.DRAINING;
        }
    }

    /** Nothing can be journaled from now on. */
    public synchronized void journalFailed(final Throwable cause) {
        noteFailure(cause);
        phase = Phase.JOURNAL_FAILED;
    }

    /** The journal stage has seen the failure: its sequence is final. */
    public void journalStopped() {
        isJournalStopped = true;
    }

    /** Whether a request that is not journaled now never will be. */
    public boolean isJournalStopped() {
        return isJournalStopped;
    }

    /** A stage has died on a broken invariant; the process is to end. */
    public synchronized void stageFailed(final Throwable cause) {
        noteFailure(cause);
        drain();
    }

    private void noteFailure(final Throwable cause) {
        if (failure == null) {
            failure = cause;
        }
    }
}
