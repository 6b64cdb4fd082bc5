package io.tiercel.appliance.snapshot;

import io.tiercel.appliance.routing.Routes;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Where the thread that takes snapshots, ingress and the infer workers meet. The pipeline is not stopped: each worker
 * copies its sessions one by one, in idle rounds or between two batches, and a session that a request is about to
 * change just before that. So what is copied is the state of every session after one and the same sequence.
 *
 * <pre>
 *   snapshot thread      ingress                          worker 0..n                      snapshot thread
 *   want(image) ───────▶ begin(image): sequence = what ──▶ finishes up to the sequence,
 *                        it has published last             copies, image.onWorkerDone ───▶ image.isComplete
 * </pre>
 *
 * <p>{@code want} and {@code begin} are volatile stores. Ingress stores {@code begun} before it publishes the next
 * request, and a worker reads it after it has read the ring's cursor: a worker that sees a request behind the cut also
 * sees the cut.
 */
public final class SnapshotCut {

    private volatile SnapshotImage wanted;
    private volatile SnapshotImage begun;
    private final AtomicLong askedCount = new AtomicLong();

    /** Asks for a snapshot of how things stand now or later, without waiting for the interval. Any thread. */
    public void ask() {
        askedCount.incrementAndGet();
    }

    /** How often it was asked for one. Any thread. */
    long askedCount() {
        return askedCount.get();
    }

    /** Snapshot thread: asks for a cut, or gives up one that has not begun with null. */
    void want(final SnapshotImage image) {
        wanted = image;
    }

    /** Ingress: the image to begin with now, or null. */
    public SnapshotImage wanted() {
        final SnapshotImage image = wanted;
        return image == begun ? null : image;
    }

    /**
     * Ingress: the cut is behind the sequence that was published last.
     *
     * @param sessionCount sessions in the table now.
     * @param routes       as they stand now.
     */
    public void begin(
            final SnapshotImage image, final long publishedSequence, final int sessionCount, final Routes routes) {
        image.cut(publishedSequence, sessionCount, routes);
        begun = image;
    }

    /** A worker: the newest cut, or null; to be read after the ring's cursor. */
    public SnapshotImage begun() {
        return begun;
    }
}
