package io.tiercel.tools.llama;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A network of the architecture {@code llama}, dense or with experts, and its tokenizer, from a GGUF file. Rotation is
 * in pairs there. A key of the architecture or a tensor that is not known is refused: what is not applied would make
 * another network.
 */
final class GgufReader {

    private static final String PREFIX = "llama.";
    private static final String ROPE_SCALING = PREFIX + "rope.scaling.";
    private static final String EXPERTS = PREFIX + "expert_count";
    private static final String ACTIVE_EXPERTS = PREFIX + "expert_used_count";
    private static final String KEY_LENGTH = PREFIX + "attention.key_length";
    private static final String HEADS = PREFIX + "attention.head_count";
    private static final String TOKENIZER = "tokenizer.ggml.";

    private static final Set<String> KNOWN_KEYS = Set.of(
            PREFIX + "context_length", PREFIX + "embedding_length", PREFIX + "block_count",
            PREFIX + "feed_forward_length", PREFIX + "vocab_size", HEADS, HEADS + "_kv", KEY_LENGTH,
            PREFIX + "attention.value_length", PREFIX + "attention.layer_norm_rms_epsilon",
            PREFIX + "rope.dimension_count", PREFIX + "rope.freq_base", PREFIX + "rope.scale_linear", EXPERTS,
            ACTIVE_EXPERTS, PREFIX + "tensor_data_layout");

    private final GgufFile file;
    private final LlamaShape shape;
    private final Set<String> unread;

    private GgufReader(final GgufFile file) {
        this.file = file;
        unread = new HashSet<>(file.tensorNames());
        shape = readShape();
    }

    static LlamaModel read(final String source, final byte[] bytes) {
        final GgufReader reader = new GgufReader(new GgufFile(source, bytes));
        final Tokenizer tokenizer = reader.readTokenizer();
        return new LlamaModel(reader.readWeights(), tokenizer, "GGUF");
    }

    private LlamaShape readShape() {
        if (!file.text("general.architecture").equals("llama")) {
            throw file.refused("general.architecture=" + file.text("general.architecture") + " is not llama");
        }
        refuseUnknownKeys();
        final int headCount = file.integer(HEADS);
        final int expertCount = file.integer(EXPERTS, 0);
        final List<Integer> embedding = file.tensor("token_embd.weight").shape();
        final LlamaShape found = LlamaShape.builder(file.source())
                .dimension(file.integer(PREFIX + "embedding_length"))
                .layers(file.integer(PREFIX + "block_count"))
                .heads(headCount, file.integer(HEADS + "_kv", headCount), file.integer(KEY_LENGTH, 0))
                .hidden(file.integer(PREFIX + "feed_forward_length"))
                .vocabulary(embedding.get(0))
                .context(file.integer(PREFIX + "context_length"))
                .experts(expertCount, file.integer(ACTIVE_EXPERTS, 0))
                .ropeTheta(file.number(PREFIX + "rope.freq_base", Llama2cReader.ROPE_THETA))
                .normEpsilon((float) file.number(PREFIX + "attention.layer_norm_rms_epsilon"))
                .headTied(!file.hasTensor("output.weight"))
                .build();
        requireEqual(KEY_LENGTH, found.headSize());
        requireEqual(PREFIX + "attention.value_length", found.headSize());
        requireEqual(PREFIX + "rope.dimension_count", found.headSize());
        requireEqual(PREFIX + "vocab_size", found.vocabularySize());
        return found;
    }

    private void refuseUnknownKeys() {
        for (final String key : new TreeSet<>(file.keys())) {
            if (key.startsWith(ROPE_SCALING)) {
                requireNoScaling(key);
            } else if (key.startsWith(PREFIX) && !KNOWN_KEYS.contains(key)) {
                throw file.refused("key=" + key + " is not supported");
            }
        }
        final String linear = PREFIX + "rope.scale_linear";
        if (file.number(linear, 1) != 1) {
            throw file.refused("key=" + linear + " value=" + file.number(linear) + " is not supported");
        }
    }

    private void requireNoScaling(final String key) {
        final String type = ROPE_SCALING + "type";
        if (!file.hasKey(type) || !file.text(type).equals("none")) {
            throw file.refused("key=" + key + " is not supported: rotation is not scaled here");
        }
    }

    private void requireEqual(final String key, final int expected) {
        if (file.integer(key, expected) != expected) {
            throw file.refused("key=" + key + " value=" + file.integer(key) + ", expected " + expected);
        }
    }

    private LlamaWeights readWeights() {
        final int dimension = shape.dimension();
        final int vocabulary = shape.vocabularySize();
        final float[] embedding = floats("token_embd.weight", vocabulary, dimension);
        final List<LlamaWeights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < shape.layerCount(); i++) {
            layers.add(readLayer("blk." + i + "."));
        }
        final float[] finalNorm = floats("output_norm.weight", dimension);
        final float[] head = shape.isHeadTied() ? null : floats("output.weight", vocabulary, dimension);
        if (!unread.isEmpty()) {
            throw file.refused("tensor=" + unread.stream().sorted().findFirst().get() +
                    " is not part of a network of " + shape);
        }
        return LlamaWeights.of(shape, embedding, layers, finalNorm, head);
    }

    private LlamaWeights.Layer readLayer(final String prefix) {
        final int dimension = shape.dimension();
        final int hidden = shape.hiddenCount();
        return new LlamaWeights.Layer(
                floats(prefix + "attn_norm.weight", dimension),
                rotated(prefix + "attn_q.weight", shape.queryWidth()),
                rotated(prefix + "attn_k.weight", shape.keyValueWidth()),
                floats(prefix + "attn_v.weight", shape.keyValueWidth(), dimension),
                floats(prefix + "attn_output.weight", dimension, shape.queryWidth()),
                floats(prefix + "ffn_norm.weight", dimension),
                shape.isDense() ? null : floats(prefix + "ffn_gate_inp.weight", shape.expertCount(), dimension),
                feedForward(prefix + "ffn_gate", hidden, dimension),
                feedForward(prefix + "ffn_up", hidden, dimension),
                feedForward(prefix + "ffn_down", dimension, hidden));
    }

    private float[] rotated(final String name, final int rows) {
        return LlamaWeights.pairsToHalves(floats(name, rows, shape.dimension()), shape.headSize(), shape.dimension());
    }

    /** Of experts there is one tensor, [experts][rows][columns]. */
    private float[][] feedForward(final String name, final int rows, final int columns) {
        if (shape.isDense()) {
            return new float[][] {floats(name + ".weight", rows, columns)};
        }
        final float[] all = floats(name + "_exps.weight", shape.expertCount(), rows, columns);
        final int length = rows * columns;
        return LlamaWeights.forEach(shape, i -> Arrays.copyOfRange(all, i * length, (i + 1) * length));
    }

    private float[] floats(final String name, final Integer... dimensions) {
        unread.remove(name);
        return file.floats(name, dimensions);
    }

    /** Null if the file has none. */
    private Tokenizer readTokenizer() {
        if (!file.hasKey(TOKENIZER + "model")) {
            return null;
        }
        if (!file.text(TOKENIZER + "model").equals("llama")) {
            throw file.refused("key=" + TOKENIZER + "model value=" + file.text(TOKENIZER + "model") +
                    " is not supported; llama is");
        }
        final String prefixKey = TOKENIZER + "add_space_prefix";
        if (file.hasKey(prefixKey) && !file.bool(prefixKey)) {
            throw file.refused("key=" + prefixKey + " value=false is not supported");
        }
        final byte[][] pieces = file.texts(TOKENIZER + "tokens", LlamaShape.MAX_VOCABULARY);
        final float[] scores = file.floatArray(TOKENIZER + "scores", LlamaShape.MAX_VOCABULARY);
        if (pieces.length != shape.vocabularySize() || scores.length != pieces.length) {
            throw file.refused("tokenizer tokens=" + pieces.length + " scores=" + scores.length +
                    ", the vocabulary=" + shape.vocabularySize());
        }
        checkTypes(pieces.length);
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = withSpaces(pieces[i]);
        }
        return Tokenizer.of(file.source(), pieces, scores,
                file.integer(TOKENIZER + "bos_token_id"), file.integer(TOKENIZER + "eos_token_id"));
    }

    /** Types say what the pieces' texts and the ids say too; so they are only looked at. */
    private void checkTypes(final int count) {
        final String key = TOKENIZER + "token_type";
        if (!file.hasKey(key)) {
            return;
        }
        final int[] types = file.intArray(key, LlamaShape.MAX_VOCABULARY);
        if (types.length != count) {
            throw file.refused("key=" + key + " count=" + types.length + ", tokens=" + count);
        }
        for (int i = 0; i < count; i++) {
            if (types[i] < 1 || types[i] > 6) {
                throw file.refused("key=" + key + " index=" + i + " value=" + types[i] + " is not in 1..6");
            }
        }
    }

    /** SentencePiece writes a space as U+2581. Bytes are taken as characters, so that any bytes come through. */
    private static byte[] withSpaces(final byte[] piece) {
        final String text = new String(piece, StandardCharsets.ISO_8859_1);
        return text.replace("\u00e2\u0096\u0081", " ").getBytes(StandardCharsets.ISO_8859_1);
    }
}
