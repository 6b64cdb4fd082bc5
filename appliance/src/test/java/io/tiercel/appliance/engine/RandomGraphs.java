package io.tiercel.appliance.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Tolerance;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Small ONNX graphs with random weights, as a file and as a bundle, for tests of whatever serves them: the same
 * settings and seed give the same bytes. Outputs are {@code tanh(W x + b)}, x being the window's rows one after the
 * other; {@link #expected} computes them in double precision.
 *
 * <p>The file is written as the protobuf messages of {@code onnx/onnx.proto}, field by field: IR version 8, operator
 * set 17.
 */
public final class RandomGraphs {

    public static final String INPUT = "rows";
    public static final String OUTPUT = "scores";

    private static final int FLOAT = 1;
    private static final int INT_ATTRIBUTE = 2;
    private static final int INTS_ATTRIBUTE = 7;

    private final long seed;
    private int rowCount = 4;
    private int columnCount = 3;
    private int outputCount = 2;
    private boolean hasBatches = true;
    private boolean isMixed;
    private Task task = Task.REGRESSION;
    private boolean hasSoftmax;
    private Tolerance tolerance = new Tolerance(1e-5, 1e-4);

    private RandomGraphs(final long seed) {
        this.seed = seed;
    }

    public static RandomGraphs dense(final long seed) {
        return new RandomGraphs(seed);
    }

    public RandomGraphs rows(final int count) {
        rowCount = count;
        return this;
    }

    public RandomGraphs columns(final int count) {
        columnCount = count;
        return this;
    }

    public RandomGraphs outputs(final int count) {
        outputCount = count;
        return this;
    }

    /** A graph that takes one position at a time. */
    public RandomGraphs withoutBatches() {
        hasBatches = false;
        return this;
    }

    /** A graph whose outputs depend on what else is in the batch: from each the batch's mean is taken. */
    public RandomGraphs mixed() {
        isMixed = true;
        return this;
    }

    /** Probabilities, by a softmax that is not in the graph. */
    public RandomGraphs softmax() {
        hasSoftmax = true;
        task = Task.CLASSIFICATION;
        return this;
    }

    public RandomGraphs tolerance(final double absolute, final double relative) {
        tolerance = new Tolerance(absolute, relative);
        return this;
    }

    public Manifest manifest() {
        final int batch = hasBatches ? GraphFormat.ANY_BATCH : 1;
        return new Manifest(
                "onnx",
                Map.of("window", rowCount),
                IntStream.range(0, columnCount).mapToObj(i -> "f_" + i).toList(),
                IntStream.range(0, outputCount).mapToObj(i -> "label " + i).toList(),
                task,
                null,
                null,
                new GraphFormat(INPUT, List.of(batch, rowCount, columnCount), OUTPUT, List.of(batch, outputCount),
                        hasSoftmax, tolerance),
                Map.of("origin", "random, seed " + seed),
                Map.of());
    }

    public byte[] toBytes() {
        return writer().toBytes();
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

    /** [columns], of the bundle. */
    public float[] means() {
        return floats(2, columnCount, -1, 1);
    }

    /** [columns], of the bundle, above zero. */
    public float[] inverseDeviations() {
        return floats(3, columnCount, 0.5, 2);
    }

    /** What the graph makes of a window of normalised rows, the oldest first, before any softmax. */
    public double[] expected(final float[] window) {
        final float[] weights = weights();
        final double[] outputs = new double[outputCount];
        for (int output = 0; output < outputCount; output++) {
            double sum = biases()[output];
            for (int i = 0; i < window.length; i++) {
                sum += (double) weights[output * window.length + i] * window[i];
            }
            outputs[output] = Math.tanh(sum);
        }
        return outputs;
    }

    /** The ONNX file. */
    public byte[] graph() {
        final List<byte[]> graph = new ArrayList<>();
        graph.add(node("Flatten", List.of(INPUT), "flat", attribute("axis", 1)));
        graph.add(node("Gemm", List.of("flat", "W", "b"), "sums", attribute("transB", 1)));
        graph.add(node("Tanh", List.of("sums"), isMixed ? "tanh" : OUTPUT));
        if (isMixed) {
            graph.add(node("ReduceMean", List.of("tanh"), "mean", message(
                    text(1, "axes"), integer(8, 0), integer(20, INTS_ATTRIBUTE))));
            graph.add(node("Sub", List.of("tanh", "mean"), OUTPUT));
        }
        graph.add(text(2, "dense"));
        graph.add(bytes(5, tensor("W", weights(), outputCount, rowCount * columnCount)));
        graph.add(bytes(5, tensor("b", biases(), outputCount)));
        graph.add(bytes(11, value(INPUT, rowCount, columnCount)));
        graph.add(bytes(12, value(OUTPUT, outputCount)));
        return message(
                integer(1, 8), // ModelProto.ir_version
                bytes(7, message(graph.toArray(byte[][]::new))), // graph
                bytes(8, message(integer(2, 17)))); // opset_import
    }

    private String fileName() {
        return "onnx-" + rowCount + "x" + columnCount + "-" + outputCount + "-" + seed + ".safetensors";
    }

    private BundleWriter writer() {
        final byte[] graph = graph();
        return new BundleWriter(manifest())
                .floats("features.mean", means(), columnCount)
                .floats("features.inverse_deviation", inverseDeviations(), columnCount)
                .bytes("graph", DType.U8, graph, graph.length);
    }

    private float[] weights() {
        final double limit = 1 / Math.sqrt(rowCount * columnCount);
        return floats(0, outputCount * rowCount * columnCount, -limit, limit);
    }

    private float[] biases() {
        return floats(1, outputCount, -0.5, 0.5);
    }

    private float[] floats(final int stream, final int count, final double from, final double to) {
        final SplittableRandom random = new SplittableRandom(seed * 4 + stream);
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(from, to);
        }
        return values;
    }

    /** {@code NodeProto}, in {@code GraphProto.node}. */
    private static byte[] node(
            final String operator, final List<String> operands, final String result, final byte[]... attributes) {
        final List<byte[]> fields = new ArrayList<>();
        operands.forEach(operand -> fields.add(text(1, operand)));
        fields.add(text(2, result));
        fields.add(text(4, operator));
        for (final byte[] attribute : attributes) {
            fields.add(bytes(5, attribute));
        }
        return bytes(1, message(fields.toArray(byte[][]::new)));
    }

    private static byte[] attribute(final String name, final int value) {
        return message(text(1, name), integer(3, value), integer(20, INT_ATTRIBUTE));
    }

    /** {@code TensorProto}: dims, data_type, name, raw_data. */
    private static byte[] tensor(final String name, final float[] values, final int... shape) {
        final ByteBuffer raw = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        raw.asFloatBuffer().put(values);
        final List<byte[]> fields = new ArrayList<>();
        for (final int size : shape) {
            fields.add(integer(1, size));
        }
        fields.add(integer(2, FLOAT));
        fields.add(text(8, name));
        fields.add(bytes(9, raw.array()));
        return message(fields.toArray(byte[][]::new));
    }

    /** {@code ValueInfoProto}: a tensor of floats with a batch in front. */
    private byte[] value(final String name, final int... shape) {
        final List<byte[]> sizes = new ArrayList<>();
        sizes.add(bytes(1, hasBatches ? text(2, "batch") : integer(1, 1)));
        for (final int size : shape) {
            sizes.add(bytes(1, integer(1, size)));
        }
        final byte[] tensorType = message(integer(1, FLOAT), bytes(2, message(sizes.toArray(byte[][]::new))));
        return message(text(1, name), bytes(2, bytes(1, tensorType)));
    }

    private static byte[] message(final byte[]... fields) {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (final byte[] field : fields) {
            out.writeBytes(field);
        }
        return out.toByteArray();
    }

    private static byte[] text(final int field, final String value) {
        return bytes(field, value.getBytes(UTF_8));
    }

    /** Wire type 2: a length, and so many bytes. */
    private static byte[] bytes(final int field, final byte[] value) {
        return message(varint(field << 3 | 2), varint(value.length), value);
    }

    /** Wire type 0. */
    private static byte[] integer(final int field, final int value) {
        return message(varint(field << 3), varint(value));
    }

    private static byte[] varint(final int value) {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        int rest = value;
        for (; rest >>> 7 != 0; rest >>>= 7) {
            out.write(rest & 0x7F | 0x80);
        }
        out.write(rest);
        return out.toByteArray();
    }
}
