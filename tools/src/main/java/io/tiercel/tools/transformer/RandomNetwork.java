package io.tiercel.tools.transformer;

import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.LlamaWeights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Networks of any shape with random weights, to measure what they cost; what they say means nothing. */
public final class RandomNetwork {

    private RandomNetwork() {
    }

    /** Dense, without a tokenizer. The same shape and seed give the same weights on every machine. */
    public static LlamaModel of(final LlamaShape shape, final long seed) {
        if (!shape.isDense()) {
            throw new IllegalArgumentException("experts=" + shape.expertCount());
        }
        final SplittableRandom random = new SplittableRandom(seed);
        final int dimension = shape.dimension();
        final float[] embedding = matrix(random, shape.vocabularySize(), dimension);
        final List<LlamaWeights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < shape.layerCount(); i++) {
            layers.add(new LlamaWeights.Layer(
                    ones(dimension),
                    matrix(random, shape.queryWidth(), dimension),
                    matrix(random, shape.keyValueWidth(), dimension),
                    matrix(random, shape.keyValueWidth(), dimension),
                    matrix(random, dimension, shape.queryWidth()),
                    ones(dimension),
                    null,
                    new float[][] {matrix(random, shape.hiddenCount(), dimension)},
                    new float[][] {matrix(random, shape.hiddenCount(), dimension)},
                    new float[][] {matrix(random, dimension, shape.hiddenCount())}));
        }
        final float[] head = shape.isHeadTied() ? embedding : matrix(random, shape.vocabularySize(), dimension);
        return new LlamaModel(new LlamaWeights(shape, embedding, layers, ones(dimension), head), null, "random");
    }

    /** Even, of a deviation at which a product with it is about as large as the vector. */
    private static float[] matrix(final SplittableRandom random, final int rows, final int columns) {
        final double largest = Math.sqrt(3.0 / columns);
        final float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) ((2 * random.nextDouble() - 1) * largest);
        }
        return values;
    }

    private static float[] ones(final int count) {
        final float[] values = new float[count];
        Arrays.fill(values, 1);
        return values;
    }
}
