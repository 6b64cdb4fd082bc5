package io.tiercel.appliance.infer;

import io.tiercel.appliance.session.SessionTable;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.snapshot.SnapshotImage;

import java.util.Arrays;

/**
 * A worker's share in a snapshot: stops at the cut for a moment, then copies its sessions as they were there. One copy
 * a call, so a request waits for one session at most, and for its own. Which sessions are the worker's it knows by
 * what it has passed: the session table may be far ahead of it.
 *
 * <p>Infer thread only. Allocates nothing. Costs a read of a shared reference each round while there is no snapshot.
 */
final class StateCopier {

    /** Sessions looked at in one call: of other workers, or copied already. */
    private static final int LOOK_LIMIT = 64;
    private static final int NOT_OURS = -1;

    private final SnapshotCut cut;
    /** The model of each session of this worker; {@link #NOT_OURS} of the others. */
    private final int[] models;
    /** The newest cut that this worker has begun, and, unless it is copying, finished. */
    private SnapshotImage image;
    private int nextIndex;
    private boolean isCopying;

    /** @param table as it is before any request comes. */
    StateCopier(final SnapshotCut cut, final SessionTable table, final int workerIndex, final int workerCount) {
        this.cut = cut;
        models = new int[table.maxSessions()];
        Arrays.fill(models, NOT_OURS);
        for (int index = 0; index < table.size(); index++) {
            if (Sessions.workerOf(table.sessionKey(index), workerCount) == workerIndex) {
                models[index] = table.modelIndex(index);
            }
        }
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
        if (isCopying && isDue(sessionIndex)) {
            image.copy(sessionIndex, models[sessionIndex]);
        }
    }

    /** Before a session of this worker begins, maybe in the place of another one of this worker. */
    void onBegin(final int sessionIndex, final int modelIndex) {
        beforeChange(sessionIndex);
        models[sessionIndex] = modelIndex;
    }

    /** Before another worker gets the place of a session of this one. */
    void onHandedOver(final int sessionIndex) {
        beforeChange(sessionIndex);
        models[sessionIndex] = NOT_OURS;
    }

    private boolean isDue(final int sessionIndex) {
        return models[sessionIndex] != NOT_OURS && image.isDue(sessionIndex);
    }

    private void copyNext() {
        final int end = Math.min(image.sessionCount(), nextIndex + LOOK_LIMIT);
        while (nextIndex < end) {
            final int sessionIndex = nextIndex++;
            if (isDue(sessionIndex)) {
                image.copy(sessionIndex, models[sessionIndex]);
                break;
            }
        }
        if (nextIndex == image.sessionCount()) {
            isCopying = false;
            image.onWorkerDone();
        }
    }
}
