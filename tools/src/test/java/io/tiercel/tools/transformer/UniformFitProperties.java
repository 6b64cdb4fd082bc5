package io.tiercel.tools.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class UniformFitProperties {

    @Property(tries = 50)
    void shouldNeverBeWorseThanBeforeWhenItIsRefined(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 4) final int bits) {
        final SplittableRandom random = new SplittableRandom(seed);
        final double[] values = random.doubles(200).map(value -> value * value * 6 - 1).toArray();
        final double[] weights = random.doubles(200, 0.01, 1).toArray();
        UniformFit fit = UniformFit.of(values, weights, 1, 0.7, 1 << bits);
        for (int i = 0; i < 10; i++) {
            final UniformFit next = fit.refined(values, weights);
            assertTrue(next.error() <= fit.error() * (1 + 1e-12), "bits=" + bits);
            fit = next;
        }
    }

    @Test
    void shouldFindLevelsThatLeanToOneSide() {
        final double[] values = {2, 2, 2, 2, 8};
        final double[] weights = {1, 1, 1, 1, 1};
        final UniformFit fit = UniformFit.of(values, weights, 3.2, 2.4, 2).refined(values, weights);
        assertEquals(5, fit.mean(), 1e-12);
        assertEquals(3, fit.step(), 1e-12);
        assertEquals(0, fit.error(), 1e-12);
    }

    @Test
    void shouldGiveUpWhenAllValuesHaveOneCode() {
        final double[] values = new double[5];
        Arrays.fill(values, 3);
        assertNull(UniformFit.of(values, values, 3, 1, 4).refined(values, values));
    }
}
