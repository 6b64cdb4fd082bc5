package io.tiercel.tools.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import io.tiercel.tools.market.EventVocabulary;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** What a bundle says about itself, for a person or as JSON. */
final class BundleReport {

    private final Bundle bundle;
    private final Manifest manifest;

    BundleReport(final Bundle bundle) {
        this.bundle = bundle;
        manifest = bundle.manifest();
    }

    void print(final PrintWriter out) throws IOException {
        line(out, "bundle", bundle.path() + ", " + Files.size(bundle.path()) + " bytes");
        line(out, "version", bundle.versionHex());
        line(out, "family", manifest.family() + " " + manifest.shape());
        line(out, "task", lower(manifest.task()) + ": " + String.join(", ", manifest.labels()));
        if (manifest.graph() == null) {
            line(out, "quantisation", "weights " + lower(manifest.quantisation().weights()) + ", head " +
                    lower(manifest.quantisation().head()) + ", features " + manifest.quantisation().featureBits()
                    + " bits");
        } else {
            printGraph(out, manifest.graph());
        }
        manifest.provenance().forEach((key, value) -> line(out, key, value));
        printEvents(out);
        printFeatures(out);
        printTensors(out);
        printAccuracy(out);
    }

    void printJson(final PrintWriter out) throws IOException {
        final Map<String, Object> root = new LinkedHashMap<>();
        root.put("path", bundle.path().toString());
        root.put("bytes", Files.size(bundle.path()));
        root.put("version", bundle.versionHex());
        final ObjectMapper mapper = new ObjectMapper();
        try {
            root.put("manifest", mapper.readTree(manifest.toJson()));
            root.put("tensors", tensors());
            out.println(mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root));
        } catch (final JsonProcessingException ex) {
            throw new IllegalStateException("a checked manifest could not be written", ex);
        }
    }

    private List<Map<String, Object>> tensors() {
        final List<Map<String, Object>> tensors = new ArrayList<>();
        for (final TensorInfo tensor : bundle.tensors()) {
            final Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("name", tensor.name());
            entry.put("dtype", tensor.dtype().name());
            entry.put("shape", tensor.shape());
            entry.put("offset", tensor.offset());
            entry.put("bytes", tensor.length());
            tensors.add(entry);
        }
        return tensors;
    }

    private static void printGraph(final PrintWriter out, final GraphFormat graph) {
        line(out, "graph", graph.input() + graph.inputShape() + " to " + graph.output() + graph.outputShape() +
                (graph.softmax() ? ", then softmax" : ""));
        line(out, "tolerance", "absolute " + graph.tolerance().absolute() + ", relative " +
                graph.tolerance().relative());
    }

    private void printEvents(final PrintWriter out) {
        final EventVocabulary events = EventVocabulary.ofBundle(bundle);
        if (events == null) {
            return;
        }
        line(out, "events", events.toString());
        final int last = events.tokenCount() - 1;
        IntStream.of(0, 1, last / 2, last).distinct().forEach(token -> line(out, "  token " + token,
                String.format(Locale.ROOT, "%s, mean move %.3f %s", events.name(token), events.meanMove(token),
                        events.schema().moveUnit())));
    }

    private void printFeatures(final PrintWriter out) {
        if (!bundle.has("features.mean")) {
            return;
        }
        final float[] means = bundle.floats("features.mean", manifest.featureCount());
        final float[] inverse = bundle.floats("features.inverse_deviation", manifest.featureCount());
        out.printf(Locale.ROOT, "%n  %-32s %14s %14s%n", "feature", "mean", "deviation");
        for (int i = 0; i < means.length; i++) {
            out.printf(Locale.ROOT, "  %-32s %14.6g %14.6g%n", manifest.featureNames().get(i), means[i],
                    1 / inverse[i]);
        }
    }

    private void printTensors(final PrintWriter out) {
        out.printf(Locale.ROOT, "%n  %-32s %-6s %-16s %10s %10s%n", "tensor", "dtype", "shape", "offset", "bytes");
        for (final TensorInfo tensor : bundle.tensors()) {
            out.printf(Locale.ROOT, "  %-32s %-6s %-16s %10d %10d%n", tensor.name(), tensor.dtype(), tensor.shape(),
                    tensor.offset(), tensor.length());
        }
    }

    private void printAccuracy(final PrintWriter out) {
        if (manifest.accuracy().isEmpty()) {
            return;
        }
        out.println();
        out.println("  accuracy");
        manifest.accuracy().forEach((key, value) -> out.printf(Locale.ROOT, "    %-12s %s%n", key, value));
    }

    private static void line(final PrintWriter out, final String key, final String value) {
        out.printf(Locale.ROOT, "%-14s %s%n", key, value);
    }

    private static String lower(final Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
