package io.tiercel.tools.model;

import static io.tiercel.appliance.engine.lstm.LstmParameters.HIDDEN_MAXIMUM;

import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.matrix.MatrixQuantiser;
import java.util.LinkedHashMap;
import java.util.Map;

/** Makes the tensors and the manifest of an {@code lstm} bundle. The same inputs give the same bytes. */
final class LstmQuantiser {

    private final FloatLstm lstm;
    private final QuantiseSettings settings;
    private final Normalisation normalisation;
    private final Calibration calibration;

    LstmQuantiser(
            final FloatLstm lstm, final QuantiseSettings settings, final Normalisation normalisation,
            final Calibration calibration) {
        this.lstm = lstm;
        this.settings = settings;
        this.normalisation = normalisation;
        this.calibration = calibration;
    }

    BundleWriter quantise(final WeightFormat weights, final Map<String, Object> accuracy) {
        final Manifest manifest = manifest(weights, accuracy);
        final BundleWriter bundle = new BundleWriter(manifest);
        final int featureMaximum = manifest.quantisation().featureMaximum();
        final float featureScale = calibration.featureScale(featureMaximum);
        bundle.floats("features.mean", normalisation.means(), lstm.featureCount());
        bundle.floats("features.inverse_deviation", normalisation.inverseDeviations(), lstm.featureCount());
        bundle.floats("features.scale", new float[] {featureScale}, 1);
        for (int i = 0; i < lstm.layerCount(); i++) {
            final FloatLstm.Layer layer = lstm.layer(i);
            final String name = "layers." + i;
            final double[] inputSquares =
                    i == 0 ? calibration.featureMeanSquares() : calibration.hiddenMeanSquares(i - 1);
            new MatrixQuantiser(layer.input(), inputSquares, i == 0 ? featureMaximum : HIDDEN_MAXIMUM)
                    .write(bundle, name + ".input", weights);
            new MatrixQuantiser(layer.recurrent(), calibration.hiddenMeanSquares(i), HIDDEN_MAXIMUM)
                    .write(bundle, name + ".recurrent", weights);
            bundle.floats(name + ".bias", layer.bias(), layer.bias().length);
            bundle.floats(name + ".hidden.scale", new float[] {calibration.hiddenScale(i, HIDDEN_MAXIMUM)}, 1);
        }
        new MatrixQuantiser(lstm.head(), calibration.hiddenMeanSquares(lstm.layerCount() - 1), HIDDEN_MAXIMUM)
                .write(bundle, "head", WeightFormat.INT8);
        bundle.floats("head.bias", lstm.headBias(), lstm.outputCount());
        return bundle;
    }

    private Manifest manifest(final WeightFormat weights, final Map<String, Object> accuracy) {
        final Map<String, Integer> shape = new LinkedHashMap<>();
        shape.put("layers", lstm.layerCount());
        shape.put("hidden", lstm.hiddenCount());
        try {
            return new Manifest(LstmParameters.FAMILY, shape, settings.featureNames(), settings.labels(),
                    settings.task(),
                    new Manifest.Quantisation(weights, WeightFormat.INT8, settings.featureBits()),
                    settings.provenance(),
                    accuracy);
        } catch (final IllegalArgumentException ex) {
            throw new ModelInputException(ex.getMessage(), ex);
        }
    }
}
