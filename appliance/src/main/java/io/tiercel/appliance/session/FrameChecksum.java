package io.tiercel.appliance.session;

import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC-32C of a request's frame, by which two frames with one correlation id are told apart. The frame is copied first:
 * it lies in buffers of many kinds, and {@link CRC32C} takes byte buffers only. One thread; allocates in the
 * constructor.
 */
public final class FrameChecksum {

    private final CRC32C crc = new CRC32C();
    private final ByteBuffer bytes;
    private final UnsafeBuffer copy;

    /** @param maxFrameLength bytes of the longest frame. */
    public FrameChecksum(final int maxFrameLength) {
        bytes = BufferUtil.allocateDirectAligned(maxFrameLength, BitUtil.CACHE_LINE_LENGTH);
        copy = new UnsafeBuffer(bytes);
    }

    /** The checksum of {@code length} bytes from {@code offset}. */
    public int of(final DirectBuffer frame, final int offset, final int length) {
        copy.putBytes(0, frame, offset, length);
        bytes.limit(length).position(0);
        crc.reset();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
