package io.tiercel.tools.engine;

import io.tiercel.tools.load.LatencySummary;
import org.HdrHistogram.Histogram;

/**
 * A measured row. Not changed once it is made.
 *
 * @param floorNs   what a step takes at best on this machine, as weights come from the caches; NaN where nobody can
 *                  say.
 * @param histogram ns of each measured step.
 */
record EngineRow(Label label, double floorNs, Histogram histogram) {

    static final String ONNX_RUNTIME = "onnxruntime";

    private static final double NS_PER_US = 1_000;

    /**
     * Who was measured.
     *
     * @param shape        as its benchmark calls it.
     * @param weights      {@code int8}, {@code int4}, {@code fp32}.
     * @param threads      that a step ran on.
     * @param kernels      of the cpu backend; null for the others.
     * @param bytesPerStep weights that a step reads; 0 where nobody can say.
     * @param multiplyAdds of a step, as far as it is timed; 0 where nobody can say.
     */
    record Label(
            String shape, String weights, String backend, int threads, String kernels, long bytesPerStep,
            long multiplyAdds) {

        /** For the interval log, which allows neither blanks nor commas. */
        String tag() {
            return shape + ":" + weights + ":" + backend + ":" + threads;
        }
    }

    LatencySummary summary() {
        return LatencySummary.of(histogram);
    }

    double p50Us() {
        return summary().p50();
    }

    double floorUs() {
        return floorNs / NS_PER_US;
    }

    /** The floor as a share of the median; NaN without a floor. */
    double streamShare() {
        return floorUs() / p50Us();
    }

    /** In the median step; NaN where the core's clock rate is not known (0). */
    double multiplyAddsPerCycle(final double cyclesPerNs) {
        return cyclesPerNs > 0 && label.multiplyAdds() > 0
                ? label.multiplyAdds() / (p50Us() * NS_PER_US * cyclesPerNs)
                : Double.NaN;
    }
}
