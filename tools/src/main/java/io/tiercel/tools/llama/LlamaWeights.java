package io.tiercel.tools.llama;

import io.tiercel.tools.ModelInputException;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * A Llama-shaped network in fp32: matrices row-major, [rows][columns], one row for each output. Every value is finite.
 *
 * <p>Rotary position embedding is in the order of halves, as Hugging Face's files have it: within a head, channel i
 * turns with channel i + headSize / 2. Files that keep pairs side by side are brought into this order by their reader.
 *
 * <p>The arrays are not copied and are not to be changed.
 *
 * @param embedding [vocabulary][dimension].
 * @param finalNorm [dimension].
 * @param head      [vocabulary][dimension]; the very array {@code embedding} if tied.
 */
public record LlamaWeights(
        LlamaShape shape, float[] embedding, List<Layer> layers, float[] finalNorm, float[] head) {

    /**
     * One layer. Gate, up and down are those of the one dense feed-forward part, or of each expert.
     *
     * @param attentionNorm   [dimension].
     * @param query           [heads * headSize][dimension].
     * @param key             [keyValueHeads * headSize][dimension].
     * @param value           [keyValueHeads * headSize][dimension].
     * @param output          [dimension][heads * headSize].
     * @param feedForwardNorm [dimension].
     * @param router          [experts][dimension]; null in a dense network.
     * @param gate            of each: [hidden][dimension], w1.
     * @param up              of each: [hidden][dimension], w3.
     * @param down            of each: [dimension][hidden], w2.
     */
    public record Layer(
            float[] attentionNorm, float[] query, float[] key, float[] value, float[] output,
            float[] feedForwardNorm, float[] router, float[][] gate, float[][] up, float[][] down) {
    }

    /** @throws IllegalArgumentException if an array is not as long as the shape says. */
    public LlamaWeights {
        layers = List.copyOf(layers);
        final int dimension = shape.dimension();
        final int embeddingLength = shape.vocabularySize() * dimension;
        requireLength("embedding", embedding, embeddingLength);
        requireLength("head", head, embeddingLength);
        requireLength("finalNorm", finalNorm, dimension);
        if ((head == embedding) != shape.isHeadTied()) {
            throw new IllegalArgumentException("isHeadTied=" + shape.isHeadTied() + " but the arrays say otherwise");
        }
        if (layers.size() != shape.layerCount()) {
            throw new IllegalArgumentException("layers=" + layers.size() + ", expected " + shape.layerCount());
        }
        for (final Layer layer : layers) {
            requireShape(layer, shape);
        }
    }

    /**
     * Of what a reader found. A head that is the embedding bit for bit is held once and counts as tied: some files
     * write it twice.
     *
     * @param head null if the file has none.
     */
    static LlamaWeights of(
            final LlamaShape shape, final float[] embedding, final List<Layer> layers, final float[] finalNorm,
            final float[] head) {
        final boolean isTied = head == null || Arrays.equals(head, embedding);
        return new LlamaWeights(shape.withTiedHead(isTied), embedding, layers, finalNorm, isTied ? embedding : head);
    }

    /** @return values, each of which is finite. */
    static float[] requireFinite(final String source, final String tensor, final float[] values) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new ModelInputException(source + ": tensor=" + tensor + " index=" + i + " value=" + values[i] +
                        " is not finite");
            }
        }
        return values;
    }

    /**
     * Rows of a query or key matrix from the order of pairs to that of halves: of each head, row 2i becomes row i and
     * row 2i+1 row i + headSize / 2.
     */
    static float[] pairsToHalves(final float[] matrix, final int headSize, final int columns) {
        final float[] ordered = new float[matrix.length];
        final int rows = matrix.length / columns;
        for (int row = 0; row < rows; row++) {
            final int channel = row % headSize;
            final int target = row - channel + channel / 2 + channel % 2 * (headSize / 2);
            System.arraycopy(matrix, row * columns, ordered, target * columns, columns);
        }
        return ordered;
    }

    /** One matrix for each feed-forward part of a layer. */
    static float[][] forEach(final LlamaShape shape, final IntFunction<float[]> read) {
        return IntStream.range(0, shape.feedForwardCount()).mapToObj(read).toArray(float[][]::new);
    }

    private static void requireShape(final Layer layer, final LlamaShape shape) {
        final int dimension = shape.dimension();
        requireLength("attentionNorm", layer.attentionNorm, dimension);
        requireLength("query", layer.query, shape.queryWidth() * dimension);
        requireLength("key", layer.key, shape.keyValueWidth() * dimension);
        requireLength("value", layer.value, shape.keyValueWidth() * dimension);
        requireLength("output", layer.output, dimension * shape.queryWidth());
        requireLength("feedForwardNorm", layer.feedForwardNorm, dimension);
        if (shape.isDense() != (layer.router == null)) {
            throw new IllegalArgumentException("experts=" + shape.expertCount() + " but the router says otherwise");
        }
        if (!shape.isDense()) {
            requireLength("router", layer.router, shape.expertCount() * dimension);
        }
        for (final float[][] matrices : List.of(layer.gate, layer.up, layer.down)) {
            if (matrices.length != shape.feedForwardCount()) {
                throw new IllegalArgumentException(
                        "feedForward=" + matrices.length + ", expected " + shape.feedForwardCount());
            }
            for (final float[] matrix : matrices) {
                requireLength("feedForward", matrix, shape.hiddenCount() * dimension);
            }
        }
    }

    private static void requireLength(final String name, final float[] values, final int length) {
        if (values.length != length) {
            throw new IllegalArgumentException(name + "=" + values.length + " values, expected " + length);
        }
    }
}
