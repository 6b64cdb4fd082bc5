package io.tiercel.tools.model;

import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.NoBackendException;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.graph.GraphException;
import io.tiercel.nativecuda.graph.GraphSignature;
import io.tiercel.nativecuda.graph.GraphSignature.Port;
import io.tiercel.nativecuda.onnxruntime.OnnxGraphs;
import io.tiercel.nativecuda.onnxruntime.OnnxRuntimeBackend;
import io.tiercel.protocol.Sha256;
import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.model.OnnxImportOptions.Outputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * An ONNX file to a bundle. What the graph says of itself is taken from it; the bundle is loaded once as an appliance
 * loads it before it is written, so what cannot be served is not imported.
 */
final class OnnxImport {

    private final Path file;
    private final OnnxImportOptions options;
    private final byte[] graph;

    OnnxImport(final Path file, final OnnxImportOptions options) throws IOException {
        this.file = file;
        this.options = options;
        graph = read(file);
        final String external = OnnxExternalData.find(graph);
        if (external != null) {
            throw new ModelInputException(file + ": " + external + ": weights stand in a file of their own, expected "
                    + "all of them in this one, as Python's onnx.save_model(onnx.load(path), path) writes it");
        }
    }

    /**
     * Writes the bundle.
     *
     * @return it, as written.
     * @throws NoBackendException if ONNX Runtime cannot be used here.
     */
    Bundle write(final Path output) throws IOException {
        final GraphSignature signature = readSignature();
        if (signature.inputs().size() != 1) {
            throw new ModelInputException(file + ": inputs=" + signature.inputs() + ", expected one: rows of features");
        }
        final Map.Entry<String, Port> input = signature.inputs().entrySet().iterator().next();
        final String outputName = outputName(signature);
        final boolean hasBatches = !options.oneAtATime && isAnyBatch(input.getValue()) &&
                isAnyBatch(signature.outputs().get(outputName));
        final List<Integer> inputShape = shape("input " + input.getKey(), input.getValue(), hasBatches, options.window);
        final List<Integer> outputShape = shape(
                "output " + outputName, signature.outputs().get(outputName), hasBatches, null);
        final int columns = inputShape.get(inputShape.size() - 1);
        final List<String> features = features(columns);
        final Normalisation normalisation = options.normaliseFile == null
                ? Normalisation.none(columns)
                : Normalisation.ofRows(options.normaliseFile, features, options.pools);
        final Manifest manifest = manifest(features, GraphFormat.elementCount(inputShape) / columns, new GraphFormat(
                input.getKey(), inputShape, outputName, outputShape, options.outputs == Outputs.LOGITS, tolerance()));
        final BundleWriter writer = new BundleWriter(manifest)
                .floats("features.mean", normalisation.means(), columns)
                .floats("features.inverse_deviation", normalisation.inverseDeviations(), columns)
                .bytes("graph", DType.U8, graph, graph.length);
        final Bundle bundle = Bundle.of(output, writer.toBytes());
        new OnnxRuntimeBackend().load(bundle, 1).close();
        writer.write(output);
        return bundle;
    }

    private static byte[] read(final Path file) throws IOException {
        try {
            final long size = Files.size(file);
            if (size == 0 || size > SafetensorsReader.MAX_FILE_BYTES / 2) {
                throw new ModelInputException(file + ": size=" + size + " is not in 1.." +
                        SafetensorsReader.MAX_FILE_BYTES / 2);
            }
            return Files.readAllBytes(file);
        } catch (final NoSuchFileException ex) {
            throw new ModelInputException(file + ": no such file", ex);
        }
    }

    private GraphSignature readSignature() {
        final BackendProbe probe = new OnnxRuntimeBackend().probe();
        if (!probe.available()) {
            throw new NoBackendException("backend=" + OnnxRuntimeBackend.NAME + ": " + probe.detail());
        }
        try {
            return OnnxGraphs.signature(graph);
        } catch (final GraphException ex) {
            throw new ModelInputException(file + ": " + ex.getMessage(), ex);
        }
    }

    private String outputName(final GraphSignature signature) {
        if (options.graphOutput == null && signature.outputs().size() != 1) {
            throw new ModelInputException(
                    file + ": outputs=" + signature.outputs() + ": which is the answer? --graph-output");
        }
        final String name = options.graphOutput == null
                ? signature.outputs().keySet().iterator().next()
                : options.graphOutput;
        if (!signature.outputs().containsKey(name)) {
            throw new ModelInputException("--graph-output=" + name + " is not among " + signature.outputs());
        }
        return name;
    }

    private static boolean isAnyBatch(final Port port) {
        return port.shape() != null && !port.shape().isEmpty() && port.shape().get(0) == GraphFormat.ANY_BATCH;
    }

    /**
     * The shape of a port with its batch, and with the rows that the graph leaves open.
     *
     * @param rows of the window, if the user has said so; null for none, or for an output.
     */
    private List<Integer> shape(final String name, final Port port, final boolean hasBatches, final Integer rows) {
        if (port.shape() == null || port.shape().size() < 2) {
            throw new ModelInputException(
                    file + ": " + name + " is " + port + ", expected a tensor of floats with a batch " +
                            "in front");
        }
        final List<Integer> shape = new ArrayList<>(port.shape());
        shape.set(0, hasBatches ? GraphFormat.ANY_BATCH : 1);
        final int rowDimension = shape.size() - 2;
        if (rows != null && rowDimension > 0 && shape.get(rowDimension) == -1) {
            shape.set(rowDimension, rows);
        }
        if (shape.subList(1, shape.size()).contains(-1) || !port.fits(shape)) {
            throw new ModelInputException(file + ": " + name + " is " + port + ", which cannot be " + shape +
                    ": its type must be FLOAT, its batch 1 or open, and --window can say how many rows it has");
        }
        final int columns = shape.get(shape.size() - 1);
        if (rows != null && GraphFormat.elementCount(shape) != (long) rows * columns) {
            throw new ModelInputException(
                    "--window=" + rows + " rows of " + columns + ", but " + name + " of " + file + " is " + port);
        }
        return shape;
    }

    private List<String> features(final int columns) throws IOException {
        if (options.features == null && options.normaliseFile == null) {
            return IntStream.range(0, columns).mapToObj(i -> "f_" + i).toList();
        }
        final List<String> names = options.features == null
                ? RowReader.featureNames(options.normaliseFile)
                : options.features;
        if (names.size() != columns) {
            throw new ModelInputException((options.features == null ? options.normaliseFile + ":" : "--features:") +
                    " names=" + names.size() + ", but a row of " + file + " has " + columns);
        }
        return names;
    }

    private Tolerance tolerance() {
        try {
            return new Tolerance(options.absolute, options.relative);
        } catch (final IllegalArgumentException ex) {
            throw new ModelInputException("--" + ex.getMessage(), ex);
        }
    }

    private Manifest manifest(final List<String> features, final int window, final GraphFormat format) {
        final int outputCount = GraphFormat.elementCount(format.outputShape());
        final List<String> labels = options.labels == null
                ? IntStream.range(0, outputCount).mapToObj(i -> "output_" + i).toList()
                : options.labels;
        if (labels.size() != outputCount) {
            throw new ModelInputException("--labels: names=" + labels.size() + ", but " + file + " has outputs=" +
                    outputCount);
        }
        final Map<String, String> provenance = new LinkedHashMap<>();
        provenance.put("source", file.getFileName().toString());
        provenance.put("sourceSha256", HexFormat.of().formatHex(Sha256.of(graph)));
        if (options.normaliseFile != null) {
            provenance.put("normalisation", options.normaliseFile.getFileName() +
                    (options.pools.isEmpty() ? "" : ", pooled by " + String.join(", ", options.pools)));
        }
        try {
            return new Manifest(GraphParameters.FAMILY, Map.of("window", window), features, labels,
                    options.outputs == Outputs.SCORES ? Task.REGRESSION : Task.CLASSIFICATION, null, null, format,
                    provenance, Map.of());
        } catch (final IllegalArgumentException ex) {
            throw new ModelInputException(file + ": " + ex.getMessage(), ex);
        }
    }
}
