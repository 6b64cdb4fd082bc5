package io.tiercel.tools.transformer;

import io.tiercel.tools.llama.AttentionObserver;
import io.tiercel.tools.llama.LlamaForward;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.LlamaWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * What attention is seen to do on calibration tokens: each token's queries, keys and values, and how
 * much attention a token gets after it has left the window, which is all that its codes are for.
 *
 * <p>Rows are [K d], in the order of the tokens; those of one sequence stand together. One thread.
 */
final class CacheStatistics {

    /** Tokens that are kept: more make codebooks little better and take long. */
    static final int MAX_TOKENS = 8192;

    /** So that most tokens of a piece have others far behind them. */
    private static final int MIN_PIECE_TOKENS = 1024;

    /** One layer. */
    static final class Layer {

        final List<float[]> keys = new ArrayList<>();
        final List<float[]> values = new ArrayList<>();
        /** [H d] each. */
        final List<float[]> queries = new ArrayList<>();
        /** The first token that the token attends to. */
        final List<Integer> firsts = new ArrayList<>();
        /** By head of keys: attention that the token got from tokens a window or more behind it. */
        final List<double[]> importances = new ArrayList<>();
        /** [K d]: sums of squares of the queries that meet a key's channel. */
        final double[] querySquares;

        Layer(final int keyCount) {
            querySquares = new double[keyCount];
        }

        int tokens() {
            return keys.size();
        }

        /** The same with heads' channels turned into others, by a turn that keeps products. */
        Layer turned(final UnaryOperator<float[]> turn) {
            final Layer turned = new Layer(querySquares.length);
            keys.forEach(row -> turned.keys.add(turn.apply(row)));
            values.forEach(row -> turned.values.add(turn.apply(row)));
            queries.forEach(row -> turned.queries.add(turn.apply(row)));
            turned.firsts.addAll(firsts);
            turned.importances.addAll(importances);
            return turned;
        }
    }

    private final LlamaShape shape;
    private final int window;
    private final Layer[] layers;
    private int sequenceStart;

    private CacheStatistics(final LlamaShape shape, final int window) {
        this.shape = shape;
        this.window = window;
        layers = new Layer[shape.layerCount()];
        for (int i = 0; i < layers.length; i++) {
            layers[i] = new Layer(shape.keyValueWidth());
        }
    }

    /**
     * Runs the network over the sequences, each in a session of its own; of more than {@value #MAX_TOKENS} tokens over
     * pieces that are spread evenly, since a day's beginning is not like its end.
     *
     * @param window tokens younger than this do not count as attended to by codes.
     * @param reach  tokens that a token attends to.
     */
    static CacheStatistics of(
            final LlamaWeights weights, final List<int[]> sequences, final int window, final int reach) {
        final CacheStatistics statistics = new CacheStatistics(weights.shape(), window);
        int left = MAX_TOKENS;
        final int pieceTokens = Math.max(MIN_PIECE_TOKENS, 2 * reach);
        for (final int[] sequence : TokenSequences.spread(sequences, MAX_TOKENS, pieceTokens)) {
            if (left == 0) {
                break;
            }
            statistics.sequenceStart = statistics.layers[0].tokens();
            final LlamaForward forward = LlamaForward.sliding(weights, reach, statistics.observer());
            for (int i = 0; i < sequence.length && left > 0; i++, left--) {
                forward.step(sequence[i]);
            }
        }
        return statistics;
    }

    Layer layer(final int index) {
        return layers[index];
    }

    private AttentionObserver observer() {
        return (layerIndex, position, first, keys, values, queries, probabilities) -> {
            final Layer layer = layers[layerIndex];
            layer.keys.add(keys.clone());
            layer.values.add(values.clone());
            layer.queries.add(queries.clone());
            layer.firsts.add(sequenceStart + first);
            layer.importances.add(new double[shape.keyValueHeadCount()]);
            final int size = shape.headSize();
            for (int head = 0; head < shape.headCount(); head++) {
                final int keyHead = head / shape.groupSize();
                for (int c = 0; c < size; c++) {
                    final double query = queries[head * size + c];
                    layer.querySquares[keyHead * size + c] += query * query;
                }
                for (int past = first; past <= position - window; past++) {
                    layer.importances.get(sequenceStart + past)[keyHead] += probabilities[head][past - first];
                }
            }
        };
    }
}
