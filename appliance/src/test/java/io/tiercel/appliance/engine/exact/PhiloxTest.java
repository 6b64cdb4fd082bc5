package io.tiercel.appliance.engine.exact;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Against the known answers that the authors publish with Random123, kat_vectors: philox4x32, 10 rounds. */
class PhiloxTest {

    @Test
    void shouldGiveThePublishedBitsWhenKeyAndCounterAreZero() {
        assertEquals(0xE169C58D_6627E8D5L, Philox.bits(0, 0));
    }

    @Test
    void shouldGiveOtherBitsForAnotherKeyOrCounter() {
        final long bits = Philox.bits(7, 11);
        assertEquals(bits, Philox.bits(7, 11));
        assertEquals(4, LongStream.of(bits, Philox.bits(8, 11), Philox.bits(7, 12),
                Philox.bits(7L << 32, 11)).distinct().count());
    }
}
