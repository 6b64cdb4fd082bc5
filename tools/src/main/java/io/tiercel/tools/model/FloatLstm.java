package io.tiercel.tools.model;

import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.tools.matrix.FloatMatrix;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The network as it was trained: fp32 weights under PyTorch's names, computed in double precision with the library's
 * own tanh and exp. It is what the quantised forms are measured against, and what calibration looks into; it shares no
 * arithmetic with the engine.
 *
 * <p>Tensors: {@code lstm.weight_ih_lN} [4H, inputs], {@code lstm.weight_hh_lN} [4H, H], {@code lstm.bias_ih_lN},
 * {@code lstm.bias_hh_lN} [4H] (both or neither), {@code head.weight} [outputs, H], {@code head.bias} [outputs]. Gates
 * in PyTorch's order: i f g o. Anything else in the file is refused: a projection, a reverse direction or a
 * normalisation that is not applied would make another network.
 */
final class FloatLstm {

    /** @param bias both of PyTorch's, added. */
    record Layer(FloatMatrix input, FloatMatrix recurrent, float[] bias) {
    }

    /** A session's state, and the values of its last step. */
    static final class Session {

        final double[] normalised;
        final double[][] cell;
        final double[][] hidden;
        final double[] outputs;

        private Session(final FloatLstm lstm) {
            normalised = new double[lstm.featureCount()];
            cell = new double[lstm.layers.length][lstm.hiddenCount()];
            hidden = new double[lstm.layers.length][lstm.hiddenCount()];
            outputs = new double[lstm.outputCount()];
        }
    }

    private final Layer[] layers;
    private final FloatMatrix head;
    private final float[] headBias;

    /** Of weights whose shapes fit. */
    FloatLstm(final Layer[] layers, final FloatMatrix head, final float[] headBias) {
        this.layers = layers;
        this.head = head;
        this.headBias = headBias;
    }

    /** @throws BundleException if a tensor is missing, has a wrong shape, is not finite or not known. */
    static FloatLstm read(final SafetensorsReader file) {
        final Set<String> unread = new HashSet<>();
        file.tensors().forEach(tensor -> unread.add(tensor.name()));
        int layerCount = 0;
        while (file.has("lstm.weight_ih_l" + layerCount)) {
            layerCount++;
        }
        if (layerCount < 1 || layerCount > LstmParameters.MAX_LAYERS) {
            throw new BundleException(file.source() + ": layers=" + layerCount + " (tensors lstm.weight_ih_l0, …)" +
                    " is not in 1.." + LstmParameters.MAX_LAYERS);
        }
        final int hiddenCount = dimension(file, "lstm.weight_hh_l0", 1);
        final Layer[] layers = new Layer[layerCount];
        for (int i = 0; i < layerCount; i++) {
            final int inputCount = i == 0 ? dimension(file, "lstm.weight_ih_l0", 1) : hiddenCount;
            layers[i] = new Layer(
                    matrix(file, unread, "lstm.weight_ih_l" + i, 4 * hiddenCount, inputCount),
                    matrix(file, unread, "lstm.weight_hh_l" + i, 4 * hiddenCount, hiddenCount),
                    bias(file, unread, i, 4 * hiddenCount));
        }
        final int outputCount = dimension(file, "head.weight", 0);
        final FloatMatrix head = matrix(file, unread, "head.weight", outputCount, hiddenCount);
        final float[] headBias = floats(file, unread, "head.bias", List.of(outputCount));
        if (!unread.isEmpty()) {
            throw new BundleException(file.source() + ": tensor=" + unread.stream().sorted().findFirst().get() +
                    " is not part of an LSTM with a dense head");
        }
        return new FloatLstm(layers, head, headBias);
    }

    int layerCount() {
        return layers.length;
    }

    Layer layer(final int index) {
        return layers[index];
    }

    FloatMatrix head() {
        return head;
    }

    float[] headBias() {
        return headBias;
    }

    int featureCount() {
        return layers[0].input().columns();
    }

    int hiddenCount() {
        return layers[0].recurrent().columns();
    }

    int outputCount() {
        return head.rows();
    }

    Session newSession() {
        return new Session(this);
    }

    /** One step; the head's values are left in {@code session.outputs}, no softmax. */
    void step(final Session session, final float[] features, final Normalisation normalisation) {
        for (int i = 0; i < features.length; i++) {
            session.normalised[i] = (features[i] - (double) normalisation.mean(i)) / normalisation.deviation(i);
        }
        double[] input = session.normalised;
        for (int i = 0; i < layers.length; i++) {
            step(layers[i], input, session.cell[i], session.hidden[i]);
            input = session.hidden[i];
        }
        for (int row = 0; row < headBias.length; row++) {
            session.outputs[row] = headBias[row];
        }
        head.addProduct(input, session.outputs);
    }

    private static void step(final Layer layer, final double[] input, final double[] cell, final double[] hidden) {
        final int width = hidden.length;
        final double[] pre = new double[4 * width];
        for (int row = 0; row < pre.length; row++) {
            pre[row] = layer.bias()[row];
        }
        layer.input().addProduct(input, pre);
        layer.recurrent().addProduct(hidden, pre);
        for (int unit = 0; unit < width; unit++) {
            final double candidate = sigmoid(pre[unit]) * Math.tanh(pre[2 * width + unit]);
            cell[unit] = sigmoid(pre[width + unit]) * cell[unit] + candidate;
            hidden[unit] = sigmoid(pre[3 * width + unit]) * Math.tanh(cell[unit]);
        }
    }

    private static double sigmoid(final double x) {
        return 1 / (1 + Math.exp(-x));
    }

    private static float[] bias(
            final SafetensorsReader file, final Set<String> unread, final int layerIndex, final int rows) {
        final String input = "lstm.bias_ih_l" + layerIndex;
        final String recurrent = "lstm.bias_hh_l" + layerIndex;
        final float[] bias = new float[rows];
        if (file.has(input) || file.has(recurrent)) {
            final float[] a = floats(file, unread, input, List.of(rows));
            final float[] b = floats(file, unread, recurrent, List.of(rows));
            for (int row = 0; row < rows; row++) {
                bias[row] = (float) ((double) a[row] + b[row]);
            }
        }
        return bias;
    }

    private static int dimension(final SafetensorsReader file, final String name, final int index) {
        final TensorInfo tensor = file.tensor(name);
        final int limit = name.startsWith("lstm.weight_hh") ? LstmParameters.MAX_HIDDEN : 65_535;
        if (tensor.shape().size() != 2 || tensor.shape().get(index) < 1 || tensor.shape().get(index) > limit) {
            throw new BundleException(file.source() + ": tensor=" + name + " shape=" + tensor.shape() +
                    " is not a matrix with 1.." + limit + (index == 0 ? " rows" : " columns"));
        }
        return tensor.shape().get(index);
    }

    private static FloatMatrix matrix(
            final SafetensorsReader file, final Set<String> unread, final String name, final int rows,
            final int columns) {
        return new FloatMatrix(rows, columns, floats(file, unread, name, List.of(rows, columns)));
    }

    private static float[] floats(
            final SafetensorsReader file, final Set<String> unread, final String name, final List<Integer> shape) {
        unread.remove(name);
        if (!file.tensor(name).shape().equals(shape)) {
            throw new BundleException(file.source() + ": tensor=" + name + " shape=" + file.tensor(name).shape() +
                    ", expected " + shape);
        }
        final float[] values = file.floats(name);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new BundleException(file.source() + ": tensor=" + name + " index=" + i + " value=" + values[i] +
                        " is not finite");
            }
        }
        return values;
    }
}
