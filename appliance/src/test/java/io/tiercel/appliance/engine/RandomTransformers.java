package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Valid {@code transformer} bundles with random weights, of a size that a trained model's are: attention is neither
 * uniform nor of one token. The same setting gives the same bytes.
 */
public final class RandomTransformers {

    private final TransformerSetting setting;
    private final WhenFull whenFull;
    private final SplittableRandom random;
    private final BundleWriter writer;

    private RandomTransformers(final TransformerSetting setting, final WhenFull whenFull) {
        this.setting = setting;
        this.whenFull = whenFull;
        random = new SplittableRandom(setting.seed());
        writer = new BundleWriter(manifest());
    }

    /** The bundle in memory; its path is only a name. */
    public static Bundle bundle(final TransformerSetting setting) {
        return Bundle.of(Path.of("transformer-" + setting.seed()), toBytes(setting));
    }

    public static byte[] toBytes(final TransformerSetting setting) {
        return toBytes(setting, WhenFull.SLIDE);
    }

    public static byte[] toBytes(final TransformerSetting setting, final WhenFull whenFull) {
        return new RandomTransformers(setting, whenFull).write().toBytes();
    }

    /** Writes a small bundle that takes tokens, and refuses more than a context of them; returns the file. */
    public static Path writeTokens(final long seed, final int context, final Path directory) {
        return write(TransformerSetting.tokens(seed, context), WhenFull.REFUSE, directory);
    }

    /** Writes a small bundle that takes feature vectors without end; returns the file. */
    public static Path writeFeatures(final long seed, final int context, final Path directory) {
        return write(TransformerSetting.features(seed, context), WhenFull.SLIDE, directory);
    }

    /** Writes a bundle into a directory under a name of its own; returns the file. */
    public static Path write(final TransformerSetting setting, final WhenFull whenFull, final Path directory) {
        final Path file = directory.resolve("transformer-" + setting.seed() + "-" + setting.vocabulary() + "-" +
                setting.context() + "-" + whenFull + ".safetensors");
        try {
            return Files.write(file, toBytes(setting, whenFull));
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    private Manifest manifest() {
        final Map<String, Integer> shape = new LinkedHashMap<>();
        shape.put("layers", setting.layers());
        shape.put("dimension", setting.dimension());
        shape.put("heads", setting.heads());
        shape.put("keyValueHeads", setting.keyValueHeads());
        shape.put("headSize", setting.headSize());
        shape.put("hidden", setting.hidden());
        shape.put("vocabulary", setting.vocabulary());
        shape.put("context", setting.context());
        shape.put("window", setting.window());
        shape.put("sinks", setting.sinks());
        shape.put("experts", setting.experts());
        shape.put("activeExperts", setting.activeExperts());
        shape.put("tiedHead", setting.isHeadTied() ? 1 : 0);
        final List<String> features = setting.vocabulary() > 0
                ? List.of("token")
                : IntStream.range(0, setting.features()).mapToObj(i -> "f_" + i).toList();
        final List<String> labels = IntStream.range(0, setting.outputs()).mapToObj(i -> "label " + i).toList();
        return new Manifest(
                "transformer", shape, features, labels, setting.task(),
                new Manifest.Quantisation(
                        setting.weights(), setting.head(), setting.activationBits(), setting.activationBits()),
                new CacheFormat(setting.keys(), setting.values(),
                        setting.isRotated() ? Rotation.HADAMARD : Rotation.NONE, whenFull, setting.recentBits()),
                Map.of("origin", "random, seed " + setting.seed()),
                Map.of());
    }

    private BundleWriter write() {
        final int dimension = setting.dimension();
        if (setting.vocabulary() > 0) {
            matrix("embedding", setting.head(), setting.vocabulary(), dimension);
        } else {
            writer.floats("features.mean", floats(setting.features(), -1, 1), setting.features());
            writer.floats("features.inverse_deviation", floats(setting.features(), 0.5, 2), setting.features());
            writer.floats("features.scale", new float[] {5f / ((1 << (setting.activationBits() - 1)) - 1)}, 1);
            matrix("embedding", setting.head(), dimension, setting.features());
            writer.floats("embedding.bias", floats(dimension, -0.5, 0.5), dimension);
        }
        rotary();
        writer.floats("norm.epsilon", new float[] {1e-5f}, 1);
        for (int i = 0; i < setting.layers(); i++) {
            layer("layers." + i);
        }
        writer.floats("final.norm", floats(dimension, 0.5, 1.5), dimension);
        final int logits = setting.task() == Task.TOKENS ? setting.vocabulary() : setting.outputs();
        if (!setting.isHeadTied()) {
            matrix("head", setting.head(), logits, dimension);
        }
        if (setting.task() != Task.TOKENS) {
            writer.floats("head.bias", floats(logits, -0.5, 0.5), logits);
        }
        return writer;
    }

    private void rotary() {
        final int pairs = setting.headSize() / 2;
        final ByteBuffer steps = ByteBuffer.allocate(pairs * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < pairs; i++) {
            steps.putLong((long) (StrictMath.pow(10_000, -i / (double) pairs) / (2 * Math.PI) * 0x1p63) * 2);
        }
        writer.bytes("rotary.steps", DType.I64, steps.array(), pairs);
        final float[] circle = new float[512];
        for (int i = 0; i < 256; i++) {
            circle[2 * i] = (float) StrictMath.cos(2 * Math.PI * i / 256);
            circle[2 * i + 1] = (float) StrictMath.sin(2 * Math.PI * i / 256);
        }
        writer.floats("rotary.circle", circle, 256, 2);
    }

    private void layer(final String name) {
        final int dimension = setting.dimension();
        final int queries = setting.heads() * setting.headSize();
        final int keys = setting.keyValueHeads() * setting.headSize();
        writer.floats(name + ".attention.norm", floats(dimension, 0.5, 1.5), dimension);
        matrix(name + ".attention.input", setting.weights(), queries + 2 * keys, dimension);
        matrix(name + ".attention.output", setting.weights(), dimension, queries);
        codec(name + ".keys", setting.keys());
        codec(name + ".values", setting.values());
        writer.floats(name + ".feed.norm", floats(dimension, 0.5, 1.5), dimension);
        if (setting.experts() > 0) {
            matrix(name + ".router", setting.head(), setting.experts(), dimension);
        }
        for (int i = 0; i < Math.max(1, setting.experts()); i++) {
            matrix(name + ".experts." + i + ".input", setting.weights(), 2 * setting.hidden(), dimension);
            matrix(name + ".experts." + i + ".output", setting.weights(), dimension, setting.hidden());
        }
    }

    /** Keys and values are some standard deviations of 1 wide here; some are held. */
    private void codec(final String name, final Codec codec) {
        final int heads = setting.keyValueHeads();
        final int channels = setting.headSize();
        final int count = heads * channels;
        writer.floats(name + ".mean", floats(count, -0.5, 0.5), heads, channels);
        final double largest = setting.recentBits() == 8 ? 127 : 32_639;
        writer.floats(name + ".scale", floats(count, 1.5 / largest, 3 / largest), heads, channels);
        if (codec.isCoupled()) {
            final byte[] codebook = new byte[count * 256];
            random.nextBytes(codebook);
            writer.bytes(name + ".codebook", DType.I8, codebook,
                    heads, channels / codec.channels(), 256, codec.channels());
        } else if (codec.hasSteps()) {
            writer.floats(name + ".step", floats(count, 0.2, 0.8), heads, channels);
            final ByteBuffer reciprocals = ByteBuffer.allocate(count * 4).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < count; i++) {
                reciprocals.putInt(1 + random.nextInt(1 << (9 + codec.bits())));
            }
            writer.bytes(name + ".reciprocal", DType.I32, reciprocals.array(), heads, channels);
        }
    }

    private void matrix(final String name, final WeightFormat format, final int rows, final int columns) {
        if (format == WeightFormat.INT16) {
            final ByteBuffer codes = ByteBuffer.allocate(2 * rows * columns).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < rows * columns; i++) {
                codes.putShort((short) random.nextInt(-32_639, 32_640));
            }
            writer.bytes(name + ".weight", DType.I16, codes.array(), rows, columns);
            writer.floats(name + ".scale", scales(rows, 2 / Math.sqrt(columns) / 32_640), rows);
        } else {
            RandomModels.matrix(writer, random, name, format, rows, columns);
        }
    }

    private float[] scales(final int rows, final double middle) {
        return floats(rows, 0.5 * middle, 1.5 * middle);
    }

    private float[] floats(final int count, final double low, final double high) {
        return RandomModels.floats(random, count, low, high);
    }
}
