package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Manifest.Quantisation;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.matrix.MatrixParameters;

/**
 * One layer as the bundle holds it, validated; immutable, any thread. Arrays come out as they are held: not to be
 * changed.
 *
 * <p>Tensors, under {@code layers.N}: {@code .attention.norm} F32 [D]; {@code .attention.input}, a matrix of
 * [(H + 2 K) d, D]: the rows of queries, keys, values; {@code .attention.output} [D, H d]; {@code .keys} and
 * {@code .values} (see {@link CodecParameters}); {@code .feed.norm} F32 [D]; with experts {@code .router} [E, D]; for
 * each expert, or for the one feed-forward layer, {@code .experts.E.input} [2 F, D]: the rows of the gate, then those
 * of what it gates; {@code .experts.E.output} [D, F].
 */
public final class TransformerLayerParameters {

    private final float[] attentionNorm;
    private final MatrixParameters attentionInput;
    private final MatrixParameters attentionOutput;
    private final CodecParameters keys;
    private final CodecParameters values;
    private final float[] feedNorm;
    private final MatrixParameters router;
    private final MatrixParameters[] expertInputs;
    private final MatrixParameters[] expertOutputs;

    TransformerLayerParameters(final Bundle bundle, final TransformerShape shape, final int layer) {
        final String name = "layers." + layer;
        final Quantisation quantisation = bundle.manifest().quantisation();
        final WeightFormat format = quantisation.weights();
        final int maximum = quantisation.activationMaximum();
        final int dimension = shape.dimension();
        attentionNorm = bundle.floats(name + ".attention.norm", dimension);
        attentionInput = MatrixParameters.read(
                bundle, name + ".attention.input", format, shape.attentionInputRows(), dimension, maximum);
        attentionOutput = MatrixParameters.read(
                bundle, name + ".attention.output", format, dimension, shape.queryCount(), maximum);
        keys = CodecParameters.read(bundle, name + ".keys", bundle.manifest().cache().keys(), shape);
        values = CodecParameters.read(bundle, name + ".values", bundle.manifest().cache().values(), shape);
        feedNorm = bundle.floats(name + ".feed.norm", dimension);
        router = shape.hasRouter()
                ? MatrixParameters.read(
                        bundle, name + ".router", quantisation.head(), shape.experts(), dimension, maximum)
                : null;
        expertInputs = new MatrixParameters[shape.feedForwards()];
        expertOutputs = new MatrixParameters[shape.feedForwards()];
        for (int i = 0; i < expertInputs.length; i++) {
            final String expert = name + ".experts." + i;
            expertInputs[i] = MatrixParameters.read(
                    bundle, expert + ".input", format, 2 * shape.hidden(), dimension, maximum);
            expertOutputs[i] = MatrixParameters.read(
                    bundle, expert + ".output", format, dimension, shape.hidden(), maximum);
        }
    }

    /** [D]. */
    public float[] attentionNorm() {
        return attentionNorm;
    }

    /** [(H + 2 K) d, D]. */
    public MatrixParameters attentionInput() {
        return attentionInput;
    }

    /** [D, H d]. */
    public MatrixParameters attentionOutput() {
        return attentionOutput;
    }

    public CodecParameters keys() {
        return keys;
    }

    public CodecParameters values() {
        return values;
    }

    /** [D]. */
    public float[] feedNorm() {
        return feedNorm;
    }

    /** [E, D]; null without experts. */
    public MatrixParameters router() {
        return router;
    }

    /** [2 F, D]. */
    public MatrixParameters expertInput(final int expert) {
        return expertInputs[expert];
    }

    /** [D, F]. */
    public MatrixParameters expertOutput(final int expert) {
        return expertOutputs[expert];
    }

    /**
     * By how much the layer can move an element of the residual stream at most.
     *
     * @throws BundleException if a number on the way could leave its range.
     */
    double largestChange(final TransformerShape shape, final String name, final Bounds bounds) {
        final double[] projected = bounds.products(
                name + ".attention.input", attentionInput, bounds.norm(name + ".attention.norm", attentionNorm));
        double query = 0;
        for (int row = 0; row < shape.queryCount(); row++) {
            query = Math.max(query, projected[row]);
        }
        double attended = 0;
        for (int i = 0; i < shape.keyCount(); i++) {
            // A query, whose channels rotation mixes, meets what keys are divided by; d times it, since a butterfly
            // makes it up to sqrt(d) times as large and a score is the sum of d products, divided by sqrt(d). Values
            // are held to what their codes can say.
            bounds.check(name + ".keys.scale", i, query * keys.largest(i) * shape.headSize());
            final double value = Math.abs((double) values.means()[i]) + 2 * values.largest(i);
            bounds.check(name + ".values.scale", i, value);
            attended = Math.max(attended, value);
        }
        attended *= Math.sqrt(shape.headSize());
        final double attention = bounds.largestProduct(name + ".attention.output", attentionOutput, attended);
        final double normed = bounds.norm(name + ".feed.norm", feedNorm);
        if (router != null) {
            bounds.largestProduct(name + ".router", router, normed);
        }
        double feed = 0;
        for (int i = 0; i < expertInputs.length; i++) {
            final String expert = name + ".experts." + i;
            final double[] gates = bounds.products(expert + ".input", expertInputs[i], normed);
            double hidden = 0;
            for (int unit = 0; unit < shape.hidden(); unit++) {
                hidden = Math.max(hidden, gates[unit] * gates[shape.hidden() + unit]);
            }
            bounds.check(expert + ".input", 0, hidden);
            feed = Math.max(feed, bounds.largestProduct(expert + ".output", expertOutputs[i], hidden));
        }
        return attention + feed * 2;
    }
}
