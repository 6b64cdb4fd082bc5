package io.tiercel.tools.llama;

import static io.tiercel.tools.llama.LlamaAsserts.assertSameWeights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ModelInputException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufReaderTest {

    private static final int VOCABULARY = 7;
    private static final LlamaShape SHAPE =
            new LlamaShape(4, 2, 2, 1, 2, 3, VOCABULARY, 5, 0, 0, 10_000, 1e-5f, false);
    private static final LlamaWeights WEIGHTS = RandomLlama.weights(SHAPE, 1);

    @ParameterizedTest
    @ValueSource(ints = {8, 32, 64, 4096})
    void shouldReadTheSameWhenAlignmentAndVersionAreOthers(final int alignment) {
        final GgufBytes file = new GgufBytes().alignment(alignment).version(2);
        assertEquals("a", only(file.tensor("a", GgufTensorType.F32, new float[] {1}, 1)
                .tensor("b", GgufTensorType.F16, new float[] {1, 2, 3}, 3)
                .tensor("c", GgufTensorType.F32, new float[] {4}, 1)));
        final GgufFile read = new GgufFile("test", file.toBytes());
        assertArrayEquals(new float[] {1, 2, 3}, read.floats("b", 3));
        assertArrayEquals(new float[] {4}, read.floats("c", 1));
    }

    @Test
    void shouldReadEveryTypeOfValue() {
        final GgufBytes file = new GgufBytes()
                .key("u8", GgufValueType.UINT8, new byte[] {-1})
                .key("i8", GgufValueType.INT8, new byte[] {1})
                .key("u16", GgufValueType.UINT16, new byte[] {-1, -1})
                .key("i16", GgufValueType.INT16, new byte[] {2, 1})
                .key("u32", GgufValueType.UINT32, new byte[] {1, 0, 0, 64})
                .key("i32", GgufValueType.INT32, new byte[] {3, 0, 0, 0})
                .key("u64", GgufValueType.UINT64, GgufBytes.bytes(8).putLong(4).array())
                .key("huge", GgufValueType.UINT64, GgufBytes.bytes(8).putLong(-1).array())
                .key("i64", GgufValueType.INT64, GgufBytes.bytes(8).putLong(5).array())
                .key("f64", GgufValueType.FLOAT64, GgufBytes.bytes(8).putDouble(0.5).array())
                .float32("f32", 1.5f).bool("yes", true).text("text", "caf\u00e9")
                .texts("texts", new byte[] {1}, new byte[0], new byte[] {2, 3}).floats("floats", 1, 2).ints("ints", 3);
        final GgufFile read = new GgufFile("test", file.toBytes());
        assertEquals(255, read.integer("u8"));
        assertEquals(1, read.integer("i8"));
        assertEquals(65_535, read.integer("u16"));
        assertEquals(258, read.integer("i16"));
        assertEquals(1 + (64 << 24), read.integer("u32"));
        assertEquals(3, read.integer("i32"));
        assertEquals(4, read.integer("u64"));
        assertEquals(5, read.integer("i64"));
        assertEquals(0.5, read.number("f64"));
        assertEquals(1.5, read.number("f32"));
        assertTrue(read.bool("yes"));
        assertEquals("caf\u00e9", read.text("text"));
        assertEquals(3, read.texts("texts", 3).length);
        assertArrayEquals(new float[] {1, 2}, read.floatArray("floats", 2));
        assertArrayEquals(new int[] {3}, read.intArray("ints", 1));
        assertEquals("test: key=huge value=18446744073709551615 is not an integer in 0..2147483647",
                assertThrows(ModelInputException.class, () -> read.integer("huge")).getMessage());
        for (final String wrong : List.of("text", "yes", "floats", "f32", "absent")) {
            assertThrows(ModelInputException.class, () -> read.integer(wrong), wrong);
        }
        assertThrows(ModelInputException.class, () -> read.floatArray("floats", 1));
        assertThrows(ModelInputException.class, () -> read.floatArray("ints", 1));
        assertThrows(ModelInputException.class, () -> read.text("texts"));
        assertThrows(ModelInputException.class, () -> read.number("yes"));
        assertThrows(ModelInputException.class, () -> read.bool("u8"));
    }

    @Test
    void shouldReadBlocksWithAScaleOfTheirOwn() {
        final byte[] blocks = GgufBytes.bytes(2 * 34)
                .putShort((short) 0x3C00).put(new byte[31]).put((byte) -128)
                .putShort((short) 0xB800).put((byte) 127).put(new byte[31]).array();
        final GgufFile file = new GgufFile("test", new GgufBytes().tensor("a", 8, blocks, 0, 32, 2).toBytes());
        final float[] values = file.floats("a", 2, 32);
        assertEquals(-128, values[31]);
        assertEquals(-63.5f, values[32]);
    }

    @Test
    void shouldReadWithoutWhatHasADefault() {
        final LlamaModel model = read(sound().without("llama.attention.key_length").without("llama.rope.freq_base")
                .without("llama.attention.value_length").without("llama.rope.dimension_count")
                .without("llama.rope.scaling.type"));
        assertSameWeights(WEIGHTS, model.weights());
        assertEquals(SHAPE, model.shape());
        assertNull(model.tokenizer());
    }

    @Test
    void shouldRefuseInOneLineWhenAKeyAsksForSomethingElse() {
        refused(sound().text("general.architecture", "qwen2"), "general.architecture=qwen2 is not llama");
        refused(sound().text("general.architecture", "a\nb"), "general.architecture=a?b is not llama");
        refused(sound().without("llama.block_count"), "key=llama.block_count is missing");
        refused(sound().text("llama.block_count", "2"), "key=llama.block_count value=(string) is not an integer");
        refused(sound().uint32("llama.block_count", 0), "layers=0 is not in 1..128");
        refused(sound().uint32("llama.block_count", 1), "tensor=blk.1.attn_k.weight is not part of");
        refused(sound().uint32("llama.block_count", 3), "tensor=blk.2.attn_norm.weight is missing");
        refused(sound().uint32("llama.attention.head_count", 3),
                "tensor=blk.0.attn_q.weight shape=[4, 4], expected [6, 4]");
        refused(sound().uint32("llama.attention.value_length", 3),
                "key=llama.attention.value_length value=3, expected 2");
        refused(sound().uint32("llama.embedding_length", 8), "tensor=token_embd.weight shape=[7, 4], expected [7, 8]");
        refused(sound().uint32("llama.rope.dimension_count", 1),
                "key=llama.rope.dimension_count value=1, expected 2");
        refused(sound().uint32("llama.vocab_size", 8), "key=llama.vocab_size value=8, expected 7");
        refused(sound().float32("llama.attention.layer_norm_rms_epsilon", Float.NaN), "normEpsilon=NaN");
        refused(sound().float32("llama.rope.freq_base", Float.POSITIVE_INFINITY), "ropeTheta=Infinity");
        refused(sound().text("llama.rope.scaling.type", "linear"), "key=llama.rope.scaling.type is not supported");
        refused(sound().without("llama.rope.scaling.type").float32("llama.rope.scaling.factor", 2),
                "key=llama.rope.scaling.factor is not supported");
        refused(sound().float32("llama.rope.scale_linear", 2), "key=llama.rope.scale_linear value=2.0");
        refused(sound().float32("llama.logit_scale", 1), "key=llama.logit_scale is not supported");
        refused(sound().uint32("llama.expert_count", 2), "activeExperts=0 is not in 1..2");
        refused(sound().uint32(GgufFile.ALIGNMENT, 24), "key=general.alignment value=24");
        refused(sound().uint32(GgufFile.ALIGNMENT, 0), "key=general.alignment value=0");
        refused(sound().keysTwice(), "is there twice");
        refused(sound().key("odd", 13, new byte[0]), "key=odd type=13 is not known");
        refused(sound().key("odd", GgufValueType.BOOL, new byte[] {2}), "key=odd value=2 is not a boolean");
        refused(sound().version(1), "version=1 is not 2 or 3");
        refused(sound().version(0x0300_0000), "version=50331648 is not 2 or 3");
    }

    @Test
    void shouldRefuseInOneLineWhenATokenizerDoesNotFit() {
        final GgufBytes sound =
                LlamaFiles.ggufBuilder(WEIGHTS, RandomLlama.tokenizer(VOCABULARY, 1), GgufTensorType.F32);
        read(sound);
        refused(sound.text("tokenizer.ggml.model", "gpt2"), "key=tokenizer.ggml.model value=gpt2 is not supported");
        sound.text("tokenizer.ggml.model", "llama");
        refused(sound.bool("tokenizer.ggml.add_space_prefix", false), "key=tokenizer.ggml.add_space_prefix");
        sound.without("tokenizer.ggml.add_space_prefix");
        refused(sound.uint32("tokenizer.ggml.bos_token_id", VOCABULARY), "tokenizer bosId=7 is not a piece");
        sound.uint32("tokenizer.ggml.bos_token_id", 1);
        refused(sound.ints("tokenizer.ggml.token_type", 1, 2), "key=tokenizer.ggml.token_type count=2, tokens=7");
        refused(sound.ints("tokenizer.ggml.token_type", 1, 1, 1, 1, 1, 1, 7), "index=6 value=7 is not in 1..6");
        sound.without("tokenizer.ggml.token_type");
        refused(sound.floats("tokenizer.ggml.scores", 1, 2), "tokenizer tokens=7 scores=2, the vocabulary=7");
        refused(sound.floats("tokenizer.ggml.scores", 1, 1, 1, 1, 1, 1, Float.NaN), "piece=6 score=NaN");
        refused(sound.texts("tokenizer.ggml.tokens", new byte[1]), "tokenizer tokens=1 scores=7");
        refused(sound.without("tokenizer.ggml.tokens"), "key=tokenizer.ggml.tokens is missing");
    }

    @Test
    void shouldRefuseInOneLineWhenATensorLies() {
        final byte[] four = GgufBytes.floatBytes(1);
        refused(new GgufBytes().tensor("a", 2, four, 0, 1), "tensor=a type=Q4_0 (2) is not supported");
        refused(new GgufBytes().tensor("a", 99, four, 0, 1), "tensor=a type=unknown (99) is not supported");
        refused(new GgufBytes().tensor("a", 0, four, 0), "tensor=a rank=0 is not in 1..4");
        refused(new GgufBytes().tensor("a", 0, four, 0, 1, 1, 1, 1, 1), "tensor=a rank=5 is not in 1..4");
        refused(new GgufBytes().tensor("a", 0, four, 0, 0), "tensor=a dimension 0=0 makes it empty");
        refused(new GgufBytes().tensor("a", 0, four, 0, -1), "tensor=a dimension 0=18446744073709551615");
        refused(new GgufBytes().tensor("a", 0, four, 0, 1L << 28, 1L << 28, 1L << 28),
                "tensor=a dimension 1=268435456 makes it empty or larger");
        refused(new GgufBytes().tensor("a", 0, four, 0, 2), "tensor=a of 8 bytes at byte 64 goes past the end");
        refused(new GgufBytes().tensor("a", 8, four, 0, 33), "tensor=a type=Q8_0 rows of 33 values");
        refused(new GgufBytes().tensor("a", 0, four, 1, 1), "tensor=a offset=1, expected 0");
        refused(new GgufBytes().tensor("a", 0, four, 32, 1), "tensor=a offset=32, expected 0");
        refused(new GgufBytes().tensor("a", 0, four, -32, 1), "tensor=a offset=18446744073709551584, expected 0");
        refused(new GgufBytes().tensor("a", 0, four, 0, 1).tensor("b", 0, four, 0, 1),
                "tensor=b offset=0, expected 32 where the tensor before it ends");
        refused(new GgufBytes().tensor("a", 0, four, 0, 1).tensor("a", 0, four, 32, 1), "tensor=a is there twice");
        refused(new GgufBytes().tensor("a", 0, new byte[100], 0, 1), "tensors end at byte");
        refused(new GgufBytes().tensor("", 0, four, 0, 1), "length=0 is not in 1..256");
        refused(new GgufBytes().tensor("a\nb", 0, four, 9, 1), "tensor=a?b offset=9");
        refused(sound().tensor("blk.0.attn_q.bias", GgufTensorType.F32, new float[] {1}, 1),
                "tensor=blk.0.attn_q.bias is not part of a network of LlamaShape[");
        final GgufFile infinite =
                new GgufFile("test", new GgufBytes().tensor("a", 1, new byte[] {0, 0x7C}, 0, 1).toBytes());
        assertEquals("test: tensor=a index=0 value=Infinity is not finite",
                assertThrows(ModelInputException.class, () -> infinite.floats("a", 1)).getMessage());
    }

    @Test
    void shouldRefuseInOneLineWhenCountsLie() {
        final GgufBytes one = new GgufBytes().text("a", "b");
        refused(one.toBytes(-1, 1), "tensors=18446744073709551615 is above the limit of 4096");
        refused(one.toBytes(0, Long.MAX_VALUE), "keys=9223372036854775807 is above the limit of 4096");
        refused(one.toBytes(0, 2), "key at byte 46 length=0 is not in 1..256");
        refused(new GgufBytes().array("a", GgufValueType.UINT8, 1L << 40, new byte[4]), "key=a count=1099511627776");
        refused(new GgufBytes().array("a", GgufValueType.INT64, 2, new byte[8]), "goes past the end of the file");
        refused(new GgufBytes().key("a", GgufValueType.STRING, GgufBytes.bytes(8).putLong(1L << 62).array()),
                "key=a of 4611686018427387904 bytes at byte");
        refused(new GgufBytes().array("a", GgufValueType.STRING, 1, GgufBytes.bytes(8).putLong(-1).array()),
                "key=a of 18446744073709551615 bytes at byte");
        byte[] nested = new byte[0];
        for (int depth = 0; depth < 6; depth++) {
            nested = GgufBytes.bytes(12 + nested.length).putInt(9).putLong(1).put(nested).array();
        }
        refused(new GgufBytes().key("a", GgufValueType.ARRAY, nested), "key=a holds arrays in arrays, deeper than 4");
    }

    private static GgufBytes sound() {
        return LlamaFiles.ggufBuilder(WEIGHTS, null, GgufTensorType.F32);
    }

    private static LlamaModel read(final GgufBytes file) {
        return GgufReader.read("test", file.toBytes());
    }

    private static String only(final GgufBytes file) {
        return new GgufFile("test", file.toBytes()).tensorNames().stream().sorted().findFirst().get();
    }

    private static void refused(final GgufBytes file, final String expected) {
        refused(file.toBytes(), expected);
    }

    private static void refused(final byte[] file, final String expected) {
        final String message = assertThrows(ModelInputException.class, () -> GgufReader.read("test", file),
                () -> "expected: " + expected + " of " + new String(file, StandardCharsets.ISO_8859_1)).getMessage();
        assertTrue(message.startsWith("test: ") && message.contains(expected), message + " but expected: " + expected);
        assertFalse(message.contains("\n"), message);
    }
}
