package io.tiercel.appliance.engine.lstm;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.matrix.MatrixParameters;

/**
 * One layer as the bundle holds it, validated; immutable, any thread. Rows are gates in PyTorch's order, i f g o, H
 * rows each. Arrays come out as they are held: not to be changed.
 *
 * <p>Tensors, under {@code layers.N}: {@code .input} and {@code .recurrent} (see {@link MatrixParameters}),
 * {@code .bias} F32 [4H] (both of PyTorch's, added), {@code .hidden.scale} F32 [1].
 */
public final class LstmLayerParameters {

    private final MatrixParameters input;
    private final MatrixParameters recurrent;
    private final float[] inputScales;
    private final float[] recurrentScales;
    private final float[] biases;
    private final float hiddenScale;
    private final float inverseHiddenScale;

    private LstmLayerParameters(
            final Bundle bundle, final String name, final int hiddenCount, final int inputCount,
            final int inputMaximum, final float inputScale) {
        final WeightFormat format = bundle.manifest().quantisation().weights();
        final int rows = 4 * hiddenCount;
        input = MatrixParameters.read(bundle, name + ".input", format, rows, inputCount, inputMaximum);
        recurrent = MatrixParameters.read(bundle, name + ".recurrent", format, rows, hiddenCount,
                LstmParameters.HIDDEN_MAXIMUM);
        biases = bundle.floats(name + ".bias", rows);
        hiddenScale = LstmParameters.vectorScale(bundle, name + ".hidden.scale");
        inverseHiddenScale = 1f / hiddenScale;
        inputScales = input.scalesWith(inputScale);
        recurrentScales = recurrent.scalesWith(hiddenScale);
        checkPreActivations(bundle, name);
    }

    /**
     * @param inputMaximum the largest magnitude of an element of x.
     * @param inputScale   of x: the features', or the hidden scale of the layer below.
     * @throws BundleException if a tensor is missing or has a wrong shape, or a sum could leave its range.
     */
    static LstmLayerParameters read(
            final Bundle bundle, final int layerIndex, final int hiddenCount, final int inputCount,
            final int inputMaximum, final float inputScale) {
        return new LstmLayerParameters(
                bundle, "layers." + layerIndex, hiddenCount, inputCount, inputMaximum, inputScale);
    }

    /** [4H, features or H]. */
    public MatrixParameters input() {
        return input;
    }

    /** [4H, H]. */
    public MatrixParameters recurrent() {
        return recurrent;
    }

    /** [4H]: row scale x scale of x, rounded once. */
    public float[] inputScales() {
        return inputScales;
    }

    /** [4H]: row scale x hidden scale, rounded once. */
    public float[] recurrentScales() {
        return recurrentScales;
    }

    /** [4H]. */
    public float[] biases() {
        return biases;
    }

    public float hiddenScale() {
        return hiddenScale;
    }

    /** 1 / hidden scale, rounded once. */
    public float inverseHiddenScale() {
        return inverseHiddenScale;
    }

    private void checkPreActivations(final Bundle bundle, final String name) {
        for (int row = 0; row < biases.length; row++) {
            final double largest = (double) input.rowMagnitude(row) * inputScales[row] +
                    (double) recurrent.rowMagnitude(row) * recurrentScales[row] + Math.abs(biases[row]);
            LstmParameters.checkSum(bundle, name, row, largest);
        }
    }
}
