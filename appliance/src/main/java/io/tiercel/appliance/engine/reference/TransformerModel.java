package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.matrix.MatrixParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.protocol.journal.Arithmetic;

/** A decoder of the Llama shape, held as the forward pass reads it. Immutable. */
public final class TransformerModel implements Model {

    final TransformerParameters parameters;
    /** Of tokens: the rows are looked up. Null if a step's input is a feature vector. */
    final MatrixParameters tokenEmbedding;
    /** Of feature vectors; null if a step's input is a token. */
    final ScaledMatrix featureEmbedding;
    final TransformerLayer[] layers;
    final ScaledMatrix head;

    private final ModelShape shape;

    private TransformerModel(final TransformerParameters parameters) {
        this.parameters = parameters;
        final boolean hasTokens = parameters.shape().hasTokens();
        tokenEmbedding = hasTokens ? parameters.embedding() : null;
        featureEmbedding = hasTokens ? null : new ScaledMatrix(parameters.embedding());
        layers = new TransformerLayer[parameters.shape().layers()];
        for (int i = 0; i < layers.length; i++) {
            layers[i] = new TransformerLayer(parameters.layer(i), parameters.shape(), parameters.recentMaximum());
        }
        head = new ScaledMatrix(parameters.head());
        shape = parameters.modelShape();
    }

    /** @throws io.tiercel.appliance.engine.bundle.BundleException if the tensors disagree with the manifest. */
    public static TransformerModel load(final Bundle bundle) {
        return new TransformerModel(TransformerParameters.read(bundle));
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
    public StatePages pages() {
        return parameters.layout().statePages();
    }

    @Override
    public TokenExecutor newExecutor(final int maxBatch) {
        return new TransformerExecutor(this, maxBatch);
    }

    @Override
    public void close() {
        // Heap memory only.
    }
}
