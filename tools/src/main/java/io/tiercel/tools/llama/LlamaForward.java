package io.tiercel.tools.llama;

import java.util.Arrays;

/**
 * One session of a Llama-shaped network in plain fp32, a token at a time, with an fp32 cache of keys and values that
 * grows as needed. It is what quantised forms are measured against and calibrated on, so it gives the same bits on
 * every machine: its exponentials and angles are {@link StrictMath}'s, its sums have one order. Not for use by several
 * threads.
 *
 * <p>Touvron et al., LLaMA (2023): RMSNorm before each part, rotary embedding of queries and keys, SwiGLU. Grouped
 * queries: Ainslie et al. (2023). Experts: Jiang et al., Mixtral (2024), softmax over the chosen ones.
 */
public final class LlamaForward {

    private static final int FIRST_CACHE_TOKENS = 64;

    private final LlamaWeights weights;
    private final LlamaShape shape;
    private final AttentionObserver observer;

    /** Turn of each pair of channels from one position to the next. */
    private final double[] anglePerToken;
    private final float[] cosines;
    private final float[] sines;
    private final float[] residual;
    private final float[] normalised;
    private final float[] query;
    private final float[] key;
    private final float[] value;
    private final float[] attended;
    private final float[] gate;
    private final float[] up;
    private final float[] projected;
    private final float[] mixed;
    private final float[] routerScores;
    private final int[] chosen;
    private final float[] shares;
    private final float[] logits;

    /** [layer][position * keyValueWidth]. */
    private final float[][] keyCache;
    private final float[][] valueCache;
    /** [head][position - first]. */
    private final float[][] probabilities;
    private final int positionLimit;
    /** Tokens that a token attends to, itself included; 0 for all. */
    private final int reach;
    private int position;
    private int first;

    /** A session that ends with the context. */
    public LlamaForward(final LlamaWeights weights) {
        this(weights, null);
    }

    /**
     * The same, observed.
     *
     * @param observer of attention; may be null.
     */
    public LlamaForward(final LlamaWeights weights, final AttentionObserver observer) {
        this(weights, observer, 0, weights.shape().contextTokens());
    }

    private LlamaForward(
            final LlamaWeights weights, final AttentionObserver observer, final int reach, final int positionLimit) {
        this.weights = weights;
        this.observer = observer;
        this.reach = reach;
        this.positionLimit = positionLimit;
        shape = weights.shape();
        anglePerToken = new double[shape.headSize() / 2];
        for (int i = 0; i < anglePerToken.length; i++) {
            anglePerToken[i] = StrictMath.pow(shape.ropeTheta(), -2.0 * i / shape.headSize());
        }
        cosines = new float[anglePerToken.length];
        sines = new float[anglePerToken.length];
        residual = new float[shape.dimension()];
        normalised = new float[shape.dimension()];
        query = new float[shape.queryWidth()];
        key = new float[shape.keyValueWidth()];
        value = new float[shape.keyValueWidth()];
        attended = new float[shape.queryWidth()];
        gate = new float[shape.hiddenCount()];
        up = new float[shape.hiddenCount()];
        projected = new float[shape.dimension()];
        mixed = new float[shape.dimension()];
        routerScores = new float[shape.expertCount()];
        chosen = new int[shape.activeExperts()];
        shares = new float[shape.activeExperts()];
        logits = new float[shape.vocabularySize()];
        keyCache = new float[shape.layerCount()][0];
        valueCache = new float[shape.layerCount()][0];
        probabilities = new float[shape.headCount()][0];
    }

    /**
     * A session without an end, in which a token attends to the last {@code reach} tokens, itself included.
     *
     * @param observer of attention; may be null.
     */
    public static LlamaForward sliding(
            final LlamaWeights weights, final int reach, final AttentionObserver observer) {
        return new LlamaForward(weights, observer, reach, Integer.MAX_VALUE);
    }

    /** Tokens so far; the next one's position. */
    public int position() {
        return position;
    }

    /** Forgets all tokens. */
    public void reset() {
        position = 0;
    }

    /**
     * Takes one token.
     *
     * @return a score for each token as the next one; the same array for each step.
     */
    public float[] step(final int tokenId) {
        if (tokenId < 0 || tokenId >= shape.vocabularySize()) {
            throw new IllegalArgumentException("tokenId=" + tokenId + " is not in 0.." + (shape.vocabularySize() - 1));
        }
        if (position == positionLimit) {
            throw new IllegalStateException("position=" + position + " is the end of the context");
        }
        ensureCache();
        first = reach == 0 ? 0 : Math.max(0, position + 1 - reach);
        turnTo(position);
        System.arraycopy(weights.embedding(), tokenId * shape.dimension(), residual, 0, shape.dimension());
        for (int layerIndex = 0; layerIndex < shape.layerCount(); layerIndex++) {
            final LlamaWeights.Layer layer = weights.layers().get(layerIndex);

            // residual += output . attention(norm(residual))
            normalise(residual, layer.attentionNorm(), normalised);
            attend(layer, layerIndex);
            multiply(layer.output(), attended, projected);
            add(projected, residual);

            // residual += feedForward(norm(residual))
            normalise(residual, layer.feedForwardNorm(), normalised);
            if (shape.isDense()) {
                feedForward(layer, 0);
                add(projected, residual);
            } else {
                mixExperts(layer);
                add(mixed, residual);
            }
        }
        normalise(residual, weights.finalNorm(), normalised);
        multiply(weights.head(), normalised, logits);
        position++;
        return logits;
    }

    /** The index of the highest score; of equal ones the first. */
    public static int greedy(final float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    /** From {@code normalised} to {@code attended}; the token's key and value join the cache. */
    private void attend(final LlamaWeights.Layer layer, final int layerIndex) {
        multiply(layer.query(), normalised, query);
        multiply(layer.key(), normalised, key);
        multiply(layer.value(), normalised, value);
        rotate(query);
        rotate(key);
        final int width = shape.keyValueWidth();
        System.arraycopy(key, 0, keyCache[layerIndex], position * width, width);
        System.arraycopy(value, 0, valueCache[layerIndex], position * width, width);
        Arrays.fill(attended, 0);
        for (int head = 0; head < shape.headCount(); head++) {
            attend(head, keyCache[layerIndex], valueCache[layerIndex]);
        }
        if (observer != null) {
            observer.attended(layerIndex, position, first, key, value, query, probabilities);
        }
    }

    /** softmax(query . keys / sqrt(headSize)) . values, over all positions in reach. */
    private void attend(final int head, final float[] keys, final float[] values) {
        final int size = shape.headSize();
        final int width = shape.keyValueWidth();
        final int firstQuery = head * size;
        final int firstKey = head / shape.groupSize() * size;
        final float[] scores = probabilities[head];
        final float scale = (float) (1 / Math.sqrt(size));
        for (int past = first; past <= position; past++) {
            scores[past - first] = dot(query, firstQuery, keys, past * width + firstKey, size) * scale;
        }
        softmax(scores, position + 1 - first);
        for (int past = first; past <= position; past++) {
            final int firstValue = past * width + firstKey;
            for (int i = 0; i < size; i++) {
                attended[firstQuery + i] += scores[past - first] * values[firstValue + i];
            }
        }
    }

    /** projected = down . (silu(gate . normalised) * (up . normalised)). */
    private void feedForward(final LlamaWeights.Layer layer, final int index) {
        multiply(layer.gate()[index], normalised, gate);
        multiply(layer.up()[index], normalised, up);
        for (int i = 0; i < gate.length; i++) {
            gate[i] = gate[i] * sigmoid(gate[i]) * up[i];
        }
        multiply(layer.down()[index], gate, projected);
    }

    /** mixed = sum of the chosen experts' results, the one with the highest score first, each times its share. */
    private void mixExperts(final LlamaWeights.Layer layer) {
        multiply(layer.router(), normalised, routerScores);
        choose();
        Arrays.fill(mixed, 0);
        for (int rank = 0; rank < chosen.length; rank++) {
            feedForward(layer, chosen[rank]);
            for (int i = 0; i < mixed.length; i++) {
                mixed[i] += shares[rank] * projected[i];
            }
        }
    }

    /** The experts with the highest scores, of equal ones the lower index; their shares are softmax over them alone. */
    private void choose() {
        for (int rank = 0; rank < chosen.length; rank++) {
            int best = -1;
            for (int expert = 0; expert < routerScores.length; expert++) {
                if (!isChosen(expert, rank) && (best < 0 || routerScores[expert] > routerScores[best])) {
                    best = expert;
                }
            }
            chosen[rank] = best;
            shares[rank] = routerScores[best];
        }
        softmax(shares, shares.length);
    }

    private boolean isChosen(final int expert, final int rankCount) {
        for (int rank = 0; rank < rankCount; rank++) {
            if (chosen[rank] == expert) {
                return true;
            }
        }
        return false;
    }

    private void turnTo(final int tokenPosition) {
        for (int i = 0; i < anglePerToken.length; i++) {
            final double angle = tokenPosition * anglePerToken[i];
            cosines[i] = (float) StrictMath.cos(angle);
            sines[i] = (float) StrictMath.sin(angle);
        }
    }

    /** Within each head channel i turns with channel i + headSize / 2. */
    private void rotate(final float[] vector) {
        final int half = cosines.length;
        for (int first = 0; first < vector.length; first += 2 * half) {
            for (int i = first; i < first + half; i++) {
                final float a = vector[i];
                final float b = vector[i + half];
                vector[i] = a * cosines[i - first] - b * sines[i - first];
                vector[i + half] = b * cosines[i - first] + a * sines[i - first];
            }
        }
    }

    /** result = input / sqrt(mean(input^2) + epsilon) * weight. */
    private void normalise(final float[] input, final float[] weight, final float[] result) {
        final float mean = dot(input, 0, input, 0, input.length) / input.length;
        final float scale = (float) (1 / Math.sqrt(mean + shape.normEpsilon()));
        for (int i = 0; i < input.length; i++) {
            result[i] = weight[i] * (scale * input[i]);
        }
    }

    /** Room for one more token, doubled when it runs out: a context may be far longer than what is ever used of it. */
    private void ensureCache() {
        final int width = shape.keyValueWidth();
        if (position * (long) width < keyCache[0].length) {
            return;
        }
        final int tokens = Math.min(positionLimit, Math.max(FIRST_CACHE_TOKENS, 2 * position));
        final int length = Math.multiplyExact(tokens, width);
        for (int layerIndex = 0; layerIndex < keyCache.length; layerIndex++) {
            keyCache[layerIndex] = Arrays.copyOf(keyCache[layerIndex], length);
            valueCache[layerIndex] = Arrays.copyOf(valueCache[layerIndex], length);
        }
        for (int head = 0; head < probabilities.length; head++) {
            probabilities[head] = new float[tokens];
        }
    }

    /** result = matrix [result.length][vector.length] . vector. */
    private static void multiply(final float[] matrix, final float[] vector, final float[] result) {
        for (int row = 0; row < result.length; row++) {
            result[row] = dot(matrix, row * vector.length, vector, 0, vector.length);
        }
    }

    /** In four sums, of every fourth product each, so that an addition need not wait for the one before it. */
    private static float dot(
            final float[] left, final int leftOffset, final float[] right, final int rightOffset, final int count) {
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        int i = 0;
        for (; i + 3 < count; i += 4) {
            sum0 += left[leftOffset + i] * right[rightOffset + i];
            sum1 += left[leftOffset + i + 1] * right[rightOffset + i + 1];
            sum2 += left[leftOffset + i + 2] * right[rightOffset + i + 2];
            sum3 += left[leftOffset + i + 3] * right[rightOffset + i + 3];
        }
        for (; i < count; i++) {
            sum0 += left[leftOffset + i] * right[rightOffset + i];
        }
        return (sum0 + sum1) + (sum2 + sum3);
    }

    /** The highest score is subtracted first, so that no exponential overflows. */
    private static void softmax(final float[] scores, final int count) {
        float highest = scores[0];
        for (int i = 1; i < count; i++) {
            highest = Math.max(highest, scores[i]);
        }
        float sum = 0;
        for (int i = 0; i < count; i++) {
            scores[i] = (float) StrictMath.exp(scores[i] - highest);
            sum += scores[i];
        }
        for (int i = 0; i < count; i++) {
            scores[i] /= sum;
        }
    }

    private static float sigmoid(final float x) {
        return (float) (1 / (1 + StrictMath.exp(-x)));
    }

    private static void add(final float[] addend, final float[] sum) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += addend[i];
        }
    }
}
