package io.tiercel.appliance.sequencer;

import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.UnsafeApi;

/**
 * Copies short stretches of off-heap memory word by word: a frame of a hundred bytes is there before the call of the
 * general routine has begun. Longer ones go to that routine.
 */
public final class Words {

    private static final int LONG_COPY_BYTES = 1024;

    private Words() {
    }

    /** {@code length} bytes from one off-heap buffer to another; both must hold them. */
    public static void copy(
            final DirectBuffer source,
            final int sourceOffset,
            final MutableDirectBuffer target,
            final int targetOffset,
            final int length) {
        if (length > LONG_COPY_BYTES || source.byteArray() != null || target.byteArray() != null) {
            target.putBytes(targetOffset, source, sourceOffset, length);
            return;
        }
        source.boundsCheck(sourceOffset, length);
        target.boundsCheck(targetOffset, length);
        final long from = source.addressOffset() + sourceOffset;
        final long to = target.addressOffset() + targetOffset;
        final int wordsLength = length & -Long.BYTES;
        for (int offset = 0; offset < wordsLength; offset += Long.BYTES) {
            UnsafeApi.putLong(to + offset, UnsafeApi.getLong(from + offset));
        }
        for (int offset = wordsLength; offset < length; offset++) {
            UnsafeApi.putByte(to + offset, UnsafeApi.getByte(from + offset));
        }
    }
}
