package io.tiercel.tools.engine;

import com.google.protobuf.CodedOutputStream;
import io.tiercel.tools.engine.OnnxGraph.Content;
import io.tiercel.tools.engine.OnnxGraph.ElementType;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One step of an LSTM as an ONNX model: state in, state out, no loop inside.
 *
 * <p>Inputs: {@code x} [1, 1, F] (sequence, batch, features) and of each layer {@code h0_N}, {@code c0_N} [1, 1, H].
 * Outputs: {@code y}, the head's O values, and of each layer {@code h1_N}, {@code c1_N} [1, 1, H]. With a sequence of
 * one, a layer's last hidden state {@code Y_h} is all that it puts out, and has the shape of the next layer's input:
 * the squeeze between layers, which exporters write, is not needed.
 *
 * <p>The int8 form is what onnxruntime's {@code quantize_dynamic} makes, after its optimiser has fused the head: see
 * {@code python/tools/quantization/operators/lstm.py} and {@code contrib_ops/cpu/quantization} there. Both forms use
 * the head that measured fastest; they differ in the shape of {@code y}, [1, O] and [1, 1, O].
 */
final class OnnxLstmWriter {

    static final String FEATURES = "x";
    static final String OUTPUTS = "y";

    /** ONNX keeps the gates as i o f c, PyTorch as i f g o: where each of ONNX's stands in PyTorch's rows. */
    private static final int[] GATE_ORDER = {0, 3, 1, 2};
    private static final int INT8_MAX = 127;
    private static final String ABSENT = "";

    private final LstmWeights weights;
    private final OnnxGraph graph = new OnnxGraph();

    private OnnxLstmWriter(final LstmWeights weights) {
        this.weights = weights;
    }

    /** Writes the model's file; needs little more heap than the weights, whatever their size. */
    static void write(final LstmWeights weights, final Precision precision, final OutputStream out)
            throws IOException {
        new OnnxLstmWriter(weights).build(precision).writeTo(out);
    }

    static String hiddenBefore(final int layer) {
        return "h0_" + layer;
    }

    static String cellBefore(final int layer) {
        return "c0_" + layer;
    }

    static String hiddenAfter(final int layer) {
        return "h1_" + layer;
    }

    static String cellAfter(final int layer) {
        return "c1_" + layer;
    }

    /** The shape of {@code y}. */
    static long[] outputShape(final Precision precision, final int outputs) {
        return precision == Precision.FP32 ? new long[] {1, outputs} : new long[] {1, 1, outputs};
    }

    private OnnxGraph build(final Precision precision) {
        final int hidden = weights.hidden();
        graph.addInput(FEATURES, 1, 1, weights.features());
        graph.addOutput(OUTPUTS, outputShape(precision, weights.outputs()));
        for (int layer = 0; layer < weights.layers(); layer++) {
            graph.addInput(hiddenBefore(layer), 1, 1, hidden);
            graph.addInput(cellBefore(layer), 1, 1, hidden);
            graph.addOutput(hiddenAfter(layer), 1, 1, hidden);
            graph.addOutput(cellAfter(layer), 1, 1, hidden);
            // B [1, 8H]: the input's biases, then the recurrent ones; ours are added already.
            final float[] bias = weights.bias()[layer];
            graph.addTensor("B_" + layer, ElementType.FLOAT, out -> {
                writeGates(bias, out);
                writeZeros(bias.length, out);
            }, 1, 2L * bias.length);
            if (precision == Precision.FP32) {
                addLayer(layer);
            } else {
                addQuantisedLayer(layer);
            }
        }
        graph.addTensor("b", ElementType.FLOAT, floats(weights.headBias()), weights.outputs());
        if (precision == Precision.FP32) {
            addHead();
        } else {
            addQuantisedHead();
        }
        return graph;
    }

    /** LSTM: X, W [1, 4H, inputs], R [1, 4H, H], B, no lengths, initial h and c. */
    private void addLayer(final int layer) {
        final int inputs = weights.inputsOf(layer);
        final int hidden = weights.hidden();
        final int rows = LstmWeights.GATES * hidden;
        final float[] input = weights.input()[layer];
        final float[] recurrent = weights.recurrent()[layer];
        graph.addTensor("W_" + layer, ElementType.FLOAT, out -> writeGates(input, out), 1, rows, inputs);
        graph.addTensor("R_" + layer, ElementType.FLOAT, out -> writeGates(recurrent, out), 1, rows, hidden);
        addLayerNode(OnnxGraph.ONNX, "LSTM", layer, List.of());
    }

    /**
     * DynamicQuantizeLSTM: as LSTM, but W [1, inputs, 4H] and R [1, H, 4H] transposed, and after the absent peephole
     * weights a scale [1] and a zero point [1] for each.
     */
    private void addQuantisedLayer(final int layer) {
        addQuantisedGates("W_" + layer, weights.input()[layer], weights.inputsOf(layer));
        addQuantisedGates("R_" + layer, weights.recurrent()[layer], weights.hidden());
        addLayerNode(OnnxGraph.MICROSOFT, "DynamicQuantizeLSTM", layer, List.of(
                ABSENT, scaleOf("W_" + layer), zeroPointOf("W_" + layer), scaleOf("R_" + layer),
                zeroPointOf("R_" + layer)));
    }

    private void addLayerNode(
            final String domain, final String operator, final int layer, final List<String> furtherOperands) {
        final List<String> operands = new ArrayList<>(List.of(
                layer == 0 ? FEATURES : hiddenAfter(layer - 1), "W_" + layer, "R_" + layer, "B_" + layer, ABSENT,
                hiddenBefore(layer), cellBefore(layer)));
        operands.addAll(furtherOperands);
        graph.addNode(domain, operator, operands, List.of(ABSENT, hiddenAfter(layer), cellAfter(layer)),
                Map.of("hidden_size", weights.hidden()));
    }

    private void addHead() {
        graph.addTensor("W", ElementType.FLOAT, floats(weights.head()), weights.outputs(), weights.hidden());
        graph.addNode(OnnxGraph.ONNX, "Flatten", List.of(lastHidden()), List.of("flat"), Map.of("axis", 2));
        graph.addNode(OnnxGraph.ONNX, "Gemm", List.of("flat", "W", "b"), List.of(OUTPUTS), Map.of("transB", 1));
    }

    /** DynamicQuantizeMatMul: A, B [H, O], scale and zero point of B, bias. */
    private void addQuantisedHead() {
        final float[] head = weights.head();
        final int hidden = weights.hidden();
        final float scale = addScale("W", head);
        graph.addTensor("W", ElementType.INT8, out -> {
            for (int column = 0; column < hidden; column++) {
                for (int index = column; index < head.length; index += hidden) {
                    out.write(quantise(head[index], scale));
                }
            }
        }, hidden, weights.outputs());
        graph.addNode(OnnxGraph.MICROSOFT, "DynamicQuantizeMatMul", List.of(
                lastHidden(), "W", scaleOf("W"), zeroPointOf("W"), "b"), List.of(OUTPUTS), Map.of());
    }

    private String lastHidden() {
        return hiddenAfter(weights.layers() - 1);
    }

    /** A layer's matrix [4H, columns] as int8 [1, columns, 4H], in ONNX's order of gates. */
    private void addQuantisedGates(final String name, final float[] matrix, final int columns) {
        final int hidden = weights.hidden();
        final float scale = addScale(name, matrix);
        graph.addTensor(name, ElementType.INT8, out -> {
            for (int column = 0; column < columns; column++) {
                for (final int gate : GATE_ORDER) {
                    for (int row = gate * hidden; row < (gate + 1) * hidden; row++) {
                        out.write(quantise(matrix[row * columns + column], scale));
                    }
                }
            }
        }, 1, columns, (long) LstmWeights.GATES * hidden);
    }

    /** Symmetric, one for the matrix: the largest magnitude becomes 127. */
    private float addScale(final String name, final float[] matrix) {
        float largest = 0;
        for (final float value : matrix) {
            largest = Math.max(largest, Math.abs(value));
        }
        final float scale = largest == 0 ? 1 : largest / INT8_MAX;
        graph.addTensor(scaleOf(name), ElementType.FLOAT, out -> out.writeFloatNoTag(scale), 1);
        graph.addTensor(zeroPointOf(name), ElementType.INT8, out -> out.write((byte) 0), 1);
        return scale;
    }

    private static String scaleOf(final String name) {
        return name + "_scale";
    }

    private static String zeroPointOf(final String name) {
        return name + "_zero_point";
    }

    private static byte quantise(final float value, final float scale) {
        return (byte) Math.max(-INT8_MAX, Math.min(INT8_MAX, Math.rint(value / scale)));
    }

    /** The rows of a layer's matrix, gate by gate in ONNX's order. */
    private static void writeGates(final float[] matrix, final CodedOutputStream out)
            throws IOException {
        final int gateLength = matrix.length / LstmWeights.GATES;
        for (final int gate : GATE_ORDER) {
            for (int index = gate * gateLength; index < (gate + 1) * gateLength; index++) {
                out.writeFloatNoTag(matrix[index]);
            }
        }
    }

    private static void writeZeros(final int count, final CodedOutputStream out) throws IOException {
        for (int i = 0; i < count; i++) {
            out.writeFloatNoTag(0);
        }
    }

    private static Content floats(final float[] values) {
        return out -> {
            for (final float value : values) {
                out.writeFloatNoTag(value);
            }
        };
    }
}
