package io.tiercel.nativecuda;

import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.transformer.FeatureParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.engine.transformer.TransformerShape;

/** A {@code transformer} bundle's sizes and numbers, in the order in which native kernels take them. */
public final class TransformerSizes {

    private TransformerSizes() {
    }

    /** As {@code enum tiercel_transformer_size} has them. */
    public static int[] of(final TransformerParameters parameters) {
        final TransformerShape shape = parameters.shape();
        final int outputs = parameters.isTokens() ? 0 : parameters.hasSoftmax() ? 1 : 2;
        return new int[] {
            shape.layers(), shape.dimension(), shape.heads(), shape.keyValueHeads(), shape.headSize(), shape.hidden(),
            shape.vocabulary(), parameters.manifest().featureCount(), parameters.logitCount(), parameters.top(),
            shape.context(), shape.window(), shape.sinks(), shape.experts(), shape.activeExperts(),
            shape.isHeadTied() ? 1 : 0,
            bits(parameters.manifest().quantisation().weights()), bits(parameters.manifest().quantisation().head()),
            parameters.activationMaximum(), parameters.manifest().quantisation().featureMaximum(),
            parameters.cache().keys().bits(), parameters.cache().keys().channels(),
            parameters.cache().values().bits(), parameters.cache().values().channels(),
            parameters.isRotated() ? 1 : 0, outputs, parameters.layout().planes()
        };
    }

    /** Norm epsilon, softmax scale, rotation scale, feature scale and its inverse; 0 where there are no features. */
    public static float[] numbers(final TransformerParameters parameters) {
        final FeatureParameters features = parameters.features();
        return new float[] {
            parameters.normEpsilon(), parameters.softmaxScale(), parameters.rotationScale(),
            features == null ? 0 : features.scale(), features == null ? 0 : features.inverseScale()
        };
    }

    private static int bits(final WeightFormat format) {
        return switch (format) {
            case INT4 -> 4;
            case INT8 -> 8;
            case INT16 -> 16;
        };
    }
}
