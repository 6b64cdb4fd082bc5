package io.tiercel.appliance.engine.exact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokenSamplerTest {

    private static final float[] LOGITS = {1, 3, 2, 3, -40, 0};
    private static final int DRAWS = 20_000;

    private final TokenSampler sampler = new TokenSampler(LOGITS.length);

    @Test
    void shouldTakeTheFirstOfTheLikeliestWhenGreedy() {
        assertEquals(1, sampler.likeliest(LOGITS));
        assertEquals(1, sampler.draw(LOGITS, 0, 0, 5, 5));
    }

    @Test
    void shouldDrawByTheProbabilities() {
        final int[] counts = counts(1, 0);
        final double total = IntStream.range(0, LOGITS.length).mapToDouble(i -> Math.exp(LOGITS[i])).sum();
        for (int i = 0; i < counts.length; i++) {
            assertEquals(Math.exp(LOGITS[i]) / total, counts[i] / (double) DRAWS, 0.015, "token " + i);
        }
        assertEquals(0, counts[4]);
    }

    @Test
    void shouldDrawFromTheLikeliestFewOnlyAndBreakTiesByTheLowerToken() {
        final int[] first = counts(1, 1);
        assertEquals(DRAWS, first[1]);
        final int[] three = counts(1, 3);
        assertEquals(DRAWS, three[1] + three[2] + three[3]);
        assertTrue(three[2] > 0 && three[3] > three[2]);
        final int[] five = counts(100, 5);
        assertEquals(0, five[4]);
    }

    @Test
    void shouldBeFlatterWhenHotter() {
        assertTrue(counts(10, 0)[0] > 2 * counts(1, 0)[0]);
    }

    private int[] counts(final float temperature, final int top) {
        final int[] counts = new int[LOGITS.length];
        for (int counter = 0; counter < DRAWS; counter++) {
            counts[sampler.draw(LOGITS, temperature, top, 42, counter)]++;
        }
        return counts;
    }
}
