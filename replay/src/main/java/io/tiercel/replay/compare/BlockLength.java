package io.tiercel.replay.compare;

import java.util.List;

/**
 * How long blocks of dependent data have to be: D. Politis and H. White, "Automatic block-length selection for the
 * dependent bootstrap" (Econometric Reviews 2004), as corrected by Patton, Politis and White (2009), for blocks of a
 * fixed length. The more and the longer neighbours resemble each other, the longer.
 */
final class BlockLength {

    private static final int MIN_QUIET_LAGS = 5;
    private static final double NOISE_FACTOR = 2;

    private BlockLength() {
    }

    /**
     * In values.
     *
     * @param runs series whose values have a common mean in each, and resemble each other in the same way.
     */
    static int of(final List<double[]> runs) {
        final int count = runs.stream().mapToInt(run -> run.length).sum();
        final int longest = runs.stream().mapToInt(run -> run.length).max().orElse(0);
        final int shortest = runs.stream().mapToInt(run -> run.length).min().orElse(0);
        final double[] covariances = covariances(runs, Math.max(1, longest / 2));
        if (shortest < 2 || covariances[0] == 0) {
            return 1;
        }
        final int bandwidth = Math.min(covariances.length - 1, 2 * Math.max(1, lastAlikeLag(covariances, count)));
        double weighted = 0;
        double spectrum = covariances[0];
        for (int lag = 1; lag <= bandwidth; lag++) {
            final double weight = Math.min(1, 2 * (1 - (double) lag / bandwidth)); // a flat top, then a slope to 0
            weighted += 2 * weight * lag * covariances[lag];
            spectrum += 2 * weight * covariances[lag];
        }
        final double length = Math.cbrt(2 * weighted * weighted / (4.0 / 3 * spectrum * spectrum) * shortest);
        return (int) Math.max(1, Math.ceil(Math.min(length, shortest)));
    }

    private static double[] covariances(final List<double[]> runs, final int maxLag) {
        final double[] sums = new double[maxLag + 1];
        int count = 0;
        for (final double[] run : runs) {
            double mean = 0;
            for (final double value : run) {
                mean += value / run.length;
            }
            for (int lag = 0; lag <= maxLag; lag++) {
                for (int index = lag; index < run.length; index++) {
                    sums[lag] += (run[index] - mean) * (run[index - lag] - mean);
                }
            }
            count += run.length;
        }
        for (int lag = 0; lag <= maxLag; lag++) {
            sums[lag] /= Math.max(1, count);
        }
        return sums;
    }

    /** The last lag before a stretch of them in which no correlation stands out from noise. */
    private static int lastAlikeLag(final double[] covariances, final int count) {
        final double noise = NOISE_FACTOR * Math.sqrt(Math.log10(count) / count);
        final int quietLags = Math.max(MIN_QUIET_LAGS, (int) Math.ceil(Math.sqrt(Math.log10(count))));
        int quiet = 0;
        for (int lag = 1; lag < covariances.length; lag++) {
            quiet = Math.abs(covariances[lag] / covariances[0]) < noise ? quiet + 1 : 0;
            if (quiet == quietLags) {
                return lag - quietLags;
            }
        }
        return covariances.length - 1 - quiet;
    }
}
