package io.tiercel.appliance.engine.reference;

import static io.tiercel.appliance.engine.exact.Elementwise.sigmoid;
import static io.tiercel.appliance.engine.reference.VectorMath.norm;
import static io.tiercel.appliance.engine.reference.VectorMath.quantise;

import io.tiercel.appliance.engine.Footprint;
import io.tiercel.appliance.engine.StateHash;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.StepByStep;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.exact.Elementwise;
import io.tiercel.appliance.engine.exact.Softmax;
import io.tiercel.appliance.engine.transformer.FeatureParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.engine.transformer.TransformerShape;
import io.tiercel.appliance.engine.transformer.TransformerStateLayout;
import java.util.Arrays;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The forward pass of the {@code transformer} family, written to be read from top to bottom; {@code TRANSFORMER.md} has
 * the formulas. One thread; allocates in its constructor only. Positions of a batch are computed one after the other
 * and share scratch, nothing else, so a batch cannot change a bit.
 *
 * <p>A step: the token's row of the embedding, or the feature vector's product with it, is the residual stream x [D].
 * Each layer adds what its attention and its feed-forward layer make of x. The head makes logits of the last x.
 */
final class TransformerExecutor implements TokenExecutor {

    private static final long FLOATS = UnsafeApi.arrayBaseOffset(float[].class);

    /** A weight of softmax is a whole number of 2^-15ths of the largest one. */
    private static final float WEIGHT_ONE = 0x1p15f;
    private static final float LOWEST_EXPONENT = -32f;

    private final TransformerModel model;
    private final TransformerParameters parameters;
    private final TransformerShape shape;
    private final TransformerStateLayout layout;
    private final TransformerCache cache;
    private final StepByStep stepByStep;
    private final UndoLog undo = new UndoLog();
    /** Of a tentative row: where the log and the header stood before it, and after each of its steps. */
    private final int[] marks = new int[MAX_DRAFT + 1];
    private final UnsafeBuffer headers = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
            (MAX_DRAFT + 1) * TransformerStateLayout.HEADER_BYTES, BitUtil.CACHE_LINE_LENGTH));
    private final int activationMaximum;
    private final int logitCount;

    /** x, [D]. */
    private final float[] residual;
    private final float[] normed;
    /** Queries [H d], keys [K d], values [K d]. */
    private final float[] projected;
    private final float[] attended;
    /** Of the gate [F], then of what it gates [F]; what comes of both in the first half. */
    private final float[] hidden;
    /** What a matrix adds to x, [D]. */
    private final float[] change;
    private final float[] expertSum;
    private final float[] routed;
    /** Of the experts that are computed. */
    private final float[] shares;
    private final float[] logits;
    private final float[] probabilities;
    private final float[] features;
    private final int[] quantised;
    private final int[][] products;

    private final float[] cosines;
    private final float[] sines;
    private final int[] keyRow;
    private final int[] valueRow;
    private final int[] codes;
    private final float[] folded;
    private final int[] recentQuery;
    private final int[] codedQuery;
    private final float[] scores;
    private final int[] weights;
    private final long[] recentSums;
    private final long[] codedSums;
    private final int[] ranked;
    private final int[] terms;
    private final UnsafeBuffer rowBytes;
    private final UnsafeBuffer logitsOfBatch;
    private long rowDigest;
    private long codedDigest;

    TransformerExecutor(final TransformerModel model, final int maxBatch) {
        this.model = model;
        parameters = model.parameters;
        shape = parameters.shape();
        layout = parameters.layout();
        final int headSize = shape.headSize();
        cache = new TransformerCache(layout, headSize, undo);
        stepByStep = new StepByStep(this, model.shape().featureCount());
        activationMaximum = parameters.activationMaximum();
        logitCount = parameters.logitCount();
        final int dimension = shape.dimension();
        residual = new float[dimension];
        normed = new float[dimension];
        projected = new float[shape.attentionInputRows()];
        attended = new float[shape.queryCount()];
        hidden = new float[2 * shape.hidden()];
        change = new float[dimension];
        expertSum = new float[dimension];
        routed = new float[shape.feedForwards()];
        shares = new float[Math.max(1, shape.activeExperts())];
        logits = new float[logitCount];
        probabilities = new float[logitCount];
        features = new float[model.shape().featureCount()];
        quantised =
                new int[Math.max(Math.max(dimension, shape.queryCount()), Math.max(shape.hidden(), features.length))];
        products = new int[2][Math.max(Math.max(dimension, projected.length), Math.max(hidden.length, logitCount))];
        cosines = new float[headSize / 2];
        sines = new float[headSize / 2];
        keyRow = new int[shape.keyCount()];
        valueRow = new int[shape.keyCount()];
        codes = new int[headSize];
        folded = new float[headSize];
        recentQuery = new int[headSize];
        codedQuery = new int[headSize];
        scores = new float[shape.context() + 1];
        weights = new int[shape.context() + 1];
        recentSums = new long[headSize];
        codedSums = new long[headSize];
        ranked = new int[Math.max(parameters.top(), Math.max(1, shape.activeExperts()))];
        terms = new int[Math.max(logitCount, ranked.length)];
        rowBytes = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(2 * shape.keyCount(), BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
        logitsOfBatch = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                Math.multiplyExact(Math.max(maxBatch, MAX_DRAFT), logitCount * Float.BYTES),
                BitUtil.CACHE_LINE_LENGTH));
    }

    @Override
    public Footprint footprint() {
        return layout.footprint();
    }

    @Override
    public void initialise(final long stateAddress) {
        UnsafeApi.setMemory(stateAddress, layout.stateBytes(), (byte) 0);
    }

    @Override
    public boolean hasRoom(final long stateAddress, final int stepCount) {
        return TransformerStateLayout.hasRoom(stateAddress, model.shape().contextTokens(), stepCount);
    }

    @Override
    public void step(final StepBatch batch) {
        for (int i = 0, size = batch.size(); i < size; i++) {
            step(batch.stateAddress(i), batch.featuresAddress(i), batch.outputsAddress(i), i);
        }
    }

    @Override
    public long hash(final long stateAddress, final long previousHash) {
        return StateHash.mix(previousHash, stateAddress, TransformerStateLayout.CODED_OFFSET);
    }

    /** The token that the next step's will displace from the window is coded. */
    @Override
    public void ahead(final StepBatch batch) {
        for (int i = 0, size = batch.size(); i < size; i++) {
            ahead(batch.stateAddress(i));
        }
    }

    private void ahead(final long stateAddress) {
        cache.at(stateAddress);
        final long leaving = cache.position() - shape.window();
        if (shape.window() > 0 && leaving >= cache.codedTokens()) {
            codeRecent(leaving);
        }
    }

    @Override
    public long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        return stepByStep.steps(stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
    }

    @Override
    public void stepTentatively(
            final long stateAddress, final long tokensAddress, final int tokenCount, final long outputsAddress,
            final int outputsStride) {
        undo.begin();
        noteTentative(stateAddress, 0);
        for (int i = 0; i < tokenCount; i++) {
            if (i > 0) {
                ahead(stateAddress);
            }
            step(stateAddress, tokensAddress + (long) i * Integer.BYTES, outputsAddress + (long) i * outputsStride, i);
            noteTentative(stateAddress, i + 1);
        }
        undo.end();
    }

    private void noteTentative(final long stateAddress, final int count) {
        marks[count] = undo.mark();
        UnsafeApi.copyMemory(stateAddress, headerAddress(count), TransformerStateLayout.HEADER_BYTES);
    }

    private long headerAddress(final int count) {
        return headers.addressOffset() + (long) count * TransformerStateLayout.HEADER_BYTES;
    }

    @Override
    public long keep(final long stateAddress, final int keptCount, final long previousHash) {
        undo.backTo(marks[keptCount]);
        UnsafeApi.copyMemory(headerAddress(keptCount), stateAddress, TransformerStateLayout.HEADER_BYTES);
        long hash = previousHash;
        for (int count = 1; count <= keptCount; count++) {
            hash = hash(headerAddress(count), hash);
        }
        return hash;
    }

    @Override
    public void restore(final long stateAddress) {
        layout.statePages().clear(stateAddress);
    }

    @Override
    public int vocabularySize() {
        return logitCount;
    }

    @Override
    public long logitsAddress(final int position) {
        return logitsOfBatch.addressOffset() + (long) position * logitCount * Float.BYTES;
    }

    @Override
    public void close() {
        // Memory that the garbage collector knows of.
    }

    private void step(
            final long stateAddress, final long featuresAddress, final long outputsAddress, final int batchPosition) {
        cache.at(stateAddress);
        step(featuresAddress, outputsAddress);
        UnsafeApi.copyMemory(logits, FLOATS, null, logitsAddress(batchPosition), (long) logitCount * Float.BYTES);
    }

    private void step(final long featuresAddress, final long outputsAddress) {
        final long position = cache.position();
        rowDigest = 0;
        codedDigest = 0;
        embed(featuresAddress);
        parameters.rotary().angles(position, cosines, sines);
        for (int i = 0; i < model.layers.length; i++) {
            attend(model.layers[i], i, position);
            feed(model.layers[i]);
        }
        norm(residual, parameters.finalNorm(), parameters.normEpsilon(), normed);
        multiply(model.head, normed, logits);
        writeOutputs(outputsAddress);
        cache.position(position + 1);
        cache.digest(StateHash.mixWord(cache.digest(), rowDigest));
        if (shape.window() == 0) {
            noteCoded(position);
        }
    }

    private void embed(final long featuresAddress) {
        final int dimension = shape.dimension();
        if (model.tokenEmbedding != null) {
            final int token = UnsafeApi.getInt(featuresAddress);
            final float scale = model.tokenEmbedding.rowScales()[token];
            for (int i = 0; i < dimension; i++) {
                residual[i] = model.tokenEmbedding.weight(token, i) * scale;
            }
            return;
        }
        final FeatureParameters how = parameters.features();
        UnsafeApi.copyMemory(null, featuresAddress, features, FLOATS, (long) features.length * Float.BYTES);
        for (int i = 0; i < features.length; i++) {
            features[i] = (features[i] - how.means()[i]) * how.inverseDeviations()[i];
        }
        Elementwise.quantise(features, how.inverseScale(), how.maximum(), quantised, features.length);
        model.featureEmbedding.multiply(quantised, how.scale(), products, residual);
        for (int i = 0; i < dimension; i++) {
            residual[i] = residual[i] + how.biases()[i];
        }
    }

    private void attend(final TransformerLayer layer, final int layerIndex, final long position) {
        final int headSize = shape.headSize();
        norm(residual, layer.attentionNorm, parameters.normEpsilon(), normed);
        multiply(layer.attentionInput, normed, projected);
        final int keys = shape.queryCount();
        final int values = keys + shape.keyCount();
        for (int head = 0; head < keys + shape.keyCount(); head += headSize) {
            VectorMath.rotate(projected, head, cosines, sines, headSize / 2);
        }
        if (parameters.isRotated()) {
            for (int head = 0; head < projected.length; head += headSize) {
                VectorMath.hadamard(projected, head, headSize, parameters.rotationScale());
            }
        }
        layer.keys.quantise(projected, keys, keyRow);
        layer.values.quantise(projected, values, valueRow);
        remember(layer, layerIndex, position);
        final int share = shape.heads() / shape.keyValueHeads();
        for (int head = 0; head < shape.heads(); head++) {
            attend(layer, layerIndex, position, head, head / share);
        }
        multiply(layer.attentionOutput, attended, change);
        add(change);
    }

    /** Puts the token's keys and values, in 8 bits, where they belong; without a window they are coded at once. */
    private void remember(final TransformerLayer layer, final int layerIndex, final long position) {
        for (int plane = 0; plane < layout.planes(); plane++) {
            rowDigest = digestRows(rowDigest, plane);
        }
        if (position < shape.sinks() || shape.window() > 0) {
            final int slot = layout.recentSlot(position);
            final int headSize = shape.headSize();
            for (int head = 0; head < shape.keyValueHeads(); head++) {
                cache.putRecentKeys(layerIndex, head, slot, keyRow, head * headSize, headSize);
                cache.putRecentValues(layerIndex, head, slot, valueRow, head * headSize, headSize);
            }
        } else {
            code(layer, layerIndex, position);
        }
    }

    /** Codes the rows of keys and values again, for good. */
    private void code(final TransformerLayer layer, final int layerIndex, final long token) {
        final int slot = layout.codedSlot(token);
        cache.ownPage(slot);
        for (int head = 0; head < shape.keyValueHeads(); head++) {
            layer.keys.code(keyRow, head, codes);
            cache.putCodedKeys(layerIndex, head, slot, codes, layer.keys.codesOfHead());
            codedDigest = digestCodes(codedDigest, layer.keys.codesOfHead());
            layer.values.code(valueRow, head, codes);
            cache.putCodedValues(layerIndex, head, slot, codes, layer.values.codesOfHead());
            codedDigest = digestCodes(codedDigest, layer.values.codesOfHead());
        }
    }

    private void codeRecent(final long token) {
        codedDigest = 0;
        if (token >= shape.sinks() && shape.codedTokens() > 0) {
            final int slot = layout.recentSlot(token);
            final int headSize = shape.headSize();
            for (int i = 0; i < model.layers.length; i++) {
                for (int head = 0; head < shape.keyValueHeads(); head++) {
                    cache.recentKeys(i, head, slot, keyRow, head * headSize, headSize);
                    cache.recentValues(i, head, slot, valueRow, head * headSize, headSize);
                }
                code(model.layers[i], i, token);
            }
        }
        noteCoded(token);
    }

    private void noteCoded(final long token) {
        cache.digest(StateHash.mixWord(cache.digest(), codedDigest));
        cache.codedTokens(token + 1);
    }

    private long digestCodes(final long previous, final int count) {
        for (int i = 0; i < count; i++) {
            rowBytes.putByte(i, (byte) codes[i]);
        }
        return StateHash.mix(previous, rowBytes.addressOffset(), count);
    }

    /** Of one plane of the rows of keys and values, one behind the other. */
    private long digestRows(final long previous, final int plane) {
        final int count = shape.keyCount();
        for (int i = 0; i < count; i++) {
            rowBytes.putByte(i, (byte) TransformerCache.plane(keyRow[i], plane, layout.planes()));
            rowBytes.putByte(count + i, (byte) TransformerCache.plane(valueRow[i], plane, layout.planes()));
        }
        return StateHash.mix(previous, rowBytes.addressOffset(), 2 * count);
    }

    /** One head of queries over the keys and values of all tokens that are in reach. */
    private void attend(
            final TransformerLayer layer, final int layerIndex, final long position, final int head,
            final int keyValueHead) {
        final int recent = layout.recentCount(position);
        final int coded = layout.codedCount(position);
        score(layer, layerIndex, head, keyValueHead, recent, coded);
        final long total = weigh(recent + coded);
        sumValues(layer, layerIndex, keyValueHead, recent, coded);
        final int headSize = shape.headSize();
        final int first = keyValueHead * headSize;
        final float inverse = (float) (1.0 / (double) total);
        final float[] scales = layer.values.parameters.scales();
        final float[] means = layer.values.parameters.means();
        for (int i = 0; i < headSize; i++) {
            final float sum;
            if (layer.values.codec.hasSteps()) {
                final float[] steps = layer.values.parameters.steps();
                sum = (float) recentSums[i] * (inverse * scales[first + i]) +
                        (float) codedSums[i] * (inverse * steps[first + i]);
            } else {
                sum = (float) (recentSums[i] + codedSums[i]) * (inverse * scales[first + i]);
            }
            attended[head * headSize + i] = sum + means[first + i];
        }
        if (parameters.isRotated()) {
            VectorMath.hadamard(attended, head * headSize, headSize, parameters.rotationScale());
        }
    }

    /**
     * Scores as exponents of two: of recent slots first, then of coded ones. What keys are divided by is folded into
     * the query before it becomes integers; what is subtracted from them changes each score by as much, which softmax
     * does not see.
     */
    private void score(
            final TransformerLayer layer, final int layerIndex, final int head, final int keyValueHead,
            final int recent, final int coded) {
        final int headSize = shape.headSize();
        final float recentScale = foldQuery(head, layer.keys.parameters.scales(), keyValueHead, recentQuery);
        for (int slot = 0; slot < recent; slot++) {
            cache.recentKeys(layerIndex, keyValueHead, slot, codes, 0, headSize);
            long sum = 0;
            for (int i = 0; i < headSize; i++) {
                sum += (long) recentQuery[i] * codes[i];
            }
            scores[slot] = (float) sum * recentScale;
        }
        final boolean hasSteps = layer.keys.codec.hasSteps();
        final float codedScale = hasSteps
                ? foldQuery(head, layer.keys.parameters.steps(), keyValueHead, codedQuery)
                : recentScale;
        final int[] query = hasSteps ? codedQuery : recentQuery;
        final int channels = layer.keys.codec.channels();
        for (int slot = 0; slot < coded; slot++) {
            cache.codedKeys(layerIndex, keyValueHead, slot, codes, layer.keys.codesOfHead());
            int sum = 0;
            for (int i = 0; i < headSize; i++) {
                sum += query[i] * layer.keys.value(keyValueHead, codes[i / channels], i);
            }
            scores[recent + slot] = (float) sum * codedScale;
        }
    }

    /** The query in units of the keys' integers, in 8 bits; returns what makes an exponent of a product with it. */
    private float foldQuery(final int head, final float[] units, final int keyValueHead, final int[] query) {
        final int headSize = shape.headSize();
        for (int i = 0; i < headSize; i++) {
            folded[i] = projected[head * headSize + i] * units[keyValueHead * headSize + i];
        }
        return quantise(folded, 0, headSize, parameters.queryMaximum(), query) * parameters.softmaxScale();
    }

    /** {@code weight = rint(2^15 * exp2(score - largest))}, whole numbers; returns their sum. */
    private long weigh(final int count) {
        float largest = scores[0];
        for (int i = 1; i < count; i++) {
            largest = Math.max(largest, scores[i]);
        }
        long total = 0;
        for (int i = 0; i < count; i++) {
            final float exponent = Math.max(LOWEST_EXPONENT, scores[i] - largest);
            weights[i] = Elementwise.rint(Elementwise.exp2(exponent) * WEIGHT_ONE);
            total += weights[i];
        }
        return total;
    }

    private void sumValues(
            final TransformerLayer layer, final int layerIndex, final int head, final int recent, final int coded) {
        final int headSize = shape.headSize();
        Arrays.fill(recentSums, 0);
        Arrays.fill(codedSums, 0);
        for (int slot = 0; slot < recent; slot++) {
            cache.recentValues(layerIndex, head, slot, codes, 0, headSize);
            for (int i = 0; i < headSize; i++) {
                recentSums[i] += (long) weights[slot] * codes[i];
            }
        }
        final int channels = layer.values.codec.channels();
        for (int slot = 0; slot < coded; slot++) {
            cache.codedValues(layerIndex, head, slot, codes, layer.values.codesOfHead());
            for (int i = 0; i < headSize; i++) {
                codedSums[i] += (long) weights[recent + slot] * layer.values.value(head, codes[i / channels], i);
            }
        }
    }

    /** {@code h = (a * sigmoid(a)) * b} between two matrices (SwiGLU); of experts, the likeliest few. */
    private void feed(final TransformerLayer layer) {
        norm(residual, layer.feedNorm, parameters.normEpsilon(), normed);
        if (layer.router == null) {
            feed(layer, 0);
            add(change);
            return;
        }
        final int active = shape.activeExperts();
        multiply(layer.router, normed, routed);
        rank(routed, shape.experts(), active);
        for (int i = 0; i < active; i++) {
            shares[i] = routed[ranked[i]];
        }
        Softmax.apply(shares, terms, active);
        Arrays.fill(expertSum, 0);
        for (int i = 0; i < active; i++) {
            feed(layer, ranked[i]);
            for (int c = 0; c < expertSum.length; c++) {
                expertSum[c] = expertSum[c] + shares[i] * change[c];
            }
        }
        add(expertSum);
    }

    private void feed(final TransformerLayer layer, final int expert) {
        final int units = shape.hidden();
        multiply(layer.expertInputs[expert], normed, hidden);
        for (int unit = 0; unit < units; unit++) {
            final float gate = hidden[unit];
            hidden[unit] = gate * sigmoid(gate) * hidden[units + unit];
        }
        multiply(layer.expertOutputs[expert], hidden, change);
    }

    private void multiply(final ScaledMatrix matrix, final float[] vector, final float[] results) {
        final float scale = quantise(vector, 0, matrix.columns(), activationMaximum, quantised);
        matrix.multiply(quantised, scale, products, results);
    }

    private void add(final float[] addend) {
        for (int i = 0; i < residual.length; i++) {
            residual[i] = residual[i] + addend[i];
        }
    }

    /** Puts the indices of the largest values into {@link #ranked}, the largest first; of equals the lower index. */
    private void rank(final float[] values, final int valueCount, final int count) {
        for (int rank = 0; rank < count; rank++) {
            int best = -1;
            for (int i = 0; i < valueCount; i++) {
                if ((best < 0 || values[i] > values[best]) && !isRanked(i, rank)) {
                    best = i;
                }
            }
            ranked[rank] = best;
        }
    }

    private boolean isRanked(final int index, final int ranks) {
        for (int rank = 0; rank < ranks; rank++) {
            if (ranked[rank] == index) {
                return true;
            }
        }
        return false;
    }

    private void writeOutputs(final long outputsAddress) {
        final float[] biases = parameters.headBiases();
        for (int i = 0; biases != null && i < logitCount; i++) {
            logits[i] = logits[i] + biases[i];
        }
        if (parameters.isTokens()) {
            writeLikeliest(outputsAddress);
            return;
        }
        final float[] outputs = parameters.hasSoftmax() ? probabilities : logits;
        softmax();
        UnsafeApi.copyMemory(outputs, FLOATS, null, outputsAddress, (long) logitCount * Float.BYTES);
    }

    private void writeLikeliest(final long outputsAddress) {
        rank(logits, logitCount, parameters.top());
        softmax();
        for (int i = 0; i < parameters.top(); i++) {
            final long address = outputsAddress + 2L * i * Float.BYTES;
            UnsafeApi.putInt(address, ranked[i]);
            UnsafeApi.putFloat(address + Float.BYTES, probabilities[ranked[i]]);
        }
    }

    private void softmax() {
        System.arraycopy(logits, 0, probabilities, 0, logitCount);
        Softmax.apply(probabilities, terms, logitCount);
    }
}
