package io.tiercel.replay.compare;

import java.util.List;

/**
 * What became of latency from A to B.
 *
 * @param tag  what was compared.
 * @param unit of the values; null if nobody said.
 */
public record Comparison(IntervalSet setA, IntervalSet setB, String tag, String unit,
        List<QuantileComparison> quantiles) implements Finding {

    /** Slower if any quantile is; else faster if any is; else no difference if any could be told. */
    @Override
    public Verdict verdict() {
        for (final Verdict verdict : new Verdict[] {Verdict.SLOWER, Verdict.FASTER, Verdict.NO_DIFFERENCE}) {
            if (quantiles.stream().anyMatch(quantile -> quantile.verdict() == verdict)) {
                return verdict;
            }
        }
        return Verdict.TOO_LITTLE_DATA;
    }

    @Override
    public Verdict verdict(final double quantile) {
        return quantiles.stream().filter(one -> one.quantile() == quantile).map(QuantileComparison::verdict).findFirst()
                .orElse(Verdict.TOO_LITTLE_DATA);
    }

    /** Of the verdict: how sure the surest quantile is that has it; the least sure where no difference was seen. */
    public double confidence() {
        return quantiles.stream().filter(quantile -> quantile.verdict() == verdict())
                .mapToDouble(QuantileComparison::confidence).max().orElse(0);
    }
}
