package io.tiercel.tools.llama;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads checkpoints of llama2.c, https://github.com/karpathy/llama2.c, as its {@code export.py} writes them: version 0,
 * and version 1, which has a magic number. All is little-endian; tensors are fp32 and follow one another with nothing
 * between, those of one kind for all layers together.
 *
 * <pre>
 *   v0:  7 x int32: dimension, hidden, layers, heads, keyValueHeads, vocabulary (negative: a head of its own), context
 *        embedding, attentionNorm, query, key, value, output, feedForwardNorm, w1, w2, w3, finalNorm,
 *        2 tables of cosines and sines [context][headSize / 2], head
 *   v1:  0x616b3432, int32 1, 7 x int32 as above (vocabulary positive), uint8 tied, zeros to byte 256
 *        attentionNorm, feedForwardNorm, finalNorm, embedding, query, key, value, output, w1, w2, w3, head
 * </pre>
 *
 * <p>The numbers at the front say how long the file must be, to the byte; nothing is read before that holds. Rotation
 * is in pairs, and its base and the norm's epsilon are constants of llama2.c.
 */
final class Llama2cReader {

    static final int MAGIC = 0x616b3432;
    static final int VERSION_1_HEADER_BYTES = 256;
    static final double ROPE_THETA = 10_000;
    static final float NORM_EPSILON = 1e-5f;

    private final ByteCursor file;
    private LlamaShape shape;

    private Llama2cReader(final String source, final byte[] bytes) {
        file = new ByteCursor(source, bytes);
    }

    static LlamaModel read(final String source, final byte[] bytes) {
        final Llama2cReader reader = new Llama2cReader(source, bytes);
        return isVersioned(bytes) ? reader.readVersioned() : reader.readLegacy();
    }

    static boolean isVersioned(final byte[] bytes) {
        return bytes.length >= Integer.BYTES && new ByteCursor("", bytes).readInt("magic") == MAGIC;
    }

    private LlamaModel readLegacy() {
        readShape(true, false);
        final long rotationBytes = (long) Float.BYTES * shape.contextTokens() * shape.headSize();
        requireSize(file.position() + rotationBytes);
        final float[] embedding = embedding("embedding");
        final float[][] attentionNorms = eachLayer("attentionNorm", shape.dimension());
        final float[][][] attention = attention();
        final float[][] feedForwardNorms = eachLayer("feedForwardNorm", shape.dimension());
        final float[][][] feedForward = feedForward();
        final float[] finalNorm = floats("finalNorm", shape.dimension());
        file.skip(rotationBytes, "rotation tables");
        return model(embedding, layers(attentionNorms, attention, feedForwardNorms, feedForward), finalNorm, 0);
    }

    private LlamaModel readVersioned() {
        file.readInt("magic");
        final int version = file.readInt("version");
        if (version != 1) {
            throw file.refused("version=" + version + " of llama2.c's format is not supported" +
                    (version == 2 ? ": its weights are rounded to int8 already" : "") + "; export version 0 or 1");
        }
        final int[] numbers = new int[7];
        final int start = file.position();
        file.skip(numbers.length * Integer.BYTES, "header");
        final int tied = file.readByte("tied");
        if (tied != 0 && tied != 1) {
            throw file.refused("tied=" + tied + " is not 0 or 1");
        }
        file.moveTo(start);
        readShape(false, tied == 1);
        file.skip(VERSION_1_HEADER_BYTES - file.position(), "header");
        requireSize(VERSION_1_HEADER_BYTES);
        final float[][] attentionNorms = eachLayer("attentionNorm", shape.dimension());
        final float[][] feedForwardNorms = eachLayer("feedForwardNorm", shape.dimension());
        final float[] finalNorm = floats("finalNorm", shape.dimension());
        final float[] embedding = embedding("embedding");
        final float[][][] attention = attention();
        final float[][][] feedForward = feedForward();
        return model(embedding, layers(attentionNorms, attention, feedForwardNorms, feedForward), finalNorm, 1);
    }

    /** @param isTied where the sign of the vocabulary does not say it. */
    private void readShape(final boolean isSigned, final boolean isTied) {
        final int dimension = file.readInt("dimension");
        final int hiddenCount = file.readInt("hidden");
        final int layerCount = file.readInt("layers");
        final int headCount = file.readInt("heads");
        final int keyValueHeadCount = file.readInt("keyValueHeads");
        final int vocabulary = file.readInt("vocabulary");
        shape = LlamaShape.builder(file.source())
                .dimension(dimension).hidden(hiddenCount).layers(layerCount)
                .heads(headCount, keyValueHeadCount, 0)
                .vocabulary(isSigned ? Math.abs(vocabulary) : vocabulary)
                .context(file.readInt("contextTokens"))
                .ropeTheta(ROPE_THETA).normEpsilon(NORM_EPSILON)
                .headTied(isSigned ? vocabulary > 0 : isTied)
                .build();
    }

    private void requireSize(final long otherBytes) {
        final long size = otherBytes + Float.BYTES * shape.parameterCount();
        if (size != file.size()) {
            throw file.refused("file size=" + file.size() + ", its header tells of " + size + ": " + shape);
        }
    }

    /** Query, key, value and output of each layer; [kind][layer]. */
    private float[][][] attention() {
        final int dimension = shape.dimension();
        final float[][] query = eachLayer("query", shape.queryWidth() * dimension);
        final float[][] key = eachLayer("key", shape.keyValueWidth() * dimension);
        return new float[][][] {
            query, key, eachLayer("value", shape.keyValueWidth() * dimension),
            eachLayer("output", shape.queryWidth() * dimension)};
    }

    /** Gate, down and up of each layer, in the file's order; [kind][layer]. */
    private float[][][] feedForward() {
        final int length = shape.hiddenCount() * shape.dimension();
        return new float[][][] {eachLayer("w1", length), eachLayer("w2", length), eachLayer("w3", length)};
    }

    private List<LlamaWeights.Layer> layers(
            final float[][] attentionNorms, final float[][][] attention, final float[][] feedForwardNorms,
            final float[][][] feedForward) {
        final List<LlamaWeights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < shape.layerCount(); i++) {
            layers.add(new LlamaWeights.Layer(
                    attentionNorms[i],
                    LlamaWeights.pairsToHalves(attention[0][i], shape.headSize(), shape.dimension()),
                    LlamaWeights.pairsToHalves(attention[1][i], shape.headSize(), shape.dimension()),
                    attention[2][i], attention[3][i], feedForwardNorms[i], null,
                    new float[][] {feedForward[0][i]}, new float[][] {feedForward[2][i]},
                    new float[][] {feedForward[1][i]}));
        }
        return layers;
    }

    private LlamaModel model(
            final float[] embedding, final List<LlamaWeights.Layer> layers, final float[] finalNorm,
            final int version) {
        final float[] head = shape.isHeadTied() ? null : embedding("head");
        return new LlamaModel(LlamaWeights.of(shape, embedding, layers, finalNorm, head), null,
                "llama2.c version " + version);
    }

    private float[] embedding(final String name) {
        return floats(name, shape.vocabularySize() * shape.dimension());
    }

    private float[][] eachLayer(final String name, final int length) {
        final float[][] values = new float[shape.layerCount()][];
        for (int i = 0; i < values.length; i++) {
            values[i] = floats("layer " + i + " " + name, length);
        }
        return values;
    }

    private float[] floats(final String name, final int count) {
        return LlamaWeights.requireFinite(file.source(), name, file.readFloats(count, name));
    }
}
