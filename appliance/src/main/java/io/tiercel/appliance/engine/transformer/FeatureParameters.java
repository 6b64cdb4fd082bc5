package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.matrix.MatrixParameters;

/**
 * How a feature vector becomes integers and then the first residual stream; as in the {@code lstm} family, and a bias.
 * Immutable, any thread; arrays come out as they are held.
 */
public final class FeatureParameters {

    private final float[] means;
    private final float[] inverseDeviations;
    private final float scale;
    private final float inverseScale;
    private final int maximum;
    private final float[] biases;

    FeatureParameters(final Bundle bundle, final int dimension) {
        final int count = bundle.manifest().featureCount();
        means = bundle.floats("features.mean", count);
        inverseDeviations = bundle.positiveFloats("features.inverse_deviation", count);
        scale = bundle.positiveFloats("features.scale", 1)[0];
        inverseScale = 1f / scale;
        if (Float.isInfinite(inverseScale)) {
            throw new BundleException(bundle.path() + ": tensor=features.scale index=0 value=" + scale +
                    " has no finite inverse");
        }
        maximum = bundle.manifest().quantisation().featureMaximum();
        biases = bundle.floats("embedding.bias", dimension);
    }

    /** [features]. */
    public float[] means() {
        return means;
    }

    /** [features], above zero. */
    public float[] inverseDeviations() {
        return inverseDeviations;
    }

    /** Of a quantised feature. */
    public float scale() {
        return scale;
    }

    /** 1 / scale, rounded once. */
    public float inverseScale() {
        return inverseScale;
    }

    /** The largest magnitude of a quantised feature: 127 or 32,767. */
    public int maximum() {
        return maximum;
    }

    /** [D]: of the embedding. */
    public float[] biases() {
        return biases;
    }

    /** The largest magnitude of an element of the residual stream; a row of zeros counts as one with a weight of 1. */
    double largest(final MatrixParameters embedding) {
        double largest = 0;
        for (int row = 0; row < biases.length; row++) {
            final long magnitude = Math.max(embedding.rowMagnitude(row), maximum);
            largest = Math.max(largest, (double) magnitude * embedding.rowScales()[row] * scale +
                    Math.abs((double) biases[row]));
        }
        return largest;
    }
}
