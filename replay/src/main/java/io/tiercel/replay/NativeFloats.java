package io.tiercel.replay;

import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/** Floats outside the heap, where an executor can reach them; grows, never shrinks. */
final class NativeFloats {

    private static final int ALIGNMENT = 64;

    private final UnsafeBuffer buffer = new UnsafeBuffer(0, 0);

    /** @param firstCapacity in bytes. */
    NativeFloats(final int firstCapacity) {
        ensureLength(firstCapacity);
    }

    /** Makes room; what was there is lost. The address is good until the next call. */
    long ensureLength(final int length) {
        if (length > buffer.capacity()) {
            buffer.wrap(BufferUtil.allocateDirectAligned(length + ALIGNMENT - 1 & -ALIGNMENT, ALIGNMENT));
        }
        return buffer.addressOffset();
    }

    long address() {
        return buffer.addressOffset();
    }

    UnsafeBuffer buffer() {
        return buffer;
    }
}
