package io.tiercel.appliance.telemetry;

import org.agrona.BufferUtil;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The long rounds of one hot thread, each with its time, on their way to the telemetry thread. The hot thread writes
 * and never waits: what finds the ring full is counted and lost. Allocates nothing after construction.
 *
 * <p>Order: the ring's commit is a release store, its read an acquire load; {@link #lostCount} and {@link #scheduling}
 * are published the same way and read on their own.
 */
public final class StallTrack {

    /** What is shorter is in the histograms only: as long as some ten requests of a small model. */
    public static final long FLOOR_NS = 20_000;

    private static final int RING_BYTES = 64 << 10;
    private static final int STALL_TYPE_ID = 1;
    private static final int START_OFFSET = 0;
    private static final int DURATION_OFFSET = START_OFFSET + Long.BYTES;
    private static final int WORK_OFFSET = DURATION_OFFSET + Long.BYTES;
    private static final int RECORD_LENGTH = WORK_OFFSET + Integer.BYTES;

    private final OneToOneRingBuffer ring = new OneToOneRingBuffer(new UnsafeBuffer(
            BufferUtil.allocateDirectAligned(RING_BYTES + RingBufferDescriptor.TRAILER_LENGTH, 64)));
    private final AtomicLong lost = new AtomicLong();
    private volatile Path scheduling;

    /** Told of each long round, by the telemetry thread. */
    interface Handler {

        /** @param work what the round did; 0 if it did nothing. */
        void onStall(long startTickNs, long durationNs, int work);
    }

    /** The hot thread, once, before its first round: from here on the system can be asked about it. */
    public void onStart() {
        try {
            scheduling = Path.of("/proc").resolve(Files.readSymbolicLink(Path.of("/proc/thread-self")))
                    .resolve("schedstat");
        } catch (final IOException | UnsupportedOperationException ex) {
            scheduling = null; // A system that does not tell: stalls have no reason then.
        }
    }

    /** The hot thread: a round that was long. */
    void record(final long startTickNs, final long durationNs, final int work) {
        final int index = ring.tryClaim(STALL_TYPE_ID, RECORD_LENGTH);
        if (index < 0) {
            lost.setRelease(lost.getPlain() + 1);
            return;
        }
        final AtomicBuffer buffer = ring.buffer();
        buffer.putLong(index + START_OFFSET, startTickNs);
        buffer.putLong(index + DURATION_OFFSET, durationNs);
        buffer.putInt(index + WORK_OFFSET, work);
        ring.commit(index);
    }

    /** The telemetry thread: hands over what there is. */
    void drain(final Handler handler) {
        ring.read((typeId, buffer, index, length) -> handler.onStall(buffer.getLong(index + START_OFFSET),
                buffer.getLong(index + DURATION_OFFSET), buffer.getInt(index + WORK_OFFSET)));
    }

    /** Long rounds that found the ring full, since the beginning. */
    long lostCount() {
        return lost.getAcquire();
    }

    /** Where the kernel says how long the thread has waited for a core; null if it does not. */
    Path scheduling() {
        return scheduling;
    }
}
