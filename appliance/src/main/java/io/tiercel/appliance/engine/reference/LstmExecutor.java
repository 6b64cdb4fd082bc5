package io.tiercel.appliance.engine.reference;

import static io.tiercel.appliance.engine.exact.Elementwise.quantise;
import static io.tiercel.appliance.engine.exact.Elementwise.sigmoid;
import static io.tiercel.appliance.engine.exact.Elementwise.tanh;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StateHash;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.StepByStep;
import io.tiercel.appliance.engine.exact.Softmax;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.lstm.LstmStateLayout;
import org.agrona.UnsafeApi;

/**
 * The forward pass of the {@code lstm} family. One thread; allocates in its constructor only. Positions of a batch are
 * computed one after the other and share scratch, nothing else, so a batch cannot change a bit.
 *
 * <p>For each layer, x being the quantised features or the qh of the layer below:
 * <pre>
 *   after the last answer   ahead[r] = (float) (recurrent[r] . qh) * (recurrentScale[r] * hiddenScale) + bias[r]
 *   at the request          pre[r]   = (float) (input[r] . x) * (inputScale[r] * xScale) + ahead[r]
 *                           i, f, o  = sigmoid(pre), g = tanh(pre)
 *                           c        = (f * c) + (i * g)
 *                           h        = o * tanh(c)
 *                           qh       = rint(hold(h * (1 / hiddenScale), ±127))
 * </pre>
 * and after the last layer {@code y[r] = (float) (head[r] . qh) * (headScale[r] * hiddenScale) + bias[r]}, then
 * softmax for a classifier. A bracket around two scales is one number, rounded once, made at load.
 */
final class LstmExecutor implements ModelExecutor {

    private static final long FLOATS = UnsafeApi.arrayBaseOffset(float[].class);

    private final LstmModel model;
    private final LstmStateLayout layout;
    private final StepByStep stepByStep;
    private final int hiddenCount;
    private final int featureCount;
    private final int outputCount;

    private final float[] features;
    private final int[] quantised;
    private final int[] products;
    private final float[] ahead;
    private final float[] gates;
    private final float[] cell;
    private final float[] hidden;
    private final float[] outputs;

    LstmExecutor(final LstmModel model) {
        this.model = model;
        layout = model.layout;
        hiddenCount = model.hiddenCount;
        featureCount = model.shape().featureCount();
        stepByStep = new StepByStep(this, featureCount);
        outputCount = model.shape().outputCount();
        features = new float[featureCount];
        quantised = new int[Math.max(featureCount, hiddenCount)];
        products = new int[Math.max(4 * hiddenCount, outputCount)];
        ahead = new float[4 * hiddenCount];
        gates = new float[4 * hiddenCount];
        cell = new float[hiddenCount];
        hidden = new float[hiddenCount];
        outputs = new float[outputCount];
    }

    @Override
    public void initialise(final long stateAddress) {
        UnsafeApi.setMemory(stateAddress, layout.stateBytes(), (byte) 0);
        restore(stateAddress);
    }

    @Override
    public void step(final StepBatch batch) {
        for (int i = 0, size = batch.size(); i < size; i++) {
            step(batch.featuresAddress(i), batch.stateAddress(i), batch.outputsAddress(i));
        }
    }

    @Override
    public long hash(final long stateAddress, final long previousHash) {
        return StateHash.mix(previousHash, stateAddress, layout.canonicalBytes());
    }

    @Override
    public void ahead(final StepBatch batch) {
        for (int i = 0, size = batch.size(); i < size; i++) {
            restore(batch.stateAddress(i));
        }
    }

    @Override
    public long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        return stepByStep.steps(stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
    }

    @Override
    public void restore(final long stateAddress) {
        for (int i = 0; i < model.layers.length; i++) {
            final LstmLayer layer = model.layers[i];
            loadHidden(stateAddress + layout.hiddenOffset(i));
            layer.recurrent.multiply(quantised, products);
            scale(products, layer.recurrentScales, layer.biases, ahead, 4 * hiddenCount);
            store(ahead, stateAddress + layout.aheadOffset(i), 4 * hiddenCount);
        }
    }

    @Override
    public void close() {
        // Heap memory only.
    }

    private void step(final long featuresAddress, final long stateAddress, final long outputsAddress) {
        load(featuresAddress, features, featureCount);
        model.featureQuantiser.quantise(features, quantised);
        for (int i = 0; i < model.layers.length; i++) {
            step(model.layers[i], stateAddress, i);
        }
        model.head.multiply(quantised, products);
        scale(products, model.headScales, model.headBiases, outputs, outputCount);
        if (model.hasSoftmax) {
            Softmax.apply(outputs, products, outputCount);
        }
        store(outputs, outputsAddress, outputCount);
    }

    /** One layer: x comes in {@code quantised}, qh leaves in it. */
    private void step(final LstmLayer layer, final long stateAddress, final int layerIndex) {
        final int width = hiddenCount;
        load(stateAddress + layout.aheadOffset(layerIndex), ahead, 4 * width);
        load(stateAddress + layout.cellOffset(layerIndex), cell, width);
        layer.input.multiply(quantised, products);
        scale(products, layer.inputScales, ahead, gates, 4 * width);
        sigmoid(gates, 0, 2 * width);
        tanh(gates, 2 * width, 3 * width);
        sigmoid(gates, 3 * width, 4 * width);
        updateCell(gates, cell, hidden, width);
        tanh(hidden, 0, width);
        gateHidden(gates, hidden, width);
        quantise(hidden, layer.inverseHiddenScale, LstmParameters.HIDDEN_MAXIMUM, quantised, width);
        store(cell, stateAddress + layout.cellOffset(layerIndex), width);
        storeHidden(stateAddress + layout.hiddenOffset(layerIndex));
    }

    /** {@code result = (float) product * scale + addend}, each operation rounded once. */
    private static void scale(
            final int[] products, final float[] scales, final float[] addends, final float[] results,
            final int count) {
        for (int row = 0; row < count; row++) {
            results[row] = (float) products[row] * scales[row] + addends[row];
        }
    }

    /** {@code c = f * c + i * g}; a copy goes to {@code copy}. */
    private static void updateCell(final float[] gates, final float[] cell, final float[] copy, final int width) {
        for (int unit = 0; unit < width; unit++) {
            cell[unit] = gates[width + unit] * cell[unit] + gates[unit] * gates[2 * width + unit];
        }
        System.arraycopy(cell, 0, copy, 0, width);
    }

    /** {@code h = o * tanh(c)}, tanh(c) being in {@code hidden}. */
    private static void gateHidden(final float[] gates, final float[] hidden, final int width) {
        for (int unit = 0; unit < width; unit++) {
            hidden[unit] = gates[3 * width + unit] * hidden[unit];
        }
    }

    private void loadHidden(final long address) {
        for (int unit = 0; unit < hiddenCount; unit++) {
            quantised[unit] = UnsafeApi.getByte(address + unit);
        }
    }

    private void storeHidden(final long address) {
        for (int unit = 0; unit < hiddenCount; unit++) {
            UnsafeApi.putByte(address + unit, (byte) quantised[unit]);
        }
    }

    private static void load(final long address, final float[] values, final int count) {
        UnsafeApi.copyMemory(null, address, values, FLOATS, (long) count * Float.BYTES);
    }

    private static void store(final float[] values, final long address, final int count) {
        UnsafeApi.copyMemory(values, FLOATS, null, address, (long) count * Float.BYTES);
    }
}
