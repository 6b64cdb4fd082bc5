package io.tiercel.appliance.snapshot;

import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.SessionHeader;
import io.tiercel.appliance.session.Sessions;
import org.agrona.BitUtil;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory for one cut: each session's header and canonical state, by session index.
 *
 * <pre>
 *   0                               64
 *   +-------------------------------+------------------------------------------+
 *   | {@link SessionHeader}         | canonical state, of the longest model    |
 *   +-------------------------------+------------------------------------------+
 * </pre>
 *
 * <p>The snapshot thread makes it, touches all of its pages, so that no worker meets a page fault, and reads it once
 * {@link #isComplete}. In between, each worker writes the places of its own sessions; its release is the count of
 * workers that are done. A worker that gets a session's place from another sees whether that one has copied it as it
 * sees the rest of what it left. The session table is not asked: it goes on.
 */
public final class SnapshotImage {

    private static final int NOT_COPIED = 0;

    private final Sessions sessions;
    private final int workerCount;
    private final long address;
    private final long strideBytes;
    private final int capacity;
    /** The model of each session that is copied, and 1; {@link #NOT_COPIED} of the others. */
    private final int[] models;
    private final AtomicInteger doneCount = new AtomicInteger();
    private final int versionCount;
    private final Routes routes;
    private long sequence;
    private int sessionCount;

    /**
     * @param memory of {@link #bytesFor} bytes, 64-byte aligned, not used by another image any more.
     * @param capacity sessions that it has room for.
     */
    SnapshotImage(
            final Sessions sessions, final int workerCount, final long memory,
            final int capacity) {
        this.sessions = sessions;
        this.workerCount = workerCount;
        this.capacity = capacity;
        address = memory;
        strideBytes = strideBytes(sessions);
        models = new int[capacity];
        versionCount = sessions.modelCount();
        routes = new Routes(0, sessions.capacity());
    }

    static long bytesFor(final Sessions sessions, final int capacity) {
        return strideBytes(sessions) * capacity;
    }

    /** Sessions that it has room for. */
    public int capacity() {
        return capacity;
    }

    /** Whether it has room for so many sessions, of so many versions. Ingress begins no cut that does not fit. */
    public boolean fits(final int nowSessionCount, final int nowVersionCount) {
        return nowSessionCount <= capacity && nowVersionCount == versionCount;
    }

    /** Versions that there are at the cut. */
    int versionCount() {
        return versionCount;
    }

    /** As they stand at the cut. */
    Routes routes() {
        return routes;
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
    void cut(final long cutSequence, final int cutSessionCount, final Routes cutRoutes) {
        sequence = cutSequence;
        sessionCount = cutSessionCount;
        cutRoutes.copyTo(routes);
    }

    /** The worker whose session it is: whether it has to copy it, and has not yet. */
    public boolean isDue(final int sessionIndex) {
        return sessionIndex < sessionCount && models[sessionIndex] == NOT_COPIED;
    }

    /** The worker whose session it is: copies it as it stands. */
    public void copy(final int sessionIndex, final int modelIndex) {
        sessions.states(modelIndex).copyCanonical(sessionIndex, place(sessionIndex));
        models[sessionIndex] = modelIndex + 1;
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
        return models[sessionIndex] != NOT_COPIED;
    }

    /** Where the session's {@link SessionHeader} is. */
    long place(final int sessionIndex) {
        return address + sessionIndex * strideBytes;
    }

    int modelIndex(final int sessionIndex) {
        return models[sessionIndex] - 1;
    }

    /** Wraps a session's canonical state. */
    void wrapState(final int sessionIndex, final UnsafeBuffer state) {
        state.wrap(place(sessionIndex) + SessionHeader.BYTES,
                sessions.states(modelIndex(sessionIndex)).shape().canonicalBytes());
    }

    private static long strideBytes(final Sessions sessions) {
        int longest = 0;
        for (int index = 0; index < sessions.modelCount(); index++) {
            longest = Math.max(longest, sessions.states(index).shape().canonicalBytes());
        }
        return SessionHeader.BYTES + BitUtil.align(longest, BitUtil.CACHE_LINE_LENGTH);
    }
}
