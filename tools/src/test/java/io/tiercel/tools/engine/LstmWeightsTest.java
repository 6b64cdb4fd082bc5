package io.tiercel.tools.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LstmWeightsTest {

    @Test
    void shouldDrawTheSameWeightsWhenTheSeedIsTheSame() {
        final LstmWeights weights = LstmWeights.random(2, 16, 5, 3, 7);
        assertArrayEquals(weights.recurrent()[1], LstmWeights.random(2, 16, 5, 3, 7).recurrent()[1]);
        assertFalse(Arrays.equals(weights.recurrent()[1], LstmWeights.random(2, 16, 5, 3, 8).recurrent()[1]));
        assertFalse(Arrays.equals(weights.recurrent()[0], weights.recurrent()[1]));
    }

    @Test
    void shouldStayWithinOneOverTheRootOfTheWidthWhenRandom() {
        float largest = 0;
        for (final float value : LstmWeights.random(1, 64, 5, 3, 7).recurrent()[0]) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertTrue(largest <= 0.125f && largest > 0.124f, "largest=" + largest);
    }

    @Test
    void shouldNameTheArrayWhenItsLengthDoesNotFit() {
        final LstmWeights good = LstmWeights.random(2, 16, 5, 3, 7);
        final IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> new LstmWeights(
                2, 16, 6, 3, good.input(), good.recurrent(), good.bias(), good.head(), good.headBias()));
        assertEquals("input 0: length=320 expected=384", error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> LstmWeights.random(0, 16, 5, 3, 7));
    }
}
