package io.tiercel.replay.compare;

import java.math.BigDecimal;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * How to compare.
 *
 * @param tag       what to compare; null: {@code total} if both have it, or the only one that both have.
 * @param quantiles shares, ascending, each in (0, 1).
 * @param threshold smallest change that matters, as a share.
 * @param level     chance of crying over sets that do not differ, over all quantiles together.
 * @param resamples how often blocks are drawn again, and shuffled.
 * @param random    seeded, so that a comparison can be repeated.
 */
public record CompareOptions(String tag, List<Double> quantiles, double threshold, double level, int resamples,
        RandomGenerator random) {

    public static final List<Double> DEFAULT_QUANTILES = List.of(0.5, 0.9, 0.99, 0.999);
    public static final double DEFAULT_THRESHOLD = 0.05;
    public static final double DEFAULT_LEVEL = 0.05;
    public static final int DEFAULT_RESAMPLES = 4_000;

    public static CompareOptions of(final String tag, final RandomGenerator random) {
        return new CompareOptions(
                tag, DEFAULT_QUANTILES, DEFAULT_THRESHOLD, DEFAULT_LEVEL, DEFAULT_RESAMPLES, random);
    }

    /** As one says it: p50, p99.9. */
    public static String quantileName(final double quantile) {
        final String percent = BigDecimal.valueOf(quantile).movePointRight(2).stripTrailingZeros()
                .toPlainString();
        return "p" + percent;
    }
}
