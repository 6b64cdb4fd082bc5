package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.lstm.LstmStateLayout;
import io.tiercel.protocol.journal.Arithmetic;

/** A stack of LSTM layers and a dense head, held as the forward pass reads them. Immutable. */
public final class LstmModel implements Model {

    final int hiddenCount;
    final FeatureQuantiser featureQuantiser;
    final LstmLayer[] layers;
    final QuantisedMatrix head;
    final float[] headScales;
    final float[] headBiases;
    final boolean hasSoftmax;
    final LstmStateLayout layout;

    private final ModelShape shape;

    private LstmModel(final LstmParameters parameters) {
        hiddenCount = parameters.hiddenCount();
        featureQuantiser = new FeatureQuantiser(parameters);
        layers = new LstmLayer[parameters.layerCount()];
        for (int i = 0; i < layers.length; i++) {
            layers[i] = new LstmLayer(parameters.layer(i));
        }
        head = new QuantisedMatrix(parameters.head());
        headScales = parameters.headScales();
        headBiases = parameters.headBiases();
        hasSoftmax = parameters.hasSoftmax();
        layout = new LstmStateLayout(layers.length, hiddenCount, 4 * hiddenCount);
        shape = new ModelShape(LstmParameters.FAMILY, parameters.featureCount(), parameters.outputCount(),
                layout.stateBytes(), layout.canonicalBytes());
    }

    /** @throws io.tiercel.appliance.engine.bundle.BundleException if the tensors disagree with the manifest. */
    public static LstmModel load(final Bundle bundle) {
        return new LstmModel(LstmParameters.read(bundle));
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    @Override
    public Arithmetic arithmetic() {
        return Arithmetic.EXACT;
    }

    @Override
    public ModelExecutor newExecutor(final int maxBatch) {
        return new LstmExecutor(this);
    }

    @Override
    public void close() {
        // Heap memory only.
    }
}
