package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.LlamaWeights;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The codecs of a network's keys and values for one window, from what its attention was seen to do; each is made once,
 * however many bundles have it. One thread.
 */
public final class CacheCalibration {

    /** Which codec of which layer. */
    private record Key(int layer, boolean isValues, Codec codec, boolean isRotated, int largest, long seed) {
    }

    private final LlamaWeights weights;
    private final LlamaShape shape;
    private final CacheStatistics statistics;
    private final Map<Key, CodecCalibration> made = new HashMap<>();

    private CacheCalibration(final LlamaWeights weights, final CacheStatistics statistics) {
        this.weights = weights;
        this.statistics = statistics;
        shape = weights.shape();
    }

    /**
     * Runs the network over the sequences, each from its beginning.
     *
     * @param sequences tokens; not empty.
     * @param window    newest tokens that are not coded.
     * @param reach     tokens that a token attends to, itself included.
     */
    public static CacheCalibration of(
            final LlamaWeights weights, final List<int[]> sequences, final int window, final int reach) {
        return new CacheCalibration(weights, CacheStatistics.of(weights, sequences, window, reach));
    }

    /** Tokens that were seen. */
    public int tokenCount() {
        return statistics.layer(0).tokens();
    }

    CodecCalibration keys(final int layer, final TransformerSettings settings, final boolean isRotated) {
        return codec(new Key(layer, false, settings.cache().keys(), isRotated, settings.recentMaximum(),
                settings.seed()));
    }

    CodecCalibration values(final int layer, final TransformerSettings settings, final boolean isRotated) {
        return codec(new Key(layer, true, settings.cache().values(), isRotated, settings.recentMaximum(),
                settings.seed()));
    }

    private CodecCalibration codec(final Key key) {
        return made.computeIfAbsent(key, this::make);
    }

    private CodecCalibration make(final Key key) {
        final CacheStatistics.Layer seen = statistics.layer(key.layer);
        final List<float[]> rows = key.isValues ? seen.values : seen.keys;
        final double[] sensitivities = key.isRotated
                ? even()
                : key.isValues ? outputSquares(weights.layers().get(key.layer).output()) : seen.querySquares;
        return new CodecCalibration(key.codec, shape.keyValueHeadCount(), shape.headSize(),
                key.isRotated ? rows.stream().map(this::rotated).toList() : rows, seen.importances, sensitivities,
                key.largest, key.seed);
    }

    /** What the output matrix makes of an error of a value's channel, by all heads that share it. */
    private double[] outputSquares(final float[] output) {
        final double[] squares = new double[shape.keyValueWidth()];
        for (int i = 0; i < output.length; i++) {
            final int channel = i % shape.queryWidth();
            final int head = channel / shape.headSize() / shape.groupSize();
            squares[head * shape.headSize() + channel % shape.headSize()] += (double) output[i] * output[i];
        }
        return squares;
    }

    private double[] even() {
        final double[] sensitivities = new double[shape.keyValueWidth()];
        Arrays.fill(sensitivities, 1);
        return sensitivities;
    }

    /** Each head's channels through a Walsh-Hadamard butterfly that keeps lengths. */
    private float[] rotated(final float[] row) {
        final float[] rotated = row.clone();
        final int size = shape.headSize();
        for (int first = 0; first < row.length; first += size) {
            for (int stride = 1; stride < size; stride *= 2) {
                for (int i = 0; i < size; i++) {
                    if ((i & stride) == 0) {
                        final float one = rotated[first + i];
                        final float other = rotated[first + i + stride];
                        rotated[first + i] = one + other;
                        rotated[first + i + stride] = one - other;
                    }
                }
            }
        }
        for (int i = 0; i < rotated.length; i++) {
            rotated[i] /= (float) Math.sqrt(size);
        }
        return rotated;
    }
}
