package io.tiercel.appliance.engine.lstm;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.matrix.MatrixParameters;

/**
 * The numbers of an {@code lstm} bundle, validated, apart from how a backend holds them: a stack of layers and a dense
 * head. Manifest shape {@code layers}, {@code hidden}. Immutable, any thread; arrays come out as they are held and are
 * not to be changed. What was multiplied or inverted here was rounded once, and every backend uses that very number.
 *
 * <p>Tensors: {@code features.mean}, {@code features.inverse_deviation} F32 [features], {@code features.scale} F32
 * [1]; those of {@link LstmLayerParameters}; {@code head} (see {@link MatrixParameters}) of [outputs, hidden],
 * {@code head.bias} F32 [outputs].
 */
public final class LstmParameters {

    public static final String FAMILY = "lstm";
    public static final int MAX_LAYERS = 16;
    public static final int MAX_HIDDEN = 4096;

    /** The largest magnitude of a quantised hidden value: qh is int8 in every bundle. */
    public static final int HIDDEN_MAXIMUM = 127;

    /** Sums before a gate, and the head's, stay below this, so nothing becomes infinite. */
    private static final double SUM_LIMIT = 1e30;

    private final Manifest manifest;
    private final int hiddenCount;
    private final float[] featureMeans;
    private final float[] inverseFeatureDeviations;
    private final float featureScale;
    private final float inverseFeatureScale;
    private final LstmLayerParameters[] layers;
    private final MatrixParameters head;
    private final float[] headScales;
    private final float[] headBiases;

    private LstmParameters(final Bundle bundle) {
        manifest = bundle.manifest();
        bundle.quantisation();
        checkFormat(bundle, "weights", layerFormat());
        checkFormat(bundle, "head", headFormat());
        if (manifest.task() == Manifest.Task.TOKENS || manifest.cache() != null) {
            throw new BundleException(bundle.path() + ": manifest has task=tokens or a cache, family=" + FAMILY +
                    " has neither");
        }
        if (manifest.quantisation().activationBits() != Byte.SIZE) {
            throw new BundleException(bundle.path() + ": manifest key=quantisation.activationBits value=" +
                    manifest.quantisation().activationBits() + " is not " + Byte.SIZE + ", as for family=" + FAMILY);
        }
        layers = new LstmLayerParameters[bundle.size("layers", MAX_LAYERS)];
        hiddenCount = bundle.size("hidden", MAX_HIDDEN);
        featureMeans = bundle.floats("features.mean", featureCount());
        inverseFeatureDeviations = bundle.positiveFloats("features.inverse_deviation", featureCount());
        featureScale = vectorScale(bundle, "features.scale");
        inverseFeatureScale = 1f / featureScale;
        for (int i = 0; i < layers.length; i++) {
            layers[i] = i == 0
                    ? LstmLayerParameters.read(bundle, i, hiddenCount, featureCount(), featureMaximum(), featureScale)
                    : LstmLayerParameters.read(bundle, i, hiddenCount, hiddenCount, HIDDEN_MAXIMUM,
                            layers[i - 1].hiddenScale());
        }
        head = MatrixParameters.read(bundle, "head", headFormat(), outputCount(), hiddenCount, HIDDEN_MAXIMUM);
        headScales = head.scalesWith(layers[layers.length - 1].hiddenScale());
        headBiases = bundle.floats("head.bias", outputCount());
        checkHeadSums(bundle);
    }

    /**
     * Reads all that a backend of the family needs; the bundle may be dropped afterwards.
     *
     * @throws BundleException if the tensors disagree with the manifest or could leave the arithmetic's range.
     */
    public static LstmParameters read(final Bundle bundle) {
        return new LstmParameters(bundle);
    }

    /** 1..{@value #MAX_LAYERS}. */
    public int layerCount() {
        return layers.length;
    }

    /** H, 1..{@value #MAX_HIDDEN}. */
    public int hiddenCount() {
        return hiddenCount;
    }

    public int featureCount() {
        return manifest.featureCount();
    }

    public int outputCount() {
        return manifest.outputCount();
    }

    /** How the matrices of the layers are held, all alike. */
    public WeightFormat layerFormat() {
        return manifest.quantisation().weights();
    }

    public WeightFormat headFormat() {
        return manifest.quantisation().head();
    }

    /** The largest magnitude of a quantised feature: 127 or 32,767. */
    public int featureMaximum() {
        return manifest.quantisation().featureMaximum();
    }

    /** Whether the outputs are probabilities, by softmax over the head. */
    public boolean hasSoftmax() {
        return manifest.task() == Manifest.Task.CLASSIFICATION;
    }

    /** [features]. */
    public float[] featureMeans() {
        return featureMeans;
    }

    /** [features], above zero. */
    public float[] inverseFeatureDeviations() {
        return inverseFeatureDeviations;
    }

    /** Of a quantised feature; one for the vector, so that a matrix row's sum has one scale. */
    public float featureScale() {
        return featureScale;
    }

    /** 1 / feature scale, rounded once. */
    public float inverseFeatureScale() {
        return inverseFeatureScale;
    }

    public LstmLayerParameters layer(final int index) {
        return layers[index];
    }

    /** [outputs, H]. */
    public MatrixParameters head() {
        return head;
    }

    /** [outputs]: row scale x hidden scale of the last layer, rounded once. */
    public float[] headScales() {
        return headScales;
    }

    /** [outputs]. */
    public float[] headBiases() {
        return headBiases;
    }

    /** The scale of a quantised vector. What it is quantised with is the inverse, so that must be a number too. */
    static float vectorScale(final Bundle bundle, final String name) {
        final float scale = bundle.positiveFloats(name, 1)[0];
        if (Float.isInfinite(1f / scale)) {
            throw new BundleException(bundle.path() + ": tensor=" + name + " index=0 value=" + scale +
                    " has no finite inverse");
        }
        return scale;
    }

    /** @param largest magnitude that the row's scaled product and its bias can have together; maybe not a number. */
    static void checkSum(final Bundle bundle, final String name, final int row, final double largest) {
        if (!(largest < SUM_LIMIT)) {
            throw new BundleException(bundle.path() + ": tensor=" + name + " row=" + row + " could reach " + largest +
                    ", above the limit of " + SUM_LIMIT);
        }
    }

    private static void checkFormat(final Bundle bundle, final String key, final WeightFormat format) {
        if (format == WeightFormat.INT16) {
            throw new BundleException(bundle.path() + ": manifest key=quantisation." + key +
                    " value=int16 is not for family=" + FAMILY);
        }
    }

    private void checkHeadSums(final Bundle bundle) {
        for (int row = 0; row < headBiases.length; row++) {
            final double largest = (double) head.rowMagnitude(row) * headScales[row] + Math.abs(headBiases[row]);
            checkSum(bundle, "head", row, largest);
        }
    }
}
