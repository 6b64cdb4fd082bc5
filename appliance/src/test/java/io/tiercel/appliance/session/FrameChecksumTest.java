package io.tiercel.appliance.session;

import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;

import static org.junit.jupiter.api.Assertions.assertEquals;

class FrameChecksumTest {

    /** The check value of CRC-32C in every catalogue of checksums. */
    private static final int OF_DIGITS = 0xE306_9283;
    private static final byte[] DIGITS = "__123456789_".getBytes(StandardCharsets.US_ASCII);

    private final FrameChecksum checksum = new FrameChecksum(64);

    @Test
    void shouldBeTheSameWhereverTheFrameLies() {
        final UnsafeBuffer direct = new UnsafeBuffer(BufferUtil.allocateDirectAligned(64, 64));
        direct.putBytes(3, DIGITS);
        assertEquals(OF_DIGITS, checksum.of(new UnsafeBuffer(DIGITS), 2, 9));
        assertEquals(OF_DIGITS, checksum.of(direct, 5, 9));
    }

    @Test
    void shouldNotRememberTheLastFrameWhenThatWasLonger() {
        checksum.of(new UnsafeBuffer(new byte[64]), 0, 64);
        assertEquals(OF_DIGITS, checksum.of(new UnsafeBuffer(DIGITS), 2, 9));
    }
}
