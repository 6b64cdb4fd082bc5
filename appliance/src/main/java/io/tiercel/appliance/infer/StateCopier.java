package io.tiercel.appliance.infer;

import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.snapshot.SnapshotImage;

/**
 * A worker's share in a snapshot: stops at the cut for a moment, then copies its sessions as they were there. One copy
 * a call, so a request waits for one session at most, and for its own.
 *
 * <p>Infer thread only. Allocates nothing. Costs a read of a shared reference each round while there is no snapshot.
 */
final class StateCopier {

    /** Sessions looked at in one call: of other workers, or copied already. */
    private static final int LOOK_LIMIT = 64;

    private final SnapshotCut cut;
    private final int workerIndex;
    /** The newest cut that this worker has begun, and, unless it is copying, finished. */
    private SnapshotImage image;
    private int nextIndex;
    private boolean isCopying;

    StateCopier(final SnapshotCut cut, final int workerIndex) {
        this.cut = cut;
        this.workerIndex = workerIndex;
    }

    /** How far the worker may go, of what is published: not behind a cut that it has not begun. */
    long limit(final long publishedSequence) {
        final SnapshotImage newest = cut.begun();
        return newest == image ? publishedSequence : Math.min(publishedSequence, newest.sequence());
    }

    /**
     * An idle moment, or one between two batches; nothing of the last batch may be left to hash. Begins the cut that
     * the worker has come up to, or copies a session.
     *
     * @param nextSequence everything before it is computed.
     * @return whether there was something to do.
     */
    boolean doWork(final long nextSequence) {
        if (isCopying) {
            copyNext();
            return true;
        }
        final SnapshotImage newest = cut.begun();
        if (newest == image || nextSequence <= newest.sequence()) {
            return false;
        }
        image = newest;
        nextIndex = 0;
        isCopying = true;
        return true;
    }

    /** Before a request changes a session. */
    void beforeChange(final int sessionIndex) {
        if (isCopying && image.isDue(sessionIndex, workerIndex)) {
            image.copy(sessionIndex);
        }
    }

    private void copyNext() {
        final int end = Math.min(image.sessionCount(), nextIndex + LOOK_LIMIT);
        while (nextIndex < end) {
            final int sessionIndex = nextIndex++;
            if (image.isDue(sessionIndex, workerIndex)) {
                image.copy(sessionIndex);
                break;
            }
        }
        if (nextIndex == image.sessionCount()) {
            isCopying = false;
            image.onWorkerDone();
        }
    }
}
