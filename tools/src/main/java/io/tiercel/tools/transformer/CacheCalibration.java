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

    /**
     * Which codec of which layer.
     *
     * @param keys null for the codec of keys themselves; for one of values that of the keys that attention goes by.
     */
    private record Key(int layer, Codec codec, Key keys, boolean isRotated, int largest, long seed) {
    }

    private final LlamaWeights weights;
    private final LlamaShape shape;
    private final CacheStatistics statistics;
    private final int window;
    private final Map<Key, CodecCalibration> made = new HashMap<>();

    private CacheCalibration(final LlamaWeights weights, final CacheStatistics statistics, final int window) {
        this.weights = weights;
        this.statistics = statistics;
        this.window = window;
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
        return new CacheCalibration(weights, CacheStatistics.of(weights, sequences, window, reach), window);
    }

    /** Tokens that were seen. */
    public int tokenCount() {
        return statistics.layer(0).tokens();
    }

    CodecCalibration keys(final int layer, final TransformerSettings settings, final boolean isRotated) {
        return codec(keysKey(layer, settings, isRotated));
    }

    CodecCalibration values(final int layer, final TransformerSettings settings, final boolean isRotated) {
        return codec(new Key(layer, settings.cache().values(), keysKey(layer, settings, isRotated), isRotated,
                settings.recentMaximum(), settings.seed()));
    }

    private static Key keysKey(final int layer, final TransformerSettings settings, final boolean isRotated) {
        return new Key(layer, settings.cache().keys(), null, isRotated, settings.recentMaximum(), settings.seed());
    }

    /** Not {@code computeIfAbsent}: making one of values may ask for one of keys. */
    private CodecCalibration codec(final Key key) {
        CodecCalibration codec = made.get(key);
        if (codec == null) {
            codec = make(key);
            made.put(key, codec);
        }
        return codec;
    }

    private CodecCalibration make(final Key key) {
        final CacheStatistics.Layer seen =
                key.isRotated ? statistics.layer(key.layer).turned(this::rotated) : statistics.layer(key.layer);
        final boolean isValues = key.keys != null;
        final double[] sensitivities = key.isRotated
                ? even()
                : isValues ? outputSquares(weights.layers().get(key.layer).output()) : seen.querySquares;
        final CodecCalibration codec = new CodecCalibration(key.codec, shape.keyValueHeadCount(), shape.headSize(),
                isValues ? seen.values : seen.keys, seen.importances, sensitivities, key.largest, key.seed);
        if (key.codec.hasSteps()) {
            final AttentionFit fit = new AttentionFit(shape, seen, window);
            codec.changeSteps(isValues
                    ? fit.valueSteps(codec.codes(), key.keys.codec.hasSteps() ? codec(key.keys).codes() : null)
                    : fit.keySteps(codec.codes()));
        }
        return codec;
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
