package io.tiercel.tools.engine;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.nativecuda.cpu.KernelSet;
import java.util.List;

/**
 * What is measured of each shape, and for how long. Checked by who makes it.
 *
 * @param formats      weights of the cpu rows.
 * @param threads      the most threads of a cpu row; there is one row for each number up to it.
 * @param stepCount    measured steps of a row; 0 to let {@code rowNs} decide.
 * @param rowNs        about how long the measured steps of a row take.
 * @param kernels      of the cpu rows; null to have none.
 * @param devices      backends that have a row each for each of the formats, compared with the reference first.
 * @param hasReference whether the Java reference has a row.
 * @param hasOnnx      whether ONNX Runtime has its rows.
 * @param seed         of weights and features.
 */
record EnginePlan(
        List<WeightFormat> formats, int threads, int stepCount, long rowNs, KernelSet kernels, List<Backend> devices,
        boolean hasReference, boolean hasOnnx, long seed) {

    static final int MIN_STEPS = 200;
    static final int MAX_STEPS = 1_000_000;

    /** @param nsPerStep what a step takes with all that follows it. */
    int stepCount(final double nsPerStep) {
        return stepCount > 0
                ? stepCount
                : (int) Math.max(MIN_STEPS, Math.min(MAX_STEPS, rowNs / Math.max(1, nsPerStep)));
    }
}
