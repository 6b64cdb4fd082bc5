package io.tiercel.appliance.snapshot;

import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.SessionTable;
import io.tiercel.appliance.session.Sessions;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory for one cut: each session's hash and canonical state, by session index.
 *
 * <pre>
 *   0               8               64
 *   +---------------+---------------+------------------------------------------+
 *   | hash          | unused        | canonical state, of the longest model    |
 *   +---------------+---------------+------------------------------------------+
 * </pre>
 *
 * <p>The snapshot thread makes it, touches all of its pages, so that no worker meets a page fault, and reads it once
 * {@link #isComplete}. In between, each worker writes the places of its own sessions; its release is the count of
 * workers that are done.
 */
public final class SnapshotImage {

    private static final int HEADER_BYTES = 64;
    /** Marks of a session: not looked at yet; copied; had no state at the cut. */
    private static final byte DUE = 0;
    private static final byte COPIED = 1;
    private static final byte ABSENT = 2;

    private final Sessions sessions;
    private final int workerCount;
    private final long address;
    private final long strideBytes;
    private final int capacity;
    private final byte[] marks;
    private final AtomicInteger doneCount = new AtomicInteger();
    private long sequence;
    private int sessionCount;

    /**
     * @param memory of {@link #bytesFor} bytes, 64-byte aligned, not used by another image any more.
     * @param capacity sessions that it has room for.
     */
    SnapshotImage(final Sessions sessions, final int workerCount, final long memory, final int capacity) {
        this.sessions = sessions;
        this.workerCount = workerCount;
        this.capacity = capacity;
        address = memory;
        strideBytes = strideBytes(sessions);
        marks = new byte[capacity];
    }

    static long bytesFor(final Sessions sessions, final int capacity) {
        return strideBytes(sessions) * capacity;
    }

    /** Sessions that it has room for. Ingress begins no cut with more. */
    public int capacity() {
        return capacity;
    }

    /** The last sequence whose effect is in it. */
    public long sequence() {
        return sequence;
    }

    /** Sessions that the table had at the cut, from index 0. */
    public int sessionCount() {
        return sessionCount;
    }

    /** Ingress, once, before the workers see it. */
    void cut(final long cutSequence, final int cutSessionCount) {
        sequence = cutSequence;
        sessionCount = cutSessionCount;
    }

    /** Whether a worker has to copy this session, and has not yet. */
    public boolean isDue(final int sessionIndex, final int workerIndex) {
        return sessionIndex < sessionCount && marks[sessionIndex] == DUE &&
                Sessions.workerOf(sessions.table().sessionKey(sessionIndex), workerCount) == workerIndex;
    }

    /** The worker whose session it is: copies it as it stands. One that no request has reached has nothing to copy. */
    public void copy(final int sessionIndex) {
        final SessionStates states = sessions.states(sessions.table().modelIndex(sessionIndex));
        if (states.isInitialised(sessionIndex)) {
            final long place = address + sessionIndex * strideBytes;
            UnsafeApi.putLong(place, states.hash(sessionIndex));
            states.copyCanonical(sessionIndex, place + HEADER_BYTES);
            marks[sessionIndex] = COPIED;
        } else {
            marks[sessionIndex] = ABSENT;
        }
    }

    /** A worker: all of its sessions are copied. */
    public void onWorkerDone() {
        doneCount.incrementAndGet();
    }

    /** Snapshot thread: whether everything is there and stays. */
    boolean isComplete() {
        return doneCount.get() == workerCount;
    }

    /** Of a complete image. */
    boolean holds(final int sessionIndex) {
        return marks[sessionIndex] == COPIED;
    }

    long hash(final int sessionIndex) {
        return UnsafeApi.getLong(address + sessionIndex * strideBytes);
    }

    /** Wraps a session's canonical state. */
    void wrapState(final int sessionIndex, final UnsafeBuffer state) {
        final int modelIndex = sessions.table().modelIndex(sessionIndex);
        state.wrap(address + sessionIndex * strideBytes + HEADER_BYTES,
                sessions.states(modelIndex).shape().canonicalBytes());
    }

    SessionTable table() {
        return sessions.table();
    }

    private static long strideBytes(final Sessions sessions) {
        int longest = 0;
        for (int index = 0; index < sessions.modelCount(); index++) {
            longest = Math.max(longest, sessions.states(index).shape().canonicalBytes());
        }
        return HEADER_BYTES + ((longest + HEADER_BYTES - 1) & -HEADER_BYTES);
    }
}
