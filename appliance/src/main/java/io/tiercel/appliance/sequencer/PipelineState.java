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
        /** Refuses new requests while the journal's file system is nearly full, finishes those in the ring. */
        SPACE_LOW,
        /** Refuses new requests, finishes those in the ring. */
        DRAINING,
        /** The journal cannot be written: nothing more is answered. */
        JOURNAL_FAILED
    }

    private final long refuseFreeBytes;
    private volatile Phase phase = Phase.SERVING;
    private volatile long freeBytes;
    private volatile Throwable failure;
    private volatile boolean isJournalStopped;

    public PipelineState() {
        this(0);
    }

    /** @param refuseFreeBytes below which space is low, for whoever is told so. */
    public PipelineState(final long refuseFreeBytes) {
        this.refuseFreeBytes = refuseFreeBytes;
    }

    public Phase phase() {
        return phase;
    }

    /** The cause of {@link Phase#JOURNAL_FAILED}, or of a stage's death; null if all is well. */
    public Throwable failure() {
        return failure;
    }

    /** Space on the journal's file system, as of the last look. */
    public long freeBytes() {
        return freeBytes;
    }

    public long refuseFreeBytes() {
        return refuseFreeBytes;
    }

    /** The space that is left has changed. Who is draining or has failed stays so. */
    public synchronized void space(final long nowFreeBytes, final boolean isLow) {
        freeBytes = nowFreeBytes;
        if (phase == Phase.SERVING || phase == Phase.SPACE_LOW) {
            phase = isLow ? Phase.SPACE_LOW : Phase.SERVING;
        }
    }

    /** Stops taking requests; a journal that has failed stays failed. */
    public synchronized void drain() {
        if (phase == Phase.SERVING || phase == Phase.SPACE_LOW) {
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
