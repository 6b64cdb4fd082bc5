package io.tiercel.tools.market;

import static io.tiercel.tools.market.EventGrid.check;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * An {@link EventVocabulary} as JSON: {@code format}, {@code schema}, {@code moveUnit}, {@code edges} by kind and
 * field, {@code kept}, {@code table}, {@code meanMoves}, and for each token its name, which follows from the rest.
 * Numbers are the shortest decimals that read back as the same binary32.
 */
final class VocabularyJson {

    private static final int FORMAT = 1;
    private static final long MAX_FILE_BYTES = 4 << 20;
    private static final List<String> KEYS = List.of(
            "format", "schema", "moveUnit", "edges", "kept", "table", "meanMoves", "names");

    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).maxNumberLength(40).build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private VocabularyJson() {
    }

    static void write(final EventVocabulary vocabulary, final Path file) {
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            Files.writeString(file, text(vocabulary), StandardCharsets.UTF_8);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot write " + file + ": " + ex, ex);
        }
    }

    static EventVocabulary read(final Path file) {
        try {
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new BundleException(file + ": size=" + Files.size(file) + " is above " + MAX_FILE_BYTES);
            }
            return parse(file.toString(), MAPPER.readTree(Files.readAllBytes(file)));
        } catch (final JsonProcessingException ex) {
            throw new BundleException(file + ": vocabulary is not valid JSON: " + ex.getOriginalMessage(), ex);
        } catch (final IOException ex) {
            throw new BundleException(file + ": cannot be read: " + ex, ex);
        }
    }

    /** By hand: a line for each kind's edges and each token's name is what a reader of a diff wants to see. */
    static String text(final EventVocabulary vocabulary) {
        final EventSchema schema = vocabulary.schema();
        final EventGrid grid = vocabulary.grid();
        final StringBuilder text = new StringBuilder("{\n")
                .append("  \"format\": ").append(FORMAT).append(",\n")
                .append("  \"schema\": \"").append(schema.text()).append("\",\n")
                .append("  \"moveUnit\": \"").append(schema.moveUnit()).append("\",\n")
                .append("  \"edges\": {\n");
        for (int kind = 0; kind < schema.kinds().size(); kind++) {
            final int each = kind;
            text.append("    \"").append(schema.kinds().get(kind)).append("\": {")
                    .append(IntStream.range(0, schema.fields().size())
                            .mapToObj(field -> "\"" + schema.fields().get(field) + "\": " +
                                    Arrays.toString(grid.edges(each, field)))
                            .collect(Collectors.joining(", ")))
                    .append(kind + 1 < schema.kinds().size() ? "},\n" : "}\n");
        }
        return text.append("  },\n")
                .append("  \"kept\": ").append(Arrays.toString(vocabulary.kept())).append(",\n")
                .append("  \"table\": ").append(Arrays.toString(vocabulary.table())).append(",\n")
                .append("  \"meanMoves\": ").append(Arrays.toString(vocabulary.meanMoves())).append(",\n")
                .append("  \"names\": [\n")
                .append(names(vocabulary).stream().map(name -> "    \"" + name + "\"")
                        .collect(Collectors.joining(",\n")))
                .append("\n  ]\n}\n").toString();
    }

    private static EventVocabulary parse(final String source, final JsonNode root) {
        for (final String key : KEYS) {
            check(root.has(key), source, "keys", root.size(), "without " + key);
        }
        check(root.size() == KEYS.size(), source, "keys", root.size(), "not " + KEYS.size());
        check(root.get("format").isInt() && root.get("format").intValue() == FORMAT, source, "format",
                root.get("format"), "not " + FORMAT);
        final EventSchema schema = schema(source, root.get("schema"));
        final EventVocabulary vocabulary = new EventVocabulary(
                source, grid(source, schema, root.get("edges")), integers(source, "kept", root.get("kept")),
                integers(source, "table", root.get("table")), floats(source, "meanMoves", root.get("meanMoves")));
        final JsonNode names = root.get("names");
        final List<String> expected = names(vocabulary);
        check(names.size() == expected.size(), source, "names", names.size(), "not " + expected.size());
        for (int token = 0; token < expected.size(); token++) {
            check(expected.get(token).equals(names.get(token).textValue()), source, "names, token", token,
                    "not '" + expected.get(token) + "'");
        }
        return vocabulary;
    }

    private static EventSchema schema(final String source, final JsonNode node) {
        for (final EventSchema schema : EventSchema.values()) {
            if (schema.text().equals(node.textValue())) {
                return schema;
            }
        }
        throw new BundleException(source + ": vocabulary schema=" + node + " is not known");
    }

    private static EventGrid grid(final String source, final EventSchema schema, final JsonNode node) {
        check(node.size() == schema.kinds().size(), source, "edges, kinds", node.size(), "not " + schema.kinds());
        final int fieldCount = schema.fields().size();
        final int[] counts = new int[schema.kinds().size() * fieldCount];
        float[] edges = new float[0];
        for (int kind = 0; kind < schema.kinds().size(); kind++) {
            final String kindName = schema.kinds().get(kind);
            check(node.path(kindName).size() == fieldCount, source, "edges." + kindName, node.path(kindName).size(),
                    "not " + schema.fields());
            for (int field = 0; field < fieldCount; field++) {
                final String fieldName = schema.fields().get(field);
                final float[] each = floats(
                        source, "edges." + kindName + "." + fieldName, node.path(kindName).path(fieldName));
                counts[kind * fieldCount + field] = each.length;
                edges = Arrays.copyOf(edges, edges.length + each.length);
                System.arraycopy(each, 0, edges, edges.length - each.length, each.length);
            }
        }
        return new EventGrid(source, schema, edges, counts);
    }

    private static int[] integers(final String source, final String key, final JsonNode node) {
        check(node.isArray(), source, key, node, "no array");
        final int[] values = new int[node.size()];
        for (int i = 0; i < values.length; i++) {
            check(node.get(i).isInt(), source, key + "[" + i + "]", node.get(i), "no integer");
            values[i] = node.get(i).intValue();
        }
        return values;
    }

    private static float[] floats(final String source, final String key, final JsonNode node) {
        check(node.isArray(), source, key, node, "no array");
        final float[] values = new float[node.size()];
        for (int i = 0; i < values.length; i++) {
            check(node.get(i).isNumber(), source, key + "[" + i + "]", node.get(i), "no number");
            values[i] = node.get(i).floatValue();
        }
        return values;
    }

    private static List<String> names(final EventVocabulary vocabulary) {
        return IntStream.range(0, vocabulary.tokenCount()).mapToObj(vocabulary::name).toList();
    }
}
