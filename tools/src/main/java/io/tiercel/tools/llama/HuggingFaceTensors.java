package io.tiercel.tools.llama;

import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.appliance.engine.bundle.SafetensorsWriter;
import io.tiercel.tools.ModelInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The names that Hugging Face's library gives to the tensors of a Llama or Mixtral network, read and written. They may
 * be spread over several files. Each tensor must have the shape that the numbers say, and none may be left over.
 */
final class HuggingFaceTensors {

    static final String EMBEDDING = "model.embed_tokens.weight";
    static final String HEAD = "lm_head.weight";

    private static final String FINAL_NORM = "model.norm.weight";
    /** Old files keep what rotation computes anyway. */
    private static final String ROTATION_TABLE = ".self_attn.rotary_emb.inv_freq";

    private final Map<String, SafetensorsReader> fileByTensor = new HashMap<>();
    private final TreeSet<String> unread = new TreeSet<>();
    private final String source;

    /** @param source of all the files, for what belongs to none of them. */
    HuggingFaceTensors(final String source) {
        this.source = source;
    }

    /** Adds a tensor of a file. */
    void add(final String name, final SafetensorsReader file) {
        if (fileByTensor.put(name, file) != null) {
            throw new ModelInputException(file.source() + ": tensor=" + ModelFiles.oneLine(name) + " is there twice");
        }
        if (!name.endsWith(ROTATION_TABLE)) {
            unread.add(name);
        }
    }

    boolean has(final String name) {
        return fileByTensor.containsKey(name);
    }

    LlamaWeights read(final LlamaShape shape) {
        final int dimension = shape.dimension();
        final float[] embedding = floats(EMBEDDING, shape.vocabularySize(), dimension);
        final List<LlamaWeights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < shape.layerCount(); i++) {
            layers.add(readLayer(shape, layer(i)));
        }
        final float[] finalNorm = floats(FINAL_NORM, dimension);
        final float[] head = readHead(shape, embedding);
        if (!unread.isEmpty()) {
            throw new ModelInputException(fileByTensor.get(unread.first()).source() + ": tensor=" +
                    ModelFiles.oneLine(unread.first()) + " is not part of a network of " + shape);
        }
        return LlamaWeights.of(shape, embedding, layers, finalNorm, head);
    }

    /** Null if tied; the tensor may be there all the same, and then says the same. */
    private float[] readHead(final LlamaShape shape, final float[] embedding) {
        if (shape.isHeadTied() && !has(HEAD)) {
            return null;
        }
        final float[] head = floats(HEAD, shape.vocabularySize(), shape.dimension());
        if (shape.isHeadTied() && !Arrays.equals(head, embedding)) {
            throw new ModelInputException(source + ": isHeadTied=true but tensor=" + HEAD + " is not " + EMBEDDING);
        }
        return head;
    }

    static void write(final LlamaWeights weights, final SafetensorsWriter file) {
        final LlamaShape shape = weights.shape();
        file.floats(EMBEDDING, weights.embedding(), shape.vocabularySize(), shape.dimension());
        for (int i = 0; i < shape.layerCount(); i++) {
            writeLayer(shape, weights.layers().get(i), layer(i), file);
        }
        file.floats(FINAL_NORM, weights.finalNorm(), shape.dimension());
        if (!shape.isHeadTied()) {
            file.floats(HEAD, weights.head(), shape.vocabularySize(), shape.dimension());
        }
    }

    private LlamaWeights.Layer readLayer(final LlamaShape shape, final String prefix) {
        final int dimension = shape.dimension();
        final int hidden = shape.hiddenCount();
        return new LlamaWeights.Layer(
                floats(prefix + "input_layernorm.weight", dimension),
                floats(prefix + "self_attn.q_proj.weight", shape.queryWidth(), dimension),
                floats(prefix + "self_attn.k_proj.weight", shape.keyValueWidth(), dimension),
                floats(prefix + "self_attn.v_proj.weight", shape.keyValueWidth(), dimension),
                floats(prefix + "self_attn.o_proj.weight", dimension, shape.queryWidth()),
                floats(prefix + "post_attention_layernorm.weight", dimension),
                shape.isDense() ? null : floats(router(prefix), shape.expertCount(), dimension),
                LlamaWeights.forEach(shape, i -> floats(gate(shape, prefix, i), hidden, dimension)),
                LlamaWeights.forEach(shape, i -> floats(up(shape, prefix, i), hidden, dimension)),
                LlamaWeights.forEach(shape, i -> floats(down(shape, prefix, i), dimension, hidden)));
    }

    private static void writeLayer(
            final LlamaShape shape, final LlamaWeights.Layer layer, final String prefix,
            final SafetensorsWriter file) {
        final int dimension = shape.dimension();
        final int hidden = shape.hiddenCount();
        file.floats(prefix + "input_layernorm.weight", layer.attentionNorm(), dimension);
        file.floats(prefix + "self_attn.q_proj.weight", layer.query(), shape.queryWidth(), dimension);
        file.floats(prefix + "self_attn.k_proj.weight", layer.key(), shape.keyValueWidth(), dimension);
        file.floats(prefix + "self_attn.v_proj.weight", layer.value(), shape.keyValueWidth(), dimension);
        file.floats(prefix + "self_attn.o_proj.weight", layer.output(), dimension, shape.queryWidth());
        file.floats(prefix + "post_attention_layernorm.weight", layer.feedForwardNorm(), dimension);
        if (!shape.isDense()) {
            file.floats(router(prefix), layer.router(), shape.expertCount(), dimension);
        }
        for (int i = 0; i < shape.feedForwardCount(); i++) {
            file.floats(gate(shape, prefix, i), layer.gate()[i], hidden, dimension);
            file.floats(up(shape, prefix, i), layer.up()[i], hidden, dimension);
            file.floats(down(shape, prefix, i), layer.down()[i], dimension, hidden);
        }
    }

    private float[] floats(final String name, final Integer... dimensions) {
        final SafetensorsReader file = fileByTensor.get(name);
        if (file == null) {
            throw new ModelInputException(source + ": tensor=" + name + " is missing");
        }
        final List<Integer> found = file.tensor(name).shape();
        if (!found.equals(List.of(dimensions))) {
            throw new ModelInputException(file.source() + ": tensor=" + name + " shape=" + found + ", expected " +
                    List.of(dimensions));
        }
        unread.remove(name);
        return LlamaWeights.requireFinite(file.source(), name, file.floats(name));
    }

    private static String layer(final int index) {
        return "model.layers." + index + ".";
    }

    private static String router(final String prefix) {
        return prefix + "block_sparse_moe.gate.weight";
    }

    private static String gate(final LlamaShape shape, final String prefix, final int index) {
        return shape.isDense() ? prefix + "mlp.gate_proj.weight" : expert(prefix, index) + "w1.weight";
    }

    private static String up(final LlamaShape shape, final String prefix, final int index) {
        return shape.isDense() ? prefix + "mlp.up_proj.weight" : expert(prefix, index) + "w3.weight";
    }

    private static String down(final LlamaShape shape, final String prefix, final int index) {
        return shape.isDense() ? prefix + "mlp.down_proj.weight" : expert(prefix, index) + "w2.weight";
    }

    private static String expert(final String prefix, final int index) {
        return prefix + "block_sparse_moe.experts." + index + ".";
    }
}
