package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;

/**
 * What the network means, in double precision: the bundle's weights as real numbers, features and hidden values not
 * quantised, the library's tanh and exp. Bounds how far integer activations and the polynomials lead away; equality is
 * {@link ExactLstm}'s business.
 */
final class DoublePrecisionLstm {

    private final Bundle bundle;
    private final int layerCount;
    private final int hiddenCount;
    private final double[][][] input;
    private final double[][][] recurrent;
    private final double[][] head;
    private final double[][] c;
    private final double[][] h;

    DoublePrecisionLstm(final Bundle bundle) {
        this.bundle = bundle;
        final Manifest manifest = bundle.manifest();
        layerCount = manifest.shape().get("layers");
        hiddenCount = manifest.shape().get("hidden");
        input = new double[layerCount][][];
        recurrent = new double[layerCount][][];
        for (int i = 0; i < layerCount; i++) {
            final int columns = i == 0 ? manifest.featureCount() : hiddenCount;
            input[i] = matrix("layers." + i + ".input", manifest.quantisation().weights(), 4 * hiddenCount, columns);
            recurrent[i] = matrix("layers." + i + ".recurrent", manifest.quantisation().weights(), 4 * hiddenCount,
                    hiddenCount);
        }
        head = matrix("head", manifest.quantisation().head(), manifest.outputCount(), hiddenCount);
        c = new double[layerCount][hiddenCount];
        h = new double[layerCount][hiddenCount];
    }

    /** Outputs after softmax, if the task has one. */
    double[] step(final double[] normalisedFeatures) {
        double[] x = normalisedFeatures;
        for (int layer = 0; layer < layerCount; layer++) {
            final float[] bias = bundle.floats("layers." + layer + ".bias", 4 * hiddenCount);
            final double[] pre = new double[4 * hiddenCount];
            for (int row = 0; row < pre.length; row++) {
                pre[row] = bias[row] + dot(input[layer][row], x) + dot(recurrent[layer][row], h[layer]);
            }
            for (int unit = 0; unit < hiddenCount; unit++) {
                c[layer][unit] = sigmoid(pre[hiddenCount + unit]) * c[layer][unit] +
                        sigmoid(pre[unit]) * Math.tanh(pre[2 * hiddenCount + unit]);
                h[layer][unit] = sigmoid(pre[3 * hiddenCount + unit]) * Math.tanh(c[layer][unit]);
            }
            x = h[layer];
        }
        final float[] bias = bundle.floats("head.bias", head.length);
        final double[] y = new double[head.length];
        double sum = 0;
        for (int row = 0; row < y.length; row++) {
            y[row] = bias[row] + dot(head[row], x);
            sum += Math.exp(y[row]);
        }
        for (int row = 0; row < y.length && bundle.manifest().task() == Manifest.Task.CLASSIFICATION; row++) {
            y[row] = Math.exp(y[row]) / sum;
        }
        return y;
    }

    private double[][] matrix(
            final String name, final Manifest.WeightFormat format, final int rows, final int columns) {
        final double[][] matrix = new double[rows][columns];
        final float[] scales = bundle.floats(name + ".scale", rows);
        final int groups = (columns + 31) / 32;
        final boolean wide = format == Manifest.WeightFormat.INT8;
        final byte[] codes = wide
                ? bundle.bytes(name + ".weight", DType.I8, rows, columns)
                : bundle.bytes(name + ".weight", DType.U8, rows, 16 * groups);
        final byte[] multipliers = wide ? null : bundle.bytes(name + ".multiplier", DType.U8, rows, groups);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                if (wide) {
                    matrix[row][column] = (double) scales[row] * codes[row * columns + column];
                } else {
                    final int pair = codes[row * 16 * groups + column / 2];
                    final int code = column % 2 == 0 ? (byte) (pair << 4) >> 4 : (byte) pair >> 4;
                    matrix[row][column] =
                            (double) scales[row] * code * (multipliers[row * groups + column / 32] & 0xFF);
                }
            }
        }
        return matrix;
    }

    private static double dot(final double[] a, final double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double sigmoid(final double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
