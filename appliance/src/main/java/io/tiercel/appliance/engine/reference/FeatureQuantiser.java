package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.exact.Elementwise;
import io.tiercel.appliance.engine.lstm.LstmParameters;

/**
 * Features to integers: {@code normal = (x - mean) * inverseDeviation}, then
 * {@code q = rint(hold(normal * (1 / scale), ±maximum))}, ties to even. One scale for the vector, from calibration, so
 * that a matrix row's sum has one scale. A value beyond {@code scale x maximum} deviations is held there.
 */
final class FeatureQuantiser {

    private final float[] means;
    private final float[] inverseDeviations;
    private final float inverseScale;
    private final int maximum;

    FeatureQuantiser(final LstmParameters parameters) {
        means = parameters.featureMeans();
        inverseDeviations = parameters.inverseFeatureDeviations();
        inverseScale = parameters.inverseFeatureScale();
        maximum = parameters.featureMaximum();
    }

    /** Normalises {@code features} in place and quantises it. */
    void quantise(final float[] features, final int[] quantised) {
        for (int i = 0; i < means.length; i++) {
            features[i] = (features[i] - means[i]) * inverseDeviations[i];
        }
        Elementwise.quantise(features, inverseScale, maximum, quantised, means.length);
    }
}
