package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.transformer.TransformerLayerParameters;
import io.tiercel.appliance.engine.transformer.TransformerShape;

/** One layer as the forward pass reads it; immutable. */
final class TransformerLayer {

    final float[] attentionNorm;
    final ScaledMatrix attentionInput;
    final ScaledMatrix attentionOutput;
    final TransformerCodec keys;
    final TransformerCodec values;
    final float[] feedNorm;
    final ScaledMatrix router;
    final ScaledMatrix[] expertInputs;
    final ScaledMatrix[] expertOutputs;

    TransformerLayer(final TransformerLayerParameters parameters, final TransformerShape shape,
            final int recentMaximum) {
        attentionNorm = parameters.attentionNorm();
        attentionInput = new ScaledMatrix(parameters.attentionInput());
        attentionOutput = new ScaledMatrix(parameters.attentionOutput());
        keys = new TransformerCodec(parameters.keys(), shape.headSize(), recentMaximum);
        values = new TransformerCodec(parameters.values(), shape.headSize(), recentMaximum);
        feedNorm = parameters.feedNorm();
        router = shape.hasRouter() ? new ScaledMatrix(parameters.router()) : null;
        expertInputs = new ScaledMatrix[shape.feedForwards()];
        expertOutputs = new ScaledMatrix[shape.feedForwards()];
        for (int i = 0; i < expertInputs.length; i++) {
            expertInputs[i] = new ScaledMatrix(parameters.expertInput(i));
            expertOutputs[i] = new ScaledMatrix(parameters.expertOutput(i));
        }
    }
}
