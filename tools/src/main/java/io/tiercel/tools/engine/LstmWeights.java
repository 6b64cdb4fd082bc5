package io.tiercel.tools.engine;

import java.util.SplittableRandom;

/**
 * A stack of LSTM layers under a dense head, as PyTorch holds it: matrices row-major, gates in the order i f g o. The
 * arrays are not copied: at 3 layers of 960 they are 88 MB. Immutable as long as nobody writes to them.
 *
 * @param layers    how many, at least 1.
 * @param hidden    H, units of each layer.
 * @param features  F, inputs of the first layer; those of the others are H.
 * @param outputs   O, rows of the head.
 * @param input     [layer][4H * inputs of the layer].
 * @param recurrent [layer][4H * H].
 * @param bias      [layer][4H], both of PyTorch's, added.
 * @param head      [O * H].
 * @param headBias  [O].
 */
public record LstmWeights(
        int layers, int hidden, int features, int outputs, float[][] input, float[][] recurrent, float[][] bias,
        float[] head, float[] headBias) {

    /** Gates of an LSTM, each with its rows in every matrix of a layer. */
    public static final int GATES = 4;

    /** @throws IllegalArgumentException if a count is below 1, or an array is of another length than they say. */
    public LstmWeights {
        requireAtLeastOne("layers", layers);
        requireAtLeastOne("hidden", hidden);
        requireAtLeastOne("features", features);
        requireAtLeastOne("outputs", outputs);
        requireLength("input", input.length, layers);
        requireLength("recurrent", recurrent.length, layers);
        requireLength("bias", bias.length, layers);
        for (int layer = 0; layer < layers; layer++) {
            final int inputs = layer == 0 ? features : hidden;
            requireLength("input " + layer, input[layer].length, (long) GATES * hidden * inputs);
            requireLength("recurrent " + layer, recurrent[layer].length, (long) GATES * hidden * hidden);
            requireLength("bias " + layer, bias[layer].length, (long) GATES * hidden);
        }
        requireLength("head", head.length, (long) outputs * hidden);
        requireLength("headBias", headBias.length, outputs);
    }

    /** The same weights for the same seed, each uniform in ±1/sqrt(H), as PyTorch initialises an LSTM. */
    public static LstmWeights random(
            final int layers, final int hidden, final int features, final int outputs, final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final double limit = 1 / Math.sqrt(hidden);
        final float[][] input = new float[layers][];
        final float[][] recurrent = new float[layers][];
        final float[][] bias = new float[layers][];
        for (int layer = 0; layer < layers; layer++) {
            final int inputs = layer == 0 ? features : hidden;
            input[layer] = uniform(random, Math.multiplyExact(GATES * hidden, inputs), limit);
            recurrent[layer] = uniform(random, Math.multiplyExact(GATES * hidden, hidden), limit);
            bias[layer] = uniform(random, GATES * hidden, limit);
        }
        return new LstmWeights(layers, hidden, features, outputs, input, recurrent, bias,
                uniform(random, Math.multiplyExact(outputs, hidden), limit), uniform(random, outputs, limit));
    }

    /** Inputs of a layer: columns of its input matrix. */
    public int inputsOf(final int layer) {
        return layer == 0 ? features : hidden;
    }

    private static float[] uniform(final SplittableRandom random, final int count, final double limit) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-limit, limit);
        }
        return values;
    }

    private static void requireAtLeastOne(final String name, final int count) {
        if (count < 1) {
            throw new IllegalArgumentException(name + "=" + count + " is below 1");
        }
    }

    private static void requireLength(final String name, final int length, final long expected) {
        if (length != expected) {
            throw new IllegalArgumentException(name + ": length=" + length + " expected=" + expected);
        }
    }
}
