package io.tiercel.tools.llama;

/** Sees what attention computes, for calibration; called once for each layer of each step. */
@FunctionalInterface
public interface AttentionObserver {

    /**
     * The arrays are the forward pass's own, used again at once: copy what is to be kept, change nothing.
     *
     * @param position      of the token, from 0.
     * @param first         the first position that the token attends to.
     * @param keys          [keyValueHeads * headSize], after rotation.
     * @param values        [keyValueHeads * headSize].
     * @param queries       [heads * headSize], after rotation, not scaled.
     * @param probabilities [heads][at least position - first + 1]: what each head gives to each position from
     *                      {@code first} on; what lies behind {@code position} means nothing.
     */
    void attended(
            int layerIndex, int position, int first, float[] keys, float[] values, float[] queries,
            float[][] probabilities);
}
