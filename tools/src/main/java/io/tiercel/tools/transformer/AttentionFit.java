package io.tiercel.tools.transformer;

import io.tiercel.tools.llama.LlamaShape;

/**
 * Steps with which attention over codes comes nearest to attention as it was seen, the codes being what they are. Steps
 * of the least error of keys and values one by one are too small for that: a code stands for the mean of what has it,
 * so scores are drawn together, and tokens that get much attention get less.
 *
 * <p>Keys: the least divergence (Kullback, Leibler) of attention over codes from attention over keys, summed over
 * queries. It is convex in the steps, so Newton's method finds it. Values: the least squares of what comes out, where
 * attention is already that over the coded keys. One thread.
 */
final class AttentionFit {

    /** Of keys' steps, spread evenly; values' steps are of all of them. */
    private static final int MAX_QUERIES = 2048;
    private static final int ITERATIONS = 3;
    /** Share of a step's own curvature that holds it where it was: for channels that no query of these meets. */
    private static final double KEY_HOLD = 0.01;
    /** Share of the error of each token by itself, beside that of what comes out. */
    private static final double VALUE_HOLD = 0.1;
    /** Of the step before. */
    private static final double SMALLEST_SHARE = 0.2;

    private final LlamaShape shape;
    private final CacheStatistics.Layer seen;
    private final int window;
    private final int size;
    private final double scale;
    /** Attention to the tokens from the first in reach on: as it was, and over codes. */
    private final double[] exact;
    private final double[] coded;

    /** @param window tokens that are not coded. */
    AttentionFit(final LlamaShape shape, final CacheStatistics.Layer seen, final int window) {
        this.shape = shape;
        this.seen = seen;
        this.window = window;
        size = shape.headSize();
        scale = 1 / Math.sqrt(size);
        final int reach = seen.tokens();
        exact = new double[reach];
        coded = new double[reach];
    }

    /** Better steps for codes of keys, [K d]. */
    float[] keySteps(final UniformCodes keys) {
        final float[] steps = keys.steps().clone();
        for (int head = 0; head < shape.keyValueHeadCount(); head++) {
            for (int i = 0; i < ITERATIONS; i++) {
                improve(head, keys, steps);
            }
        }
        return steps;
    }

    /**
     * Better steps for codes of values, [K d].
     *
     * @param keys codes of the keys; null if attention is over keys as they are.
     */
    float[] valueSteps(final UniformCodes values, final UniformCodes keys) {
        final float[] steps = values.steps().clone();
        for (int head = 0; head < shape.keyValueHeadCount(); head++) {
            fitValues(head, values, keys, steps);
        }
        return steps;
    }

    /** One step of Newton's method on the steps of a head of keys. */
    private void improve(final int keyHead, final UniformCodes keys, final float[] steps) {
        final UniformCodes now = keys.withSteps(steps);
        final double[][] curvature = new double[size][size];
        final double[] slope = new double[size];
        final int stride = Math.max(1, seen.tokens() / MAX_QUERIES);
        for (int head = keyHead * shape.groupSize(); head < (keyHead + 1) * shape.groupSize(); head++) {
            for (int token = head % stride; token < seen.tokens(); token += stride) {
                if (codedEnd(token) > first(token)) {
                    attend(head, token, null, exact);
                    attend(head, token, now, coded);
                    addQuery(head, token, keys.levels(), curvature, slope);
                }
            }
        }
        for (int c = 0; c < size; c++) {
            final int channel = keyHead * size + c;
            final double hold = curvature[c][c] == 0 ? 1 : KEY_HOLD * curvature[c][c];
            curvature[c][c] += hold;
            slope[c] += hold * ((double) steps[channel] - keys.steps()[channel]);
        }
        final double[] change = LinearSystem.solve(curvature, slope);
        for (int c = 0; c < size; c++) {
            final int channel = keyHead * size + c;
            steps[channel] = (float) Math.max(SMALLEST_SHARE * keys.steps()[channel], steps[channel] - change[c]);
        }
    }

    /**
     * Adds a query's part of the divergence: a score is {@code Σ step query level}, and so, of x = query level, the
     * slope is what x is on average under attention over codes less what it is under attention as it was, the curvature
     * how x varies under the former.
     */
    private void addQuery(
            final int head, final int token, final byte[][] levels, final double[][] curvature,
            final double[] slope) {
        final double[] means = new double[size];
        final double[] surpluses = new double[size];
        final double[][] products = new double[size][size];
        final int firstKey = head / shape.groupSize() * size;
        final int first = first(token);
        for (int past = first; past < codedEnd(token); past++) {
            final byte[] row = levels[past];
            final double weight = coded[past - first];
            final double surplus = weight - exact[past - first];
            for (int c = 0; c < size; c++) {
                final double part = weight * row[firstKey + c];
                means[c] += part;
                surpluses[c] += surplus * row[firstKey + c];
                for (int other = c; other < size; other++) {
                    products[c][other] += part * row[firstKey + other];
                }
            }
        }
        final float[] queries = seen.queries.get(token);
        for (int c = 0; c < size; c++) {
            final double query = scale * queries[head * size + c];
            slope[c] += query * surpluses[c];
            for (int other = c; other < size; other++) {
                curvature[c][other] += query * scale * queries[head * size + other] *
                        (products[c][other] - means[c] * means[other]);
                curvature[other][c] = curvature[c][other];
            }
        }
    }

    /** step = Σ level wanted / Σ level level, where both are sums over what a query attends to. */
    private void fitValues(
            final int keyHead, final UniformCodes values, final UniformCodes keys, final float[] steps) {
        final double[] levelWanted = new double[size];
        final double[] levelLevel = new double[size];
        for (int head = keyHead * shape.groupSize(); head < (keyHead + 1) * shape.groupSize(); head++) {
            for (int token = 0; token < seen.tokens(); token++) {
                if (codedEnd(token) > first(token)) {
                    attend(head, token, null, exact);
                    attend(head, token, keys, coded);
                    addOutput(keyHead, token, values, levelWanted, levelLevel);
                }
            }
        }
        for (int c = 0; c < size; c++) {
            final int channel = keyHead * size + c;
            final double step = levelLevel[c] == 0 ? 0 : levelWanted[c] / levelLevel[c];
            steps[channel] = (float) Math.max(SMALLEST_SHARE * steps[channel], step);
        }
    }

    /** What comes out is to be what it was, whatever the keys' codes take from some tokens and give to others. */
    private void addOutput(
            final int keyHead, final int token, final UniformCodes values, final double[] levelWanted,
            final double[] levelLevel) {
        final double[] levels = new double[size];
        final double[] wanted = new double[size];
        final int first = first(token);
        for (int past = first; past <= token; past++) {
            final boolean isCoded = past < codedEnd(token);
            final double weight = isCoded ? coded[past - first] : 0;
            final double missing = exact[past - first] - (isCoded ? 0 : coded[past - first]);
            final double hold = VALUE_HOLD * weight * weight;
            for (int c = 0; c < size; c++) {
                final int channel = keyHead * size + c;
                final double value = seen.values.get(past)[channel] - (double) values.means()[channel];
                final double level = values.levels()[past][channel];
                wanted[c] += missing * value;
                levels[c] += weight * level;
                levelWanted[c] += hold * level * value;
                levelLevel[c] += hold * level * level;
            }
        }
        for (int c = 0; c < size; c++) {
            levelWanted[c] += levels[c] * wanted[c];
            levelLevel[c] += levels[c] * levels[c];
        }
    }

    /** A head's softmax over all in reach, of keys as they are in the window, and behind it as codes have them. */
    private void attend(final int head, final int token, final UniformCodes keys, final double[] weights) {
        final int first = first(token);
        final int firstKey = head / shape.groupSize() * size;
        final float[] queries = seen.queries.get(token);
        double largest = Double.NEGATIVE_INFINITY;
        for (int past = first; past <= token; past++) {
            double score = 0;
            if (keys == null || past >= codedEnd(token)) {
                final float[] row = seen.keys.get(past);
                for (int c = 0; c < size; c++) {
                    score += (double) queries[head * size + c] * row[firstKey + c];
                }
            } else {
                final byte[] levels = keys.levels()[past];
                for (int c = 0; c < size; c++) {
                    final int channel = firstKey + c;
                    score += queries[head * size + c] *
                            (keys.means()[channel] + (double) keys.steps()[channel] * levels[channel]);
                }
            }
            weights[past - first] = score * scale;
            largest = Math.max(largest, score * scale);
        }
        double sum = 0;
        for (int i = 0; i <= token - first; i++) {
            weights[i] = StrictMath.exp(weights[i] - largest);
            sum += weights[i];
        }
        for (int i = 0; i <= token - first; i++) {
            weights[i] /= sum;
        }
    }

    private int first(final int token) {
        return seen.firsts.get(token);
    }

    /** Behind the last of the tokens that are coded when this one looks. */
    private int codedEnd(final int token) {
        return token - window + 1;
    }
}
