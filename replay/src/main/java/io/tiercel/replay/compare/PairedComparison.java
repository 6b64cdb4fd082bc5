package io.tiercel.replay.compare;

import java.util.List;

/**
 * What became of latency from A's to B's runs, which were taken in turns.
 *
 * @param tag  what was compared.
 * @param unit of the values; null if nobody said.
 */
public record PairedComparison(IntervalSet setA, IntervalSet setB, String tag, String unit,
        List<PairedQuantile> quantiles) implements Finding {

    /** The worst that any quantile has; that it cannot be told is worse than faster. */
    @Override
    public Verdict verdict() {
        for (final Verdict verdict : new Verdict[] {
            Verdict.SLOWER, Verdict.CANNOT_TELL, Verdict.FASTER, Verdict.NO_DIFFERENCE}) {
            if (quantiles.stream().anyMatch(quantile -> quantile.verdict() == verdict)) {
                return verdict;
            }
        }
        return Verdict.TOO_LITTLE_DATA;
    }

    @Override
    public Verdict verdict(final double quantile) {
        return quantiles.stream().filter(one -> one.quantile() == quantile).map(PairedQuantile::verdict).findFirst()
                .orElse(Verdict.TOO_LITTLE_DATA);
    }

    /** How many more pairs the noisiest quantile needs that cannot be told; 0 if all can. */
    public int morePairs() {
        return quantiles.stream().mapToInt(PairedQuantile::morePairs).max().orElse(0);
    }
}
