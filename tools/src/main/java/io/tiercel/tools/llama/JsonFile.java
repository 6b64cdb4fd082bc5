package io.tiercel.tools.llama;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.tools.ModelInputException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * A small JSON file from outside, an object: bounded in every way, no key twice, and asked for typed values only. A key
 * whose value is null counts as absent.
 */
final class JsonFile {

    static final int MAX_BYTES = 1 << 22;

    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(32).maxNameLength(512).maxNumberLength(40).maxStringLength(1 << 16).build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final String source;
    private final JsonNode root;

    private JsonFile(final String source, final JsonNode root) {
        this.source = source;
        this.root = root;
    }

    static JsonFile open(final Path path) {
        return of(path.toString(), ModelFiles.readFile(path, MAX_BYTES));
    }

    static JsonFile of(final String source, final byte[] bytes) {
        try {
            final String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            final JsonNode root = MAPPER.readTree(text);
            if (root == null || !root.isObject()) {
                throw new ModelInputException(source + ": is not a JSON object");
            }
            return new JsonFile(source, root);
        } catch (final JsonProcessingException ex) {
            throw new ModelInputException(
                    source + ": is not valid JSON: " + ModelFiles.oneLine(ex.getOriginalMessage()), ex);
        } catch (final CharacterCodingException ex) {
            throw new ModelInputException(source + ": is not UTF-8", ex);
        }
    }

    String source() {
        return source;
    }

    ModelInputException refused(final String what) {
        return new ModelInputException(source + ": " + ModelFiles.oneLine(what));
    }

    boolean has(final String key) {
        return root.hasNonNull(key);
    }

    /** A value as JSON, for what is said to the user. */
    String show(final String key) {
        return root.path(key).toString();
    }

    int integer(final String key) {
        final JsonNode node = present(key);
        if (node.isIntegralNumber() && node.canConvertToInt() && node.intValue() >= 0) {
            return node.intValue();
        }
        throw refused("key=" + key + " value=" + node + " is not an integer in 0.." + Integer.MAX_VALUE);
    }

    int integer(final String key, final int otherwise) {
        return has(key) ? integer(key) : otherwise;
    }

    double number(final String key) {
        final JsonNode node = present(key);
        if (node.isNumber()) {
            return node.doubleValue();
        }
        throw refused("key=" + key + " value=" + node + " is not a number");
    }

    double number(final String key, final double otherwise) {
        return has(key) ? number(key) : otherwise;
    }

    boolean bool(final String key, final boolean otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        if (root.get(key).isBoolean()) {
            return root.get(key).booleanValue();
        }
        throw refused("key=" + key + " value=" + root.get(key) + " is not a boolean");
    }

    /** Null if absent. */
    String text(final String key) {
        if (!has(key)) {
            return null;
        }
        if (root.get(key).isTextual()) {
            return root.get(key).textValue();
        }
        throw refused("key=" + key + " value=" + root.get(key) + " is not a string");
    }

    JsonNode node(final String key) {
        return root.path(key);
    }

    /** An object within the file. */
    JsonFile object(final String key) {
        final JsonNode node = present(key);
        if (node.isObject()) {
            return new JsonFile(source + ": " + key, node);
        }
        throw refused("key=" + key + " value=" + node + " is not an object");
    }

    Set<Map.Entry<String, JsonNode>> entries() {
        return root.properties();
    }

    private JsonNode present(final String key) {
        if (!has(key)) {
            throw refused("key=" + key + " is missing");
        }
        return root.get(key);
    }
}
