package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.lstm.LstmLayerParameters;

/** One layer as the forward pass reads it; immutable. Keeps none of the bundle's bytes, only what it computes with. */
final class LstmLayer {

    final QuantisedMatrix input;
    final QuantisedMatrix recurrent;
    final float[] inputScales;
    final float[] recurrentScales;
    final float[] biases;
    final float inverseHiddenScale;

    LstmLayer(final LstmLayerParameters parameters) {
        input = new QuantisedMatrix(parameters.input());
        recurrent = new QuantisedMatrix(parameters.recurrent());
        inputScales = parameters.inputScales();
        recurrentScales = parameters.recurrentScales();
        biases = parameters.biases();
        inverseHiddenScale = parameters.inverseHiddenScale();
    }
}
