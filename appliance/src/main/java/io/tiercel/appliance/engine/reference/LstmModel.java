package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.protocol.journal.Arithmetic;

/**
 * A stack of LSTM layers and a dense head: manifest shape {@code layers}, {@code hidden}. Immutable.
 *
 * <p>Further tensors: {@code head} (see {@link QuantisedMatrix}) of [outputs, hidden], {@code head.bias} F32 [outputs];
 * and those of {@link FeatureQuantiser} and {@link LstmLayer}.
 */
public final class LstmModel implements Model {

    public static final String FAMILY = "lstm";
    public static final int MAX_LAYERS = 16;
    public static final int MAX_HIDDEN = 4096;

    final int hiddenCount;
    final FeatureQuantiser featureQuantiser;
    final LstmLayer[] layers;
    final QuantisedMatrix head;
    final float[] headScales;
    final float[] headBiases;
    final boolean softmax;
    final LstmStateLayout layout;

    private final ModelShape shape;

    private LstmModel(final Bundle bundle) {
        final Manifest manifest = bundle.manifest();
        final int layerCount = bundle.size("layers", MAX_LAYERS);
        hiddenCount = bundle.size("hidden", MAX_HIDDEN);
        featureQuantiser = new FeatureQuantiser(bundle);
        layers = new LstmLayer[layerCount];
        for (int i = 0; i < layerCount; i++) {
            layers[i] = i == 0
                    ? new LstmLayer(bundle, i, hiddenCount, manifest.featureCount(), featureQuantiser.maximum(),
                            featureQuantiser.scale())
                    : new LstmLayer(bundle, i, hiddenCount, hiddenCount, LstmLayer.HIDDEN_MAXIMUM,
                            layers[i - 1].hiddenScale);
        }
        head = QuantisedMatrix.read(bundle, "head", manifest.quantisation().head(), manifest.outputCount(),
                hiddenCount, LstmLayer.HIDDEN_MAXIMUM);
        headScales = head.scalesWith(layers[layerCount - 1].hiddenScale);
        headBiases = bundle.floats("head.bias", manifest.outputCount());
        softmax = manifest.task() == Manifest.Task.CLASSIFICATION;
        layout = new LstmStateLayout(layerCount, hiddenCount);
        shape = new ModelShape(FAMILY, manifest.featureCount(), manifest.outputCount(), layout.stateBytes(),
                layout.canonicalBytes());
    }

    /** @throws io.tiercel.appliance.engine.bundle.BundleException if the tensors disagree with the manifest. */
    public static LstmModel load(final Bundle bundle) {
        return new LstmModel(bundle);
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
