package io.tiercel.replay;

import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** Floats outside the heap, where an executor can reach them; grows, never shrinks. */
final class NativeFloats {

    private static final int FIRST_CAPACITY = 4096;
    private static final int ALIGNMENT = 64;

    private final UnsafeBuffer buffer =
            new UnsafeBuffer(BufferUtil.allocateDirectAligned(FIRST_CAPACITY, ALIGNMENT));

    /** Makes room; what was there is lost. The address is good until the next call. */
    long ensureLength(final int length) {
        if (length > buffer.capacity()) {
            buffer.wrap(BufferUtil.allocateDirectAligned(length, ALIGNMENT));
        }
        return buffer.addressOffset();
    }

    void copyFrom(final DirectBuffer source, final int offset, final int length) {
        ensureLength(length);
        buffer.putBytes(0, source, offset, length);
    }

    long address() {
        return buffer.addressOffset();
    }

    DirectBuffer buffer() {
        return buffer;
    }
}
