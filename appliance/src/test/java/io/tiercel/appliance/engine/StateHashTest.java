package io.tiercel.appliance.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.Test;

/** The golden values are from a second implementation, in Python, of the words in {@link StateHash}. */
class StateHashTest {

    private final ByteBuffer memory = BufferUtil.allocateDirectAligned(128, 64);
    private final long address = BufferUtil.address(memory);

    @Test
    void shouldGiveTheGoldenValuesWhenBytesAreMixed() {
        put(0, 0);
        assertEquals(0L, StateHash.mix(0, address, 0));
        assertEquals(0xb2b33d89642223afL, StateHash.mix(0, address, 8));
        assertEquals(0xc909a538c7be6035L, StateHash.mix(0, address, 9));
        put(1, 13);
        assertEquals(0xe1c01a0483d8f4c7L, StateHash.mix(1, address, 13));
        put(0, 64);
        assertEquals(0xd5a681e2daca6ee1L, StateHash.mix(0x0123456789abcdefL, address, 64));
    }

    @Test
    void shouldDifferWhenAnyBitOrThePreviousHashDiffers() {
        final long hash = StateHash.mix(5, address, 64);
        assertNotEquals(hash, StateHash.mix(6, address, 64));
        for (int bit = 0; bit < 64 * Byte.SIZE; bit++) {
            memory.put(bit / 8, (byte) (memory.get(bit / 8) ^ 1 << bit % 8));
            assertNotEquals(hash, StateHash.mix(5, address, 64));
            memory.put(bit / 8, (byte) (memory.get(bit / 8) ^ 1 << bit % 8));
        }
    }

    private void put(final int first, final int count) {
        for (int i = 0; i < 128; i++) {
            memory.put(i, (byte) (i < count ? first + i : 0));
        }
    }
}
