package io.tiercel.appliance.telemetry;

import io.tiercel.protocol.telemetry.EventKind;
import org.agrona.BufferUtil;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What happens seldom and is told one by one, on its way to the telemetry thread: clients that come and go, snapshots.
 * Any thread tells, hot ones too, and none waits: what finds no room is counted and lost.
 *
 * <p>Order: the ring's commit is a release store, its read an acquire load.
 */
public final class Happenings {

    /** Of something whose time nobody has read: it gets that of the telemetry thread's next look, 0.1 s later. */
    public static final long NO_TIME = Long.MIN_VALUE;

    private static final int RING_BYTES = 64 << 10;
    private static final int START_OFFSET = 0;
    private static final int DURATION_OFFSET = START_OFFSET + Long.BYTES;
    private static final int VALUE_OFFSET = DURATION_OFFSET + Long.BYTES;
    private static final int SUBJECT_OFFSET = VALUE_OFFSET + Long.BYTES;
    private static final int MAX_SUBJECT_LENGTH = 96;
    private static final int FIRST_TYPE_ID = 1;

    private final ManyToOneRingBuffer ring = new ManyToOneRingBuffer(new UnsafeBuffer(
            BufferUtil.allocateDirectAligned(RING_BYTES + RingBufferDescriptor.TRAILER_LENGTH, 64)));
    private final AtomicLong lost = new AtomicLong();

    /** Told of each, by the telemetry thread. */
    interface Handler {

        /** @param startTickNs or {@link #NO_TIME}. */
        void onHappening(EventKind kind, long startTickNs, long durationNs, long value, String subject);
    }

    /** Something that has just happened. */
    public void tell(final EventKind kind, final long value, final String subject) {
        tell(kind, NO_TIME, 0, value, subject);
    }

    /**
     * @param value   what it is depends on the kind, as the schema says.
     * @param subject ASCII; whatever else is in it becomes question marks.
     */
    public void tell(
            final EventKind kind, final long startTickNs, final long durationNs, final long value,
            final String subject) {
        final int length = Math.min(subject.length(), MAX_SUBJECT_LENGTH);
        final int index = ring.tryClaim(FIRST_TYPE_ID + kind.value(), SUBJECT_OFFSET + length);
        if (index < 0) {
            lost.incrementAndGet();
            return;
        }
        final AtomicBuffer buffer = ring.buffer();
        buffer.putLong(index + START_OFFSET, startTickNs);
        buffer.putLong(index + DURATION_OFFSET, durationNs);
        buffer.putLong(index + VALUE_OFFSET, value);
        for (int position = 0; position < length; position++) {
            final char character = subject.charAt(position);
            buffer.putByte(index + SUBJECT_OFFSET + position, (byte) (character < 128 ? character : '?'));
        }
        ring.commit(index);
    }

    /** The telemetry thread: hands over what there is. */
    void drain(final Handler handler) {
        ring.read((typeId, buffer, index, length) -> handler.onHappening(
                EventKind.get((short) (typeId - FIRST_TYPE_ID)),
                buffer.getLong(index + START_OFFSET),
                buffer.getLong(index + DURATION_OFFSET),
                buffer.getLong(index + VALUE_OFFSET),
                buffer.getStringWithoutLengthAscii(index + SUBJECT_OFFSET, length - SUBJECT_OFFSET)));
    }

    /** What found no room, since the beginning. */
    long lostCount() {
        return lost.get();
    }
}
