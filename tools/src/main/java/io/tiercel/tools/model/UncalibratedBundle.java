package io.tiercel.tools.model;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.tools.matrix.FloatMatrix;
import java.nio.file.Path;
import java.util.Map;

/**
 * Bundles from weights that are in memory, made by the very code behind {@code model quantize}, without rows to
 * calibrate with: features are taken as normalised and held within six deviations, hidden values within ±1.
 *
 * <p>Any thread. Needs twice the bundle's size on the heap beside it while it is made, and tries 24 scales on each
 * weight, which takes seconds for tens of millions.
 */
public final class UncalibratedBundle {

    private UncalibratedBundle() {
    }

    /**
     * A regression with matrices as PyTorch holds them: row-major, gates in the order i f g o. H is the head's columns.
     *
     * @param name      what errors call it; no file.
     * @param input     [layer][4H * inputs of the layer].
     * @param recurrent [layer][4H * H].
     * @param bias      [layer][4H].
     * @param head      [outputs * H].
     * @param headBias  [outputs].
     * @throws io.tiercel.appliance.engine.bundle.BundleException if the engine could not compute with them.
     */
    public static Bundle of(
            final String name, final WeightFormat format, final float[][] input, final float[][] recurrent,
            final float[][] bias, final float[] head, final float[] headBias) {
        final int hidden = head.length / headBias.length;
        final int rows = 4 * hidden;
        final FloatLstm.Layer[] layers = new FloatLstm.Layer[input.length];
        for (int i = 0; i < layers.length; i++) {
            layers[i] = new FloatLstm.Layer(
                    new FloatMatrix(rows, input[i].length / rows, input[i]),
                    new FloatMatrix(rows, hidden, recurrent[i]),
                    bias[i]);
        }
        final FloatLstm lstm = new FloatLstm(layers, new FloatMatrix(headBias.length, hidden, head), headBias);
        final QuantiseSettings settings = new QuantiseSettings().task(Manifest.Task.REGRESSION).conclude(lstm);
        final byte[] file = new LstmQuantiser(lstm, settings, settings.normalisation(), Calibration.none(lstm))
                .quantise(format, Map.of())
                .toBytes();
        return Bundle.of(Path.of(name), file);
    }
}
