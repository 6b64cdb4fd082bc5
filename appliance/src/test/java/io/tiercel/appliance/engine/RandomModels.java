package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Valid bundles with random weights, for tests of anything that serves a model. The same settings and seed give the
 * same bytes, and so the same version. Weights are of the size that a trained model's are, so that gates neither
 * saturate nor stand still.
 *
 * <pre>
 *   Path bundle = RandomModels.lstm(seed).layers(2).hidden(64).features(12).outputs(3).write(directory);
 * </pre>
 */
public final class RandomModels {

    private static final int GROUP_COLUMNS = 32;

    private final long seed;
    private int layerCount = 1;
    private int hiddenCount = 16;
    private int featureCount = 8;
    private int outputCount = 3;
    private int featureBits = 8;
    private WeightFormat weights = WeightFormat.INT8;
    private WeightFormat head = WeightFormat.INT8;
    private Task task = Task.CLASSIFICATION;

    private RandomModels(final long seed) {
        this.seed = seed;
    }

    public static RandomModels lstm(final long seed) {
        return new RandomModels(seed);
    }

    public RandomModels layers(final int count) {
        layerCount = count;
        return this;
    }

    public RandomModels hidden(final int count) {
        hiddenCount = count;
        return this;
    }

    public RandomModels features(final int count) {
        featureCount = count;
        return this;
    }

    public RandomModels outputs(final int count) {
        outputCount = count;
        return this;
    }

    public RandomModels featureBits(final int bits) {
        featureBits = bits;
        return this;
    }

    public RandomModels weights(final WeightFormat format) {
        weights = format;
        return this;
    }

    public RandomModels head(final WeightFormat format) {
        head = format;
        return this;
    }

    public RandomModels task(final Task newTask) {
        task = newTask;
        return this;
    }

    /** The bundle in memory; its path is only a name. */
    public Bundle bundle() {
        return Bundle.of(Path.of(fileName()), toBytes());
    }

    /** Writes the bundle into a directory under a name of its own; returns the file. */
    public Path write(final Path directory) {
        final Path file = directory.resolve(fileName());
        try {
            writer().write(file);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
        return file;
    }

    public byte[] toBytes() {
        return writer().toBytes();
    }

    private String fileName() {
        return "lstm-" + layerCount + "x" + hiddenCount + "-" + featureCount + "-" + outputCount + "-" +
                weights.name().toLowerCase(java.util.Locale.ROOT) + "-" + seed + ".safetensors";
    }

    private BundleWriter writer() {
        final SplittableRandom random = new SplittableRandom(seed);
        final Map<String, Integer> shape = new LinkedHashMap<>();
        shape.put("layers", layerCount);
        shape.put("hidden", hiddenCount);
        final BundleWriter writer = new BundleWriter(new Manifest(
                "lstm",
                shape,
                IntStream.range(0, featureCount).mapToObj(i -> "f_" + i).toList(),
                IntStream.range(0, outputCount).mapToObj(i -> "label " + i).toList(),
                task,
                new Manifest.Quantisation(weights, head, featureBits),
                Map.of("origin", "random, seed " + seed),
                Map.of()));
        writer.floats("features.mean", floats(random, featureCount, -1, 1), featureCount);
        writer.floats("features.inverse_deviation", floats(random, featureCount, 0.5, 2), featureCount);
        writer.floats("features.scale", new float[] {5f / ((1 << (featureBits - 1)) - 1)}, 1);
        for (int i = 0; i < layerCount; i++) {
            final String name = "layers." + i;
            final int inputCount = i == 0 ? featureCount : hiddenCount;
            matrix(writer, random, name + ".input", weights, 4 * hiddenCount, inputCount);
            matrix(writer, random, name + ".recurrent", weights, 4 * hiddenCount, hiddenCount);
            writer.floats(name + ".bias", floats(random, 4 * hiddenCount, -0.5, 0.5), 4 * hiddenCount);
            writer.floats(name + ".hidden.scale", new float[] {1f / 127}, 1);
        }
        matrix(writer, random, "head", head, outputCount, hiddenCount);
        writer.floats("head.bias", floats(random, outputCount, -0.5, 0.5), outputCount);
        return writer;
    }

    static void matrix(
            final BundleWriter writer, final SplittableRandom random, final String name, final WeightFormat format,
            final int rows, final int columns) {
        final double weightLimit = 2 / Math.sqrt(columns);
        if (format == WeightFormat.INT8) {
            final byte[] codes = new byte[rows * columns];
            random.nextBytes(codes);
            writer.bytes(name + ".weight", DType.I8, codes, rows, columns);
            writer.floats(name + ".scale", scales(random, rows, weightLimit / 128), rows);
            return;
        }
        final int groups = (columns + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
        final int rowBytes = groups * GROUP_COLUMNS / 2;
        final byte[] codes = new byte[rows * rowBytes];
        final byte[] multipliers = new byte[rows * groups];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                codes[row * rowBytes + column / 2] |= (byte) (random.nextInt(16) << (4 * (column & 1)));
            }
            for (int group = 0; group < groups; group++) {
                multipliers[row * groups + group] = (byte) (1 + random.nextInt(maximumMultiplier(columns)));
            }
        }
        writer.bytes(name + ".weight", DType.U8, codes, rows, rowBytes);
        writer.bytes(name + ".multiplier", DType.U8, multipliers, rows, groups);
        writer.floats(name + ".scale", scales(random, rows, weightLimit / 1024), rows);
    }

    /** The full range while no product with int16 vectors can leave 32 bits, less above. */
    private static int maximumMultiplier(final int columns) {
        return (int) Math.max(1, Math.min(255, Integer.MAX_VALUE / (8L * 32767 * columns)));
    }

    private static float[] scales(final SplittableRandom random, final int rows, final double middle) {
        return floats(random, rows, 0.5 * middle, 1.5 * middle);
    }

    static float[] floats(final SplittableRandom random, final int count, final double low, final double high) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(low, high);
        }
        return values;
    }
}
