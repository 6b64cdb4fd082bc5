package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.transformer.RotaryParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.LlamaWeights;
import io.tiercel.tools.llama.TokenizerTensors;
import io.tiercel.tools.matrix.FloatMatrix;
import io.tiercel.tools.matrix.MatrixQuantiser;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A network in fp32, and what its attention was seen to do, to a bundle. The same input gives the same bytes. */
public final class TransformerQuantiser {

    private final LlamaModel model;
    private final LlamaShape shape;
    private final TransformerSettings settings;
    private final CacheCalibration calibration;
    private final int activationMaximum;

    private TransformerQuantiser(
            final LlamaModel model, final TransformerSettings settings, final CacheCalibration calibration) {
        this.model = model;
        this.settings = settings;
        this.calibration = calibration;
        shape = model.shape();
        activationMaximum = (1 << settings.activationBits() - 1) - 1;
    }

    /**
     * Looks at the network's attention over some tokens and makes the bundle.
     *
     * @param sequences  tokens, each sequence from its beginning; not empty.
     * @param provenance free text by key.
     * @param accuracy   what was measured of it.
     */
    public static BundleWriter quantise(
            final LlamaModel model, final TransformerSettings settings, final List<int[]> sequences,
            final Map<String, String> provenance, final Map<String, Object> accuracy) {
        return quantise(model, settings,
                CacheCalibration.of(model.weights(), sequences, settings.window(), settings.context()), provenance,
                accuracy);
    }

    /** The same with codecs that several bundles of the network share. */
    public static BundleWriter quantise(
            final LlamaModel model, final TransformerSettings settings, final CacheCalibration calibration,
            final Map<String, String> provenance, final Map<String, Object> accuracy) {
        return new TransformerQuantiser(model, settings, calibration).bundle(provenance, accuracy);
    }

    private BundleWriter bundle(final Map<String, String> provenance, final Map<String, Object> accuracy) {
        final BundleWriter bundle = new BundleWriter(manifest(provenance, accuracy));
        final LlamaWeights weights = model.weights();
        matrix(bundle, "embedding", settings.headFormat(), shape.dimension(), weights.embedding());
        writeRotary(bundle);
        bundle.floats("norm.epsilon", new float[] {shape.normEpsilon()}, 1);
        for (int i = 0; i < shape.layerCount(); i++) {
            writeLayer(bundle, i, weights.layers().get(i));
        }
        bundle.floats("final.norm", weights.finalNorm(), shape.dimension());
        if (!shape.isHeadTied()) {
            matrix(bundle, "head", settings.headFormat(), shape.dimension(), weights.head());
        }
        if (model.tokenizer() != null) {
            TokenizerTensors.write(model.tokenizer(), bundle::floats, bundle::bytes);
        }
        return bundle;
    }

    private Manifest manifest(final Map<String, String> provenance, final Map<String, Object> accuracy) {
        final Map<String, Integer> sizes = new LinkedHashMap<>();
        sizes.put("layers", shape.layerCount());
        sizes.put("dimension", shape.dimension());
        sizes.put("heads", shape.headCount());
        sizes.put("keyValueHeads", shape.keyValueHeadCount());
        sizes.put("headSize", shape.headSize());
        sizes.put("hidden", shape.hiddenCount());
        sizes.put("vocabulary", shape.vocabularySize());
        sizes.put("context", settings.context());
        sizes.put("window", settings.window());
        sizes.put("sinks", settings.sinks());
        sizes.put("experts", shape.expertCount());
        sizes.put("activeExperts", shape.activeExperts());
        sizes.put("tiedHead", shape.isHeadTied() ? 1 : 0);
        final List<String> labels = new ArrayList<>();
        for (int i = 1; i <= settings.top(); i++) {
            labels.add("token " + i);
            labels.add("probability " + i);
        }
        try {
            return new Manifest(TransformerParameters.FAMILY, sizes, List.of("token"), labels, Task.TOKENS,
                    new Manifest.Quantisation(
                            settings.weights(), settings.headFormat(), Byte.SIZE, settings.activationBits()),
                    settings.cache(), provenance, accuracy);
        } catch (final IllegalArgumentException ex) {
            throw new ModelInputException(ex.getMessage(), ex);
        }
    }

    private void writeRotary(final BundleWriter bundle) {
        final int pairs = shape.headSize() / 2;
        final ByteBuffer steps = ByteBuffer.allocate(pairs * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < pairs; i++) {
            final double circles = StrictMath.pow(shape.ropeTheta(), -i / (double) pairs) / (2 * Math.PI);
            // Below a half, and of 53 bits: so it is exact as a whole number of 2^-64ths.
            steps.putLong((long) (circles * 0x1p63) << 1 | (long) (circles * 0x1p64 % 2));
        }
        bundle.bytes("rotary.steps", DType.I64, steps.array(), pairs);
        final float[] circle = new float[2 * RotaryParameters.CIRCLE];
        for (int i = 0; i < RotaryParameters.CIRCLE; i++) {
            final double angle = 2 * Math.PI * i / RotaryParameters.CIRCLE;
            circle[2 * i] = (float) StrictMath.cos(angle);
            circle[2 * i + 1] = (float) StrictMath.sin(angle);
        }
        bundle.floats("rotary.circle", circle, RotaryParameters.CIRCLE, 2);
    }

    private void writeLayer(final BundleWriter bundle, final int index, final LlamaWeights.Layer layer) {
        final String name = "layers." + index;
        final WeightFormat format = settings.weights();
        final int dimension = shape.dimension();
        bundle.floats(name + ".attention.norm", layer.attentionNorm(), dimension);
        matrix(bundle, name + ".attention.input", format, dimension, layer.query(), layer.key(), layer.value());
        matrix(bundle, name + ".attention.output", format, shape.queryWidth(), layer.output());
        final boolean isRotated = settings.cache().rotation() == Rotation.HADAMARD;
        calibration.keys(index, settings, isRotated).write(bundle, name + ".keys");
        calibration.values(index, settings, isRotated).write(bundle, name + ".values");
        bundle.floats(name + ".feed.norm", layer.feedForwardNorm(), dimension);
        if (layer.router() != null) {
            matrix(bundle, name + ".router", settings.headFormat(), dimension, layer.router());
        }
        for (int i = 0; i < shape.feedForwardCount(); i++) {
            final String expert = name + ".experts." + i;
            matrix(bundle, expert + ".input", format, dimension, layer.gate()[i], layer.up()[i]);
            matrix(bundle, expert + ".output", format, shape.hiddenCount(), layer.down()[i]);
        }
    }

    private void matrix(
            final BundleWriter bundle, final String name, final WeightFormat format, final int columns,
            final float[]... parts) {
        final double[] even = new double[columns];
        Arrays.fill(even, 1);
        new MatrixQuantiser(FloatMatrix.stacked(columns, parts), even, activationMaximum).write(bundle, name, format);
    }
}
