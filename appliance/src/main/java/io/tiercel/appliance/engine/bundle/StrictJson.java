package io.tiercel.appliance.engine.bundle;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** JSON from outside: bounded depth, names, numbers and strings; a key twice or text after the end is an error. */
final class StrictJson {

    private static final StreamReadConstraints LIMITS = StreamReadConstraints.builder()
            .maxNestingDepth(16)
            .maxNameLength(512)
            .maxNumberLength(40)
            .maxStringLength(SafetensorsReader.MAX_HEADER_LENGTH)
            .maxDocumentLength(SafetensorsReader.MAX_HEADER_LENGTH)
            .build();

    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(LIMITS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private StrictJson() {
    }

    static JsonNode parse(final String text) throws JsonProcessingException {
        return MAPPER.readTree(text);
    }

    static String write(final JsonNode node) {
        try {
            return MAPPER.writeValueAsString(node);
        } catch (final JsonProcessingException ex) {
            throw new IllegalStateException("a tree of plain values could not be written", ex);
        }
    }

    static ObjectMapper mapper() {
        return MAPPER;
    }
}
