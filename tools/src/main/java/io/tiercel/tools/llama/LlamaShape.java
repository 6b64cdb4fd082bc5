package io.tiercel.tools.llama;

import io.tiercel.tools.ModelInputException;

/**
 * The numbers that say what a Llama-shaped network is. They are in range, so that products of a few of them fit into a
 * {@code long}, and the parameters of the whole network into a file of the canonical form.
 *
 * @param dimension         of the residual stream.
 * @param headSize          channels of a head; not always {@code dimension / headCount}.
 * @param hiddenCount       of the feed-forward part, or of one expert.
 * @param expertCount       0 for a dense network.
 * @param activeExperts     experts that a token is sent to; 0 for a dense network.
 * @param isHeadTied        the head is the embedding.
 */
public record LlamaShape(
        int dimension, int layerCount, int headCount, int keyValueHeadCount, int headSize, int hiddenCount,
        int vocabularySize, int contextTokens, int expertCount, int activeExperts, double ropeTheta,
        float normEpsilon, boolean isHeadTied) {

    public static final int MAX_DIMENSION = 16_384;
    public static final int MAX_LAYERS = 128;
    public static final int MAX_HEADS = 256;
    public static final int MAX_HEAD_SIZE = 512;
    public static final int MAX_HIDDEN = 65_536;
    public static final int MAX_VOCABULARY = 262_144;
    public static final int MAX_CONTEXT_TOKENS = 1_048_576;
    public static final int MAX_EXPERTS = 64;
    public static final double MAX_ROPE_THETA = 1e12;

    /** What a file of the canonical form can hold. */
    public static final long MAX_PARAMETERS = ModelFiles.MAX_FILE_BYTES / Float.BYTES;

    /** @throws IllegalArgumentException if a value is out of range; {@link Builder} knows the file and names it. */
    public LlamaShape {
        requireInRange("dimension", dimension, 1, MAX_DIMENSION);
        requireInRange("layers", layerCount, 1, MAX_LAYERS);
        requireInRange("heads", headCount, 1, MAX_HEADS);
        requireInRange("keyValueHeads", keyValueHeadCount, 1, headCount);
        require(headCount % keyValueHeadCount == 0, "heads=" + headCount +
                " is not a multiple of keyValueHeads=" + keyValueHeadCount);
        requireInRange("headSize", headSize, 2, MAX_HEAD_SIZE);
        require(headSize % 2 == 0, "headSize=" + headSize + " is odd, rotation needs pairs");
        requireInRange("hidden", hiddenCount, 1, MAX_HIDDEN);
        requireInRange("vocabulary", vocabularySize, 2, MAX_VOCABULARY);
        requireInRange("contextTokens", contextTokens, 1, MAX_CONTEXT_TOKENS);
        requireInRange("experts", expertCount, 0, MAX_EXPERTS);
        requireInRange("activeExperts", activeExperts, Math.min(1, expertCount), expertCount);
        require(ropeTheta >= 1 && ropeTheta <= MAX_ROPE_THETA,
                "ropeTheta=" + ropeTheta + " is not in 1.." + MAX_ROPE_THETA);
        require(normEpsilon > 0 && normEpsilon < 1, "normEpsilon=" + normEpsilon + " is not between 0 and 1");
        final long parameters = countParameters(dimension, layerCount, headCount, keyValueHeadCount, headSize,
                hiddenCount, vocabularySize, expertCount, isHeadTied);
        require(parameters <= MAX_PARAMETERS,
                "parameters=" + parameters + " is above the limit of " + MAX_PARAMETERS);
    }

    /** @param source of the numbers, the beginning of what is said if one is out of range. */
    static Builder builder(final String source) {
        return new Builder(source);
    }

    /** Channels of all query heads. */
    public int queryWidth() {
        return headCount * headSize;
    }

    /** Channels of all key heads, and of all value heads. */
    public int keyValueWidth() {
        return keyValueHeadCount * headSize;
    }

    /** Query heads that share a key and value head. */
    public int groupSize() {
        return headCount / keyValueHeadCount;
    }

    public boolean isDense() {
        return expertCount == 0;
    }

    /** Feed-forward parts of a layer: 1, or the experts. */
    public int feedForwardCount() {
        return Math.max(1, expertCount);
    }

    public long parameterCount() {
        return countParameters(dimension, layerCount, headCount, keyValueHeadCount, headSize, hiddenCount,
                vocabularySize, expertCount, isHeadTied);
    }

    LlamaShape withTiedHead(final boolean isTied) {
        return new LlamaShape(dimension, layerCount, headCount, keyValueHeadCount, headSize, hiddenCount,
                vocabularySize, contextTokens, expertCount, activeExperts, ropeTheta, normEpsilon, isTied);
    }

    /** Below 2^45 for values in range. */
    private static long countParameters(
            final long dimension, final long layers, final long heads, final long keyValueHeads, final long headSize,
            final long hidden, final long vocabulary, final long experts, final boolean isHeadTied) {
        final long attention = 2 * dimension * headSize * (heads + keyValueHeads);
        final long feedForward = 3 * dimension * hidden * Math.max(1, experts) + experts * dimension;
        final long embeddings = vocabulary * dimension * (isHeadTied ? 1 : 2);
        return embeddings + layers * (attention + feedForward + 2 * dimension) + dimension;
    }

    private static void requireInRange(final String name, final int value, final int low, final int high) {
        require(value >= low && value <= high, name + "=" + value + " is not in " + low + ".." + high);
    }

    private static void require(final boolean holds, final String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }

    /** Collects what a reader finds; what was not set is 0 and mostly out of range. */
    static final class Builder {

        private final String source;
        private int dimension;
        private int layerCount;
        private int headCount;
        private int keyValueHeadCount;
        private int headSize;
        private int hiddenCount;
        private int vocabularySize;
        private int contextTokens;
        private int expertCount;
        private int activeExperts;
        private double ropeTheta;
        private float normEpsilon;
        private boolean isHeadTied;

        private Builder(final String source) {
            this.source = source;
        }

        Builder dimension(final int value) {
            dimension = value;
            return this;
        }

        Builder layers(final int value) {
            layerCount = value;
            return this;
        }

        /** @param size 0 for what the dimension leaves to each head. */
        Builder heads(final int count, final int keyValueCount, final int size) {
            headCount = count;
            keyValueHeadCount = keyValueCount;
            headSize = size;
            return this;
        }

        Builder hidden(final int value) {
            hiddenCount = value;
            return this;
        }

        Builder vocabulary(final int value) {
            vocabularySize = value;
            return this;
        }

        Builder context(final int tokens) {
            contextTokens = tokens;
            return this;
        }

        Builder experts(final int count, final int active) {
            expertCount = count;
            activeExperts = active;
            return this;
        }

        Builder ropeTheta(final double value) {
            ropeTheta = value;
            return this;
        }

        Builder normEpsilon(final float value) {
            normEpsilon = value;
            return this;
        }

        Builder headTied(final boolean isTied) {
            isHeadTied = isTied;
            return this;
        }

        LlamaShape build() {
            try {
                return new LlamaShape(dimension, layerCount, headCount, keyValueHeadCount, impliedHeadSize(),
                        hiddenCount, vocabularySize, contextTokens, expertCount, activeExperts, ropeTheta,
                        normEpsilon, isHeadTied);
            } catch (final IllegalArgumentException ex) {
                throw new ModelInputException(source + ": " + ex.getMessage(), ex);
            }
        }

        private int impliedHeadSize() {
            if (headSize != 0 || headCount <= 0 || dimension <= 0) {
                return headSize;
            }
            if (dimension % headCount != 0) {
                throw new ModelInputException(
                        source + ": dimension=" + dimension + " is not a multiple of heads=" + headCount);
            }
            return dimension / headCount;
        }
    }
}
