package io.tiercel.tools.llama;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.appliance.engine.bundle.SafetensorsWriter;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/** Writes a network in each of the formats that are imported, as the programs they belong to do. */
final class LlamaFiles {

    private LlamaFiles() {
    }

    /** A llama2.c checkpoint. */
    static byte[] llama2c(final LlamaWeights weights, final int version) {
        final LlamaShape shape = weights.shape();
        final ByteArrayOutputStream file = new ByteArrayOutputStream();
        if (version != 0) {
            file.writeBytes(ints(Llama2cReader.MAGIC, version));
        }
        file.writeBytes(ints(shape.dimension(), shape.hiddenCount(), shape.layerCount(), shape.headCount(),
                shape.keyValueHeadCount(),
                version == 0 && !shape.isHeadTied() ? -shape.vocabularySize() : shape.vocabularySize(),
                shape.contextTokens()));
        if (version == 0) {
            file.writeBytes(GgufBytes.floatBytes(weights.embedding()));
            each(file, weights, LlamaWeights.Layer::attentionNorm);
            writeAttention(file, weights);
            each(file, weights, LlamaWeights.Layer::feedForwardNorm);
            writeFeedForward(file, weights);
            file.writeBytes(GgufBytes.floatBytes(weights.finalNorm()));
            file.writeBytes(new byte[shape.contextTokens() * shape.headSize() * Float.BYTES]);
        } else {
            file.write(shape.isHeadTied() ? 1 : 0);
            file.writeBytes(new byte[Llama2cReader.VERSION_1_HEADER_BYTES - file.size()]);
            each(file, weights, LlamaWeights.Layer::attentionNorm);
            each(file, weights, LlamaWeights.Layer::feedForwardNorm);
            file.writeBytes(GgufBytes.floatBytes(weights.finalNorm()));
            file.writeBytes(GgufBytes.floatBytes(weights.embedding()));
            writeAttention(file, weights);
            writeFeedForward(file, weights);
        }
        if (!shape.isHeadTied()) {
            file.writeBytes(GgufBytes.floatBytes(weights.head()));
        }
        return file.toByteArray();
    }

    /** A llama2.c tokenizer. */
    static byte[] tokenizer(final Tokenizer tokenizer) {
        final ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(ints(64));
        for (int id = 0; id < tokenizer.size(); id++) {
            final byte[] piece = id == 1 || id == 2
                    ? ("\n" + new String(tokenizer.piece(id), StandardCharsets.UTF_8) + "\n")
                            .getBytes(StandardCharsets.UTF_8)
                    : tokenizer.piece(id);
            file.writeBytes(ints(Float.floatToRawIntBits(tokenizer.score(id)), piece.length));
            file.writeBytes(piece);
        }
        return file.toByteArray();
    }

    static byte[] gguf(final LlamaWeights weights, final Tokenizer tokenizer, final GgufTensorType type) {
        return ggufBuilder(weights, tokenizer, type).toBytes();
    }

    /** @param tokenizer may be null. */
    static GgufBytes ggufBuilder(final LlamaWeights weights, final Tokenizer tokenizer, final GgufTensorType type) {
        final LlamaShape shape = weights.shape();
        final GgufBytes file = new GgufBytes()
                .text("general.architecture", "llama").text("general.name", "random");
        file.uint32("llama.context_length", shape.contextTokens())
                .uint32("llama.embedding_length", shape.dimension())
                .uint32("llama.block_count", shape.layerCount())
                .uint32("llama.feed_forward_length", shape.hiddenCount())
                .uint32("llama.attention.head_count", shape.headCount())
                .uint32("llama.attention.head_count_kv", shape.keyValueHeadCount())
                .uint32("llama.attention.key_length", shape.headSize())
                .uint32("llama.attention.value_length", shape.headSize())
                .uint32("llama.rope.dimension_count", shape.headSize())
                .float32("llama.rope.freq_base", (float) shape.ropeTheta())
                .float32("llama.attention.layer_norm_rms_epsilon", shape.normEpsilon())
                .text("llama.rope.scaling.type", "none");
        if (!shape.isDense()) {
            file.uint32("llama.expert_count", shape.expertCount())
                    .uint32("llama.expert_used_count", shape.activeExperts());
        }
        if (tokenizer != null) {
            writeTokenizer(tokenizer, file);
        }
        writeTensors(weights, type, file);
        return file;
    }

    /** A directory of Hugging Face's library; in several files with an index if {@code shardCount} is above 1. */
    static void huggingFace(final Path directory, final LlamaWeights weights, final DType dtype, final int shardCount)
            throws IOException {
        Files.writeString(directory.resolve("config.json"), config(weights.shape()).toString());
        final SafetensorsWriter whole = new SafetensorsWriter();
        HuggingFaceTensors.write(weights, whole);
        final SafetensorsReader tensors = SafetensorsReader.of("whole", whole.toBytes());
        final SafetensorsWriter[] shards = new SafetensorsWriter[shardCount];
        final ObjectNode index = new ObjectMapper().createObjectNode();
        final ObjectNode weightMap = index.putObject("weight_map");
        int next = 0;
        for (final TensorInfo tensor : tensors.tensors()) {
            if (!CanonicalFile.isPadding(tensor)) {
                final int shard = next++ % shardCount;
                shards[shard] = shards[shard] == null ? new SafetensorsWriter() : shards[shard];
                shards[shard].bytes(tensor.name(), dtype, narrow(tensors.floats(tensor.name()), dtype),
                        tensor.shape().stream().mapToInt(Integer::intValue).toArray());
                weightMap.put(tensor.name(), shardName(shard, shardCount));
            }
        }
        for (int i = 0; i < shardCount; i++) {
            Files.write(directory.resolve(shardName(i, shardCount)), shards[i].toBytes());
        }
        if (shardCount > 1) {
            Files.writeString(directory.resolve("model.safetensors.index.json"), index.toString());
        }
    }

    static ObjectNode config(final LlamaShape shape) {
        final ObjectNode config = new ObjectMapper().createObjectNode();
        config.putArray("architectures").add(shape.isDense() ? "LlamaForCausalLM" : "MixtralForCausalLM");
        config.put("hidden_size", shape.dimension()).put("intermediate_size", shape.hiddenCount())
                .put("num_hidden_layers", shape.layerCount()).put("num_attention_heads", shape.headCount())
                .put("num_key_value_heads", shape.keyValueHeadCount()).put("head_dim", shape.headSize())
                .put("vocab_size", shape.vocabularySize()).put("max_position_embeddings", shape.contextTokens())
                .put("rope_theta", shape.ropeTheta()).put("rms_norm_eps", 1e-5).put("hidden_act", "silu")
                .put("tie_word_embeddings", shape.isHeadTied()).put("attention_bias", false)
                .putNull("rope_scaling").putNull("sliding_window");
        if (!shape.isDense()) {
            config.put("num_local_experts", shape.expertCount()).put("num_experts_per_tok", shape.activeExperts());
        }
        return config;
    }

    /** The inverse of what the importers do: row i of a head to 2i, row i + headSize / 2 to 2i + 1. */
    static float[] halvesToPairs(final float[] matrix, final LlamaShape shape) {
        final float[] ordered = new float[matrix.length];
        final int columns = shape.dimension();
        final int half = shape.headSize() / 2;
        for (int row = 0; row < matrix.length / columns; row++) {
            final int head = row / shape.headSize();
            final int channel = row % shape.headSize();
            final int target = head * shape.headSize() + (channel < half ? 2 * channel : 2 * (channel - half) + 1);
            System.arraycopy(matrix, row * columns, ordered, target * columns, columns);
        }
        return ordered;
    }

    private static void writeTokenizer(final Tokenizer tokenizer, final GgufBytes file) {
        final byte[][] pieces = new byte[tokenizer.size()][];
        final float[] scores = new float[pieces.length];
        final int[] types = new int[pieces.length];
        for (int id = 0; id < pieces.length; id++) {
            pieces[id] = new String(tokenizer.piece(id), StandardCharsets.UTF_8)
                    .replace(' ', '\u2581').getBytes(StandardCharsets.UTF_8);
            scores[id] = tokenizer.score(id);
            types[id] = 1;
        }
        file.text("tokenizer.ggml.model", "llama").texts("tokenizer.ggml.tokens", pieces)
                .floats("tokenizer.ggml.scores", scores).ints("tokenizer.ggml.token_type", types)
                .uint32("tokenizer.ggml.bos_token_id", tokenizer.bosId())
                .uint32("tokenizer.ggml.eos_token_id", tokenizer.eosId())
                .bool("tokenizer.ggml.add_space_prefix", true);
    }

    private static void writeTensors(final LlamaWeights weights, final GgufTensorType type, final GgufBytes file) {
        final LlamaShape shape = weights.shape();
        final int dimension = shape.dimension();
        file.tensor("token_embd.weight", type, weights.embedding(), shape.vocabularySize(), dimension);
        for (int i = 0; i < shape.layerCount(); i++) {
            writeLayer(shape, weights.layers().get(i), "blk." + i + ".", type, file);
        }
        file.tensor("output_norm.weight", GgufTensorType.F32, weights.finalNorm(), dimension);
        if (!shape.isHeadTied()) {
            file.tensor("output.weight", type, weights.head(), shape.vocabularySize(), dimension);
        }
    }

    private static void writeLayer(
            final LlamaShape shape, final LlamaWeights.Layer layer, final String prefix, final GgufTensorType type,
            final GgufBytes file) {
        final int dimension = shape.dimension();
        final int hidden = shape.hiddenCount();
        file.tensor(prefix + "attn_norm.weight", GgufTensorType.F32, layer.attentionNorm(), dimension);
        file.tensor(prefix + "attn_q.weight", type, halvesToPairs(layer.query(), shape), shape.queryWidth(),
                dimension);
        file.tensor(prefix + "attn_k.weight", type, halvesToPairs(layer.key(), shape), shape.keyValueWidth(),
                dimension);
        file.tensor(prefix + "attn_v.weight", type, layer.value(), shape.keyValueWidth(), dimension);
        file.tensor(prefix + "attn_output.weight", type, layer.output(), dimension, shape.queryWidth());
        file.tensor(prefix + "ffn_norm.weight", GgufTensorType.F32, layer.feedForwardNorm(), dimension);
        if (shape.isDense()) {
            file.tensor(prefix + "ffn_gate.weight", type, layer.gate()[0], hidden, dimension);
            file.tensor(prefix + "ffn_up.weight", type, layer.up()[0], hidden, dimension);
            file.tensor(prefix + "ffn_down.weight", type, layer.down()[0], dimension, hidden);
            return;
        }
        final int experts = shape.expertCount();
        file.tensor(prefix + "ffn_gate_inp.weight", GgufTensorType.F32, layer.router(), experts, dimension);
        file.tensor(prefix + "ffn_gate_exps.weight", type, joined(layer.gate()), experts, hidden, dimension);
        file.tensor(prefix + "ffn_up_exps.weight", type, joined(layer.up()), experts, hidden, dimension);
        file.tensor(prefix + "ffn_down_exps.weight", type, joined(layer.down()), experts, dimension, hidden);
    }

    private static float[] joined(final float[][] matrices) {
        final float[] all = new float[matrices.length * matrices[0].length];
        for (int i = 0; i < matrices.length; i++) {
            System.arraycopy(matrices[i], 0, all, i * matrices[0].length, matrices[0].length);
        }
        return all;
    }

    private static void writeAttention(final ByteArrayOutputStream file, final LlamaWeights weights) {
        each(file, weights, layer -> halvesToPairs(layer.query(), weights.shape()));
        each(file, weights, layer -> halvesToPairs(layer.key(), weights.shape()));
        each(file, weights, LlamaWeights.Layer::value);
        each(file, weights, LlamaWeights.Layer::output);
    }

    private static void writeFeedForward(final ByteArrayOutputStream file, final LlamaWeights weights) {
        for (final Function<LlamaWeights.Layer, float[]> matrix : List.<Function<LlamaWeights.Layer, float[]>>of(
                layer -> layer.gate()[0], layer -> layer.down()[0], layer -> layer.up()[0])) {
            each(file, weights, matrix);
        }
    }

    private static void each(
            final ByteArrayOutputStream file, final LlamaWeights weights,
            final Function<LlamaWeights.Layer, float[]> tensor) {
        for (final LlamaWeights.Layer layer : weights.layers()) {
            file.writeBytes(GgufBytes.floatBytes(tensor.apply(layer)));
        }
    }

    private static byte[] narrow(final float[] values, final DType dtype) {
        final ByteBuffer bytes = ByteBuffer.allocate(values.length * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (final float value : values) {
            switch (dtype) {
                case F32 -> bytes.putFloat(value);
                case F16 -> bytes.putShort(GgufBytes.half(value));
                case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                default -> throw new IllegalArgumentException("dtype=" + dtype);
            }
        }
        return bytes.array();
    }

    private static String shardName(final int shard, final int shardCount) {
        return shardCount == 1
                ? "model.safetensors"
                : String.format("model-%05d-of-%05d.safetensors", shard + 1, shardCount);
    }

    private static byte[] ints(final int... values) {
        final ByteBuffer bytes = ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (final int value : values) {
            bytes.putInt(value);
        }
        return bytes.array();
    }
}
