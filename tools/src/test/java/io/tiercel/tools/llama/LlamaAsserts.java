package io.tiercel.tools.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** Equality bit for bit of what records of arrays do not compare. */
final class LlamaAsserts {

    private LlamaAsserts() {
    }

    static void assertSameWeights(final LlamaWeights expected, final LlamaWeights actual) {
        assertArrayEquals(expected.embedding(), actual.embedding(), "embedding");
        assertArrayEquals(expected.finalNorm(), actual.finalNorm(), "finalNorm");
        assertArrayEquals(expected.head(), actual.head(), "head");
        assertEquals(expected.head() == expected.embedding(), actual.head() == actual.embedding());
        assertEquals(expected.layers().size(), actual.layers().size());
        for (int i = 0; i < expected.layers().size(); i++) {
            assertSameLayer(expected.layers().get(i), actual.layers().get(i), "layer " + i);
        }
    }

    static void assertSameTokenizer(final Tokenizer expected, final Tokenizer actual) {
        assertEquals(expected.size(), actual.size());
        assertEquals(expected.bosId(), actual.bosId());
        assertEquals(expected.eosId(), actual.eosId());
        for (int id = 0; id < expected.size(); id++) {
            assertArrayEquals(expected.piece(id), actual.piece(id), "piece=" + id);
            assertEquals(Float.floatToRawIntBits(expected.score(id)), Float.floatToRawIntBits(actual.score(id)),
                    "piece=" + id);
        }
    }

    private static void assertSameLayer(
            final LlamaWeights.Layer expected, final LlamaWeights.Layer actual, final String where) {
        assertArrayEquals(expected.attentionNorm(), actual.attentionNorm(), where);
        assertArrayEquals(expected.query(), actual.query(), where);
        assertArrayEquals(expected.key(), actual.key(), where);
        assertArrayEquals(expected.value(), actual.value(), where);
        assertArrayEquals(expected.output(), actual.output(), where);
        assertArrayEquals(expected.feedForwardNorm(), actual.feedForwardNorm(), where);
        assertArrayEquals(expected.router(), actual.router(), where);
        assertArrayEquals(expected.gate(), actual.gate(), where);
        assertArrayEquals(expected.up(), actual.up(), where);
        assertArrayEquals(expected.down(), actual.down(), where);
    }
}
