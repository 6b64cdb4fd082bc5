package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;

/**
 * The sizes of a {@code transformer}, from the manifest and checked.
 *
 * @param layers        L.
 * @param dimension     D: of the residual stream.
 * @param heads         H: of queries; a multiple of {@code keyValueHeads}.
 * @param keyValueHeads K: of keys and values; H / K heads of queries share one.
 * @param headSize      d: channels of a head, a multiple of 4.
 * @param hidden        F: of an expert's feed-forward layer.
 * @param vocabulary    V: tokens; 0 if a step's input is a feature vector.
 * @param context       tokens that a session's attention reaches: sinks, window and those before it.
 * @param window        newest tokens, kept in 8 bits.
 * @param sinks         first tokens, kept in 8 bits for ever.
 * @param experts       E; 0 for one feed-forward layer without a router.
 * @param activeExperts of the experts, computed for each token.
 * @param isHeadTied    whether the head's matrix is the embedding's.
 */
public record TransformerShape(
        int layers, int dimension, int heads, int keyValueHeads, int headSize, int hidden, int vocabulary, int context,
        int window, int sinks, int experts, int activeExperts, boolean isHeadTied) {

    public static final int MAX_LAYERS = 48;
    public static final int MAX_DIMENSION = 8192;
    public static final int MAX_HEADS = 128;
    public static final int MAX_HEAD_SIZE = 256;
    public static final int MAX_HIDDEN = 32_768;
    public static final int MAX_VOCABULARY = 1 << 18;
    /** A sum over a context of weights of 15 bits times values of 8 is built of parts that fit 32 bits. */
    public static final int MAX_CONTEXT = 1 << 15;
    public static final int MAX_EXPERTS = 64;

    /** Of a head: a lane of the kernels takes four channels. */
    public static final int HEAD_SIZE_STEP = 4;

    static TransformerShape read(final Bundle bundle) {
        final TransformerShape shape = new TransformerShape(
                bundle.size("layers", MAX_LAYERS),
                bundle.size("dimension", MAX_DIMENSION),
                bundle.size("heads", MAX_HEADS),
                bundle.size("keyValueHeads", MAX_HEADS),
                bundle.size("headSize", MAX_HEAD_SIZE),
                bundle.size("hidden", MAX_HIDDEN),
                bundle.size("vocabulary", 0, MAX_VOCABULARY),
                bundle.size("context", MAX_CONTEXT),
                bundle.size("window", 0, MAX_CONTEXT),
                bundle.size("sinks", 0, MAX_CONTEXT),
                bundle.size("experts", 0, MAX_EXPERTS),
                bundle.size("activeExperts", 0, MAX_EXPERTS),
                bundle.size("tiedHead", 0, 1) == 1);
        shape.check(bundle);
        return shape;
    }

    /** H x d: of the queries of a token, and of what attention puts out. */
    public int queryCount() {
        return heads * headSize;
    }

    /** K x d: of the keys of a token, and of its values. */
    public int keyCount() {
        return keyValueHeads * headSize;
    }

    /** Rows of the matrix that makes queries, keys and values, in this order. */
    public int attentionInputRows() {
        return queryCount() + 2 * keyCount();
    }

    /** Feed-forward layers of a layer: its experts, or one. */
    public int feedForwards() {
        return Math.max(experts, 1);
    }

    public boolean hasRouter() {
        return experts > 0;
    }

    public boolean hasTokens() {
        return vocabulary > 0;
    }

    /** Tokens that are kept in 8 bits. */
    public int recentTokens() {
        return sinks + window;
    }

    /** Tokens that are kept coded, behind sinks and window. */
    public int codedTokens() {
        return context - recentTokens();
    }

    private void check(final Bundle bundle) {
        require(bundle, heads % keyValueHeads == 0, "heads", heads, "a multiple of keyValueHeads=" + keyValueHeads);
        require(bundle, headSize % HEAD_SIZE_STEP == 0, "headSize", headSize, "a multiple of " + HEAD_SIZE_STEP);
        require(bundle, sinks + window <= context, "context", context, "at least sinks + window=" + (sinks + window));
        require(bundle, window > 0 || codedTokens() > 0, "context", context, "above sinks=" + sinks +
                ", as there is no window");
        require(bundle, activeExperts <= experts && (activeExperts > 0 || experts == 0), "activeExperts",
                activeExperts, "one of the experts=" + experts + " at least");
        require(bundle, !isHeadTied || vocabulary > 0, "tiedHead", 1, "0, as there is no vocabulary");
    }

    private static void require(
            final Bundle bundle, final boolean isTrue, final String key, final int value, final String what) {
        if (!isTrue) {
            throw new BundleException(bundle.path() + ": manifest key=shape." + key + " value=" + value + " is not " +
                    what);
        }
    }
}
