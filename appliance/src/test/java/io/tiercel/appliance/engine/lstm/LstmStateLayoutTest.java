package io.tiercel.appliance.engine.lstm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LstmStateLayoutTest {

    @Test
    void shouldAlignEachPartWhenAnotherAheadIsAskedFor() {
        final LstmStateLayout layout = new LstmStateLayout(2, 73, 5 * 16);
        assertEquals(0, layout.cellOffset(0));
        assertEquals(320, layout.hiddenOffset(0));
        assertEquals(448, layout.cellOffset(1));
        assertEquals(448 + 320, layout.hiddenOffset(1));
        assertEquals(896, layout.canonicalBytes());
        assertEquals(896, layout.aheadOffset(0));
        assertEquals(896 + 320, layout.aheadOffset(1));
        assertEquals(896 + 2 * 320, layout.stateBytes());
    }

    @Test
    void shouldEndWithTheCanonicalPartWhenNothingIsKeptAhead() {
        final LstmStateLayout layout = new LstmStateLayout(3, 64, 0);
        assertEquals(3 * (256 + 64), layout.canonicalBytes());
        assertEquals(layout.canonicalBytes(), layout.stateBytes());
    }
}
