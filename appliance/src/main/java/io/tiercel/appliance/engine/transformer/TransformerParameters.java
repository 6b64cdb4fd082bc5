package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.matrix.MatrixParameters;

/**
 * The numbers of a {@code transformer} bundle, validated, apart from how a backend holds them: the Llama shape with a
 * cache of integers. Immutable, any thread; arrays come out as they are held and are not to be changed.
 *
 * <p>Tensors: {@code embedding}, a matrix (see {@link MatrixParameters}) of [V, D] whose row is the token's, or, if a
 * step's input is a feature vector, of [D, features] with {@code embedding.bias} F32 [D] and {@code features.mean},
 * {@code features.inverse_deviation} F32 [features], {@code features.scale} F32 [1]; {@code rotary.*} (see
 * {@link RotaryParameters}); {@code norm.epsilon} F32 [1]; those of {@link TransformerLayerParameters};
 * {@code final.norm} F32 [D]; {@code head}, a matrix of [outputs or V, D], unless it is tied to the embedding;
 * {@code head.bias} F32 [outputs] unless the task is tokens.
 *
 * <p>A tokens model puts out the {@code top} likeliest next tokens: for each the token, int32, then its probability,
 * binary32.
 */
public final class TransformerParameters {

    public static final String FAMILY = "transformer";

    /** Of the likeliest next tokens, that an answer names. */
    public static final int MAX_TOP = 64;

    private static final double LOG2_E = 0x1.71547652b82fep0;

    private final Manifest manifest;
    private final TransformerShape shape;
    private final TransformerStateLayout layout;
    private final MatrixParameters embedding;
    private final FeatureParameters features;
    private final RotaryParameters rotary;
    private final float normEpsilon;
    private final TransformerLayerParameters[] layers;
    private final float[] finalNorm;
    private final MatrixParameters head;
    private final float[] headBiases;

    private TransformerParameters(final Bundle bundle) {
        manifest = bundle.manifest();
        shape = TransformerShape.read(bundle);
        checkManifest(bundle);
        layout = layout(bundle);
        final int vectorMaximum = activationMaximum();
        final int dimension = shape.dimension();
        embedding = shape.hasTokens()
                ? MatrixParameters.read(bundle, "embedding", manifest.quantisation().head(), shape.vocabulary(),
                        dimension, vectorMaximum)
                : MatrixParameters.read(bundle, "embedding", manifest.quantisation().head(), dimension,
                        manifest.featureCount(), manifest.quantisation().featureMaximum());
        features = shape.hasTokens() ? null : new FeatureParameters(bundle, dimension);
        rotary = RotaryParameters.read(bundle, shape.headSize());
        normEpsilon = bundle.positiveFloats("norm.epsilon", 1)[0];
        layers = new TransformerLayerParameters[shape.layers()];
        for (int i = 0; i < layers.length; i++) {
            layers[i] = new TransformerLayerParameters(bundle, shape, i);
        }
        finalNorm = bundle.floats("final.norm", dimension);
        head = shape.isHeadTied()
                ? embedding
                : MatrixParameters.read(
                        bundle, "head", manifest.quantisation().head(), logitCount(), dimension, vectorMaximum);
        headBiases = isTokens() ? null : bundle.floats("head.bias", manifest.outputCount());
        checkRanges(bundle);
    }

    /**
     * Reads all that a backend of the family needs; the bundle may be dropped afterwards.
     *
     * @throws BundleException if the tensors disagree with the manifest or could leave the arithmetic's range.
     */
    public static TransformerParameters read(final Bundle bundle) {
        return new TransformerParameters(bundle);
    }

    public TransformerShape shape() {
        return shape;
    }

    public TransformerStateLayout layout() {
        return layout;
    }

    /** What the pipeline needs to know; the same with every backend. */
    public ModelShape modelShape() {
        return new ModelShape(FAMILY, manifest.featureCount(), manifest.outputCount(), layout.stateBytes(),
                layout.canonicalBytes(), shape.vocabulary(), contextTokens(),
                manifest.task() == Manifest.Task.TOKENS);
    }

    /** Tokens that a session takes before it is full; 0 if the oldest makes room. */
    public int contextTokens() {
        return manifest.cache().whenFull() == WhenFull.REFUSE ? shape.context() : 0;
    }

    public Manifest manifest() {
        return manifest;
    }

    public CacheFormat cache() {
        return manifest.cache();
    }

    public boolean isRotated() {
        return manifest.cache().rotation() == Rotation.HADAMARD;
    }

    /** The largest magnitude of a quantised activation: 127 or 32,767. */
    public int activationMaximum() {
        return manifest.quantisation().activationMaximum();
    }

    /** [V, D], or of feature vectors [D, features]. */
    public MatrixParameters embedding() {
        return embedding;
    }

    /** Null if a step's input is a token. */
    public FeatureParameters features() {
        return features;
    }

    public RotaryParameters rotary() {
        return rotary;
    }

    /** Added to a mean square, above zero. */
    public float normEpsilon() {
        return normEpsilon;
    }

    /** The largest magnitude of an integer of a key or value in the window: 127, or 32,639 in two planes. */
    public int recentMaximum() {
        return CodecParameters.recentMaximum(manifest.cache());
    }

    /** The largest magnitude of a query's integers: 127, or 16,383 where the window has 16 bits. */
    public int queryMaximum() {
        return manifest.cache().recentBits() == Byte.SIZE ? Byte.MAX_VALUE : (1 << 14) - 1;
    }

    /** log2(e) / sqrt(d): what turns a query's product with a key into an exponent of two. */
    public float softmaxScale() {
        return (float) (LOG2_E / Math.sqrt(shape.headSize()));
    }

    /** 1 / sqrt(d): what keeps lengths through a butterfly. */
    public float rotationScale() {
        return (float) (1 / Math.sqrt(shape.headSize()));
    }

    public TransformerLayerParameters layer(final int index) {
        return layers[index];
    }

    /** [D]. */
    public float[] finalNorm() {
        return finalNorm;
    }

    /** [logits, D]. */
    public MatrixParameters head() {
        return head;
    }

    /** [outputs]; null if the task is tokens. */
    public float[] headBiases() {
        return headBiases;
    }

    /** Whether an answer is of the likeliest next tokens. */
    public boolean isTokens() {
        return manifest.task() == Task.TOKENS;
    }

    /** Whether the outputs are probabilities, by softmax over the logits. */
    public boolean hasSoftmax() {
        return manifest.task() == Task.CLASSIFICATION;
    }

    /** Rows of the head: the vocabulary's tokens, or the outputs. */
    public int logitCount() {
        return isTokens() ? shape.vocabulary() : manifest.outputCount();
    }

    /** Of the likeliest next tokens, how many an answer names; 0 if the task is another one. */
    public int top() {
        return isTokens() ? manifest.outputCount() / 2 : 0;
    }

    private void checkManifest(final Bundle bundle) {
        bundle.quantisation();
        if (manifest.cache() == null) {
            throw new BundleException(bundle.path() + ": manifest key=cache is missing");
        }
        require(bundle, !isRotated() || Integer.bitCount(shape.headSize()) == 1, "shape.headSize", shape.headSize(),
                "a power of two, which rotation=hadamard needs");
        require(bundle, manifest.cache().recentBits() == Byte.SIZE || shape.codedTokens() == 0, "shape.context",
                shape.context(), "sinks + window=" + shape.recentTokens() + ", which cache.recentBits=16 needs");
        require(bundle, !isTokens() || shape.hasTokens(), "shape.vocabulary", 0, "above 0, which task=tokens needs");
        require(bundle, !shape.hasTokens() || manifest.featureCount() == 1, "features", manifest.featureCount(),
                "one name: a step's input is a token");
        require(bundle, !isTokens() || manifest.outputCount() % 2 == 0 && top() <= Math.min(MAX_TOP, logitCount()),
                "labels", manifest.outputCount(), "two names for each of the likeliest tokens, at most " +
                        Math.min(MAX_TOP, shape.vocabulary()) + " of them");
        require(bundle, !shape.isHeadTied() || isTokens(), "shape.tiedHead", 1, "0, as task is not tokens");
    }

    private static void require(
            final Bundle bundle, final boolean isTrue, final String key, final int value, final String what) {
        if (!isTrue) {
            throw new BundleException(bundle.path() + ": manifest key=" + key + " value=" + value + " is not " + what);
        }
    }

    private TransformerStateLayout layout(final Bundle bundle) {
        try {
            return new TransformerStateLayout(shape, cache());
        } catch (final ArithmeticException ex) {
            throw new BundleException(bundle.path() + ": manifest key=shape.context value=" + shape.context() +
                    " needs a state of 2 GiB or more", ex);
        }
    }

    private void checkRanges(final Bundle bundle) {
        final Bounds bounds = new Bounds(bundle, shape.dimension(), activationMaximum());
        double residual = features == null
                ? bounds.largestProduct("embedding", embedding, 1)
                : features.largest(embedding);
        bounds.check("embedding", 0, residual);
        for (int i = 0; i < layers.length; i++) {
            residual += layers[i].largestChange(shape, "layers." + i, bounds);
            bounds.check("layers." + i, 0, residual);
        }
        final double[] logits = bounds.products("head", head, bounds.norm("final.norm", finalNorm));
        for (int row = 0; headBiases != null && row < logits.length; row++) {
            bounds.check("head", row, logits[row] + Math.abs((double) headBiases[row]));
        }
    }
}
