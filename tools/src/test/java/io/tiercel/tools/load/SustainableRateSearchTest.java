package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SustainableRateSearchTest {

    @Test
    void shouldFindTheLimitFromBelowAndFromAbove() {
        for (final double limit : new double[] {3, 950, 10_000, 123_456, 4_000_000}) {
            final int[] trials = new int[1];
            final double found = SustainableRateSearch.find(10_000, 5_000_000, rate -> {
                trials[0]++;
                return rate <= limit;
            });
            assertTrue(found <= limit && found * 1.08 >= limit, "limit=" + limit + " found=" + found);
            assertTrue(trials[0] < 25, "limit=" + limit + " trials=" + trials[0]);
        }
    }

    @Test
    void shouldStopAtTheHighestRateWhenEverythingIsSustained() {
        assertEquals(5_000_000, SustainableRateSearch.find(10_000, 5_000_000, rate -> true));
    }

    @Test
    void shouldSayZeroWhenNothingIsSustained() {
        assertEquals(0, SustainableRateSearch.find(10_000, 5_000_000, rate -> false));
    }
}
