package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;

/**
 * The weights of one layer; immutable. Rows are gates in PyTorch's order, i f g o, H rows each.
 *
 * <p>Tensors, under {@code layers.N}: {@code .input} and {@code .recurrent} (see {@link QuantisedMatrix}),
 * {@code .bias} F32 [4H] (both of PyTorch's, added), {@code .hidden.scale} F32 [1].
 */
final class LstmLayer {

    /** qh is int8 in every bundle. */
    static final int HIDDEN_MAXIMUM = 127;

    /** Sums before a gate stay below this, so nothing becomes infinite. */
    private static final double PRE_ACTIVATION_LIMIT = 1e30;

    final QuantisedMatrix input;
    final QuantisedMatrix recurrent;
    final float[] inputScales;
    final float[] recurrentScales;
    final float[] biases;
    final float hiddenScale;
    final float inverseHiddenScale;

    LstmLayer(
            final Bundle bundle, final int layerIndex, final int hiddenCount, final int inputCount,
            final int inputMaximum, final float inputScale) {
        final String name = "layers." + layerIndex;
        final WeightFormat format = bundle.manifest().quantisation().weights();
        final int rows = 4 * hiddenCount;
        input = QuantisedMatrix.read(bundle, name + ".input", format, rows, inputCount, inputMaximum);
        recurrent = QuantisedMatrix.read(bundle, name + ".recurrent", format, rows, hiddenCount, HIDDEN_MAXIMUM);
        biases = bundle.floats(name + ".bias", rows);
        hiddenScale = bundle.positiveFloats(name + ".hidden.scale", 1)[0];
        inverseHiddenScale = 1f / hiddenScale;
        inputScales = input.scalesWith(inputScale);
        recurrentScales = recurrent.scalesWith(hiddenScale);
        for (int row = 0; row < rows; row++) {
            final double largest = (double) input.rowMagnitude(row) * inputScales[row] +
                    (double) recurrent.rowMagnitude(row) * recurrentScales[row] + Math.abs(biases[row]);
            if (!(largest < PRE_ACTIVATION_LIMIT)) {
                throw new BundleException(bundle.path() + ": tensor=" + name + " row=" + row +
                        " could reach " + largest + ", above the limit of " + PRE_ACTIVATION_LIMIT);
            }
        }
    }
}
