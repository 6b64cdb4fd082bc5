package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.Bundle;

/**
 * Features to integers: {@code normal = (x - mean) * inverseDeviation}, then
 * {@code q = rint(hold(normal * (1 / scale), ±maximum))}, ties to even. One scale for the vector, from calibration, so
 * that a matrix row's sum has one scale. A value beyond {@code scale x maximum} deviations is held there.
 *
 * <p>Tensors: {@code features.mean}, {@code features.inverse_deviation} F32 [features], {@code features.scale} F32 [1].
 */
final class FeatureQuantiser {

    private final float[] means;
    private final float[] inverseDeviations;
    private final float scale;
    private final float inverseScale;
    private final int maximum;

    FeatureQuantiser(final Bundle bundle) {
        final int featureCount = bundle.manifest().featureCount();
        means = bundle.floats("features.mean", featureCount);
        inverseDeviations = bundle.positiveFloats("features.inverse_deviation", featureCount);
        scale = bundle.positiveFloats("features.scale", 1)[0];
        inverseScale = 1f / scale;
        maximum = bundle.manifest().quantisation().featureMaximum();
    }

    float scale() {
        return scale;
    }

    int maximum() {
        return maximum;
    }

    /** Normalises {@code features} in place and quantises it. */
    void quantise(final float[] features, final int[] quantised) {
        for (int i = 0; i < means.length; i++) {
            features[i] = (features[i] - means[i]) * inverseDeviations[i];
        }
        Elementwise.quantise(features, inverseScale, maximum, quantised, means.length);
    }
}
