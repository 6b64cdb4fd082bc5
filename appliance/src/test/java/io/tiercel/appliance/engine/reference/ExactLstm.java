package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The specification written a second time from ENGINE.md, for one session: row by row with {@code long} sums, nothing
 * computed ahead, no helpers shared with the reference. What the reference does must equal it bit for bit.
 */
final class ExactLstm {

    private static final float[] P = {
        1f, 0x1.1363eap-3f, 0x1.d47dep-9f, 0x1.70136ep-16f, 0x1.06b858p-26f};
    private static final float[] Q = {
        1f, 0x1.df0748p-2f, 0x1.acd9p-6f, 0x1.6629c4p-12f, 0x1.cae5e2p-21f};
    private static final float[] R = {
        1f, 0x1.62e43p-1f, 0x1.ebfbdcp-3f, 0x1.c6aee8p-5f, 0x1.3b2d4cp-7f, 0x1.5f3e54p-10f, 0x1.41fbbcp-13f};

    private final Bundle bundle;
    private final Manifest manifest;
    private final int layerCount;
    private final int hiddenCount;
    final float[][] c;
    final byte[][] qh;

    ExactLstm(final Bundle bundle) {
        this.bundle = bundle;
        manifest = bundle.manifest();
        layerCount = manifest.shape().get("layers");
        hiddenCount = manifest.shape().get("hidden");
        c = new float[layerCount][hiddenCount];
        qh = new byte[layerCount][hiddenCount];
    }

    float[] step(final float[] features) {
        final int featureCount = features.length;
        final float[] means = bundle.floats("features.mean", featureCount);
        final float[] inverseDeviations = bundle.floats("features.inverse_deviation", featureCount);
        float xScale = bundle.floats("features.scale", 1)[0];
        final int maximum = manifest.quantisation().featureBits() == 8 ? 127 : 32767;
        long[] x = new long[featureCount];
        for (int i = 0; i < featureCount; i++) {
            float normal = features[i] - means[i];
            normal = normal * inverseDeviations[i];
            x[i] = round(normal * (1f / xScale), maximum);
        }
        for (int layer = 0; layer < layerCount; layer++) {
            x = layer(layer, x, xScale);
            xScale = hiddenScale(layer);
        }
        final int outputCount = manifest.outputCount();
        final long[][] head = matrix("head", manifest.quantisation().head(), outputCount, hiddenCount);
        final float[] headScales = bundle.floats("head.scale", outputCount);
        final float[] headBiases = bundle.floats("head.bias", outputCount);
        final float[] y = new float[outputCount];
        for (int row = 0; row < outputCount; row++) {
            final float scale = headScales[row] * xScale;
            y[row] = (float) dot(head[row], x) * scale;
            y[row] = y[row] + headBiases[row];
        }
        return manifest.task() == Manifest.Task.CLASSIFICATION ? softmax(y) : y;
    }

    /** The canonical bytes of the state. */
    byte[] canonicalState() {
        final int cellBytes = (4 * hiddenCount + 63) / 64 * 64;
        final int hiddenBytes = (hiddenCount + 63) / 64 * 64;
        final ByteBuffer state = ByteBuffer.allocate(layerCount * (cellBytes + hiddenBytes))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int layer = 0; layer < layerCount; layer++) {
            final int offset = layer * (cellBytes + hiddenBytes);
            for (int unit = 0; unit < hiddenCount; unit++) {
                state.putFloat(offset + 4 * unit, c[layer][unit]);
                state.put(offset + cellBytes + unit, qh[layer][unit]);
            }
        }
        return state.array();
    }

    private long[] layer(final int layer, final long[] x, final float xScale) {
        final String name = "layers." + layer;
        final int rows = 4 * hiddenCount;
        final Manifest.WeightFormat format = manifest.quantisation().weights();
        final long[][] input = matrix(name + ".input", format, rows, x.length);
        final long[][] recurrent = matrix(name + ".recurrent", format, rows, hiddenCount);
        final float[] inputScales = bundle.floats(name + ".input.scale", rows);
        final float[] recurrentScales = bundle.floats(name + ".recurrent.scale", rows);
        final float[] biases = bundle.floats(name + ".bias", rows);
        final long[] before = new long[hiddenCount];
        for (int unit = 0; unit < hiddenCount; unit++) {
            before[unit] = qh[layer][unit];
        }
        final float[] pre = new float[rows];
        for (int row = 0; row < rows; row++) {
            final float recurrentScale = recurrentScales[row] * hiddenScale(layer);
            float ahead = (float) dot(recurrent[row], before) * recurrentScale;
            ahead = ahead + biases[row];
            final float inputScale = inputScales[row] * xScale;
            pre[row] = (float) dot(input[row], x) * inputScale;
            pre[row] = pre[row] + ahead;
        }
        final long[] after = new long[hiddenCount];
        for (int unit = 0; unit < hiddenCount; unit++) {
            final float i = sigmoid(pre[unit]);
            final float f = sigmoid(pre[hiddenCount + unit]);
            final float g = tanh(pre[2 * hiddenCount + unit]);
            final float o = sigmoid(pre[3 * hiddenCount + unit]);
            final float kept = f * c[layer][unit];
            final float added = i * g;
            c[layer][unit] = kept + added;
            final float h = o * tanh(c[layer][unit]);
            after[unit] = round(h * (1f / hiddenScale(layer)), 127);
            qh[layer][unit] = (byte) after[unit];
        }
        return after;
    }

    private float hiddenScale(final int layer) {
        return bundle.floats("layers." + layer + ".hidden.scale", 1)[0];
    }

    private long[][] matrix(
            final String name, final Manifest.WeightFormat format, final int rows, final int columns) {
        final long[][] matrix = new long[rows][columns];
        final int groups = (columns + 31) / 32;
        final byte[] codes = format == Manifest.WeightFormat.INT8
                ? bundle.bytes(name + ".weight", DType.I8, rows, columns)
                : bundle.bytes(name + ".weight", DType.U8, rows, 16 * groups);
        final byte[] multipliers = format == Manifest.WeightFormat.INT8
                ? null
                : bundle.bytes(name + ".multiplier", DType.U8, rows, groups);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                if (multipliers == null) {
                    matrix[row][column] = codes[row * columns + column];
                } else {
                    final int pair = codes[row * 16 * groups + column / 2] & 0xFF;
                    final int code = column % 2 == 0 ? pair % 16 : pair / 16;
                    matrix[row][column] = (long) (code < 8 ? code : code - 16) *
                            (multipliers[row * groups + column / 32] & 0xFF);
                }
            }
        }
        return matrix;
    }

    private static long dot(final long[] a, final long[] b) {
        long sum = 0;
        for (int i = a.length - 1; i >= 0; i--) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static long round(final float value, final int maximum) {
        return (long) Math.rint((double) Math.max(-maximum, Math.min(maximum, value)));
    }

    private static float tanh(final float value) {
        final float x = value > 8 ? 8 : value < -8 ? -8 : value;
        final float y = x * x;
        final float numerator = x * horner(P, y);
        return numerator / horner(Q, y);
    }

    private static float sigmoid(final float value) {
        final float half = 0.5f * tanh(0.5f * value);
        return half + 0.5f;
    }

    private static float horner(final float[] coefficients, final float x) {
        float value = coefficients[coefficients.length - 1];
        for (int i = coefficients.length - 2; i >= 0; i--) {
            value = value * x;
            value = value + coefficients[i];
        }
        return value;
    }

    private static float[] softmax(final float[] y) {
        float maximum = Float.NEGATIVE_INFINITY;
        for (final float value : y) {
            maximum = value > maximum ? value : maximum;
        }
        final long[] terms = new long[y.length];
        long sum = 0;
        for (int i = 0; i < y.length; i++) {
            float exponent = y[i] - maximum;
            exponent = exponent * 0x1.715476p0f;
            exponent = exponent < -64 ? -64 : exponent;
            final double whole = Math.rint(exponent);
            final float power = horner(R, exponent - (float) whole);
            terms[i] = (long) Math.rint(Math.scalb((double) power, 30 + (int) whole));
            sum += terms[i];
        }
        final float[] probabilities = new float[y.length];
        for (int i = 0; i < y.length; i++) {
            probabilities[i] = (float) ((double) terms[i] / (double) sum);
        }
        return probabilities;
    }
}
