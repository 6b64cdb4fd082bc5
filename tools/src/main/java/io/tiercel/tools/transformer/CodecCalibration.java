package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.transformer.CodecParameters;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Means, scales, steps and codebooks of the keys, or values, of one layer, from rows that were seen.
 *
 * <p>An error of a key's channel counts as the square of the queries that meet it, one of a value's channel as what the
 * output matrix makes of it; a token counts as the attention that it gets from tokens behind its window. A uniform
 * step is, for each channel, that of the least weighted error. For coupled codes the 8-bit scales are chosen so that
 * an error of one unit counts as much in any channel, since codes are searched by plain distance; then k-means.
 */
final class CodecCalibration {

    private static final int ENTRY_LARGEST = 127;
    /** Beyond the largest magnitude seen: what is above is held. */
    private static final double MARGIN = 1.25;
    private static final int STEP_CANDIDATES = 64;
    /** Of the importance that all tokens would have if they had the same, so that none has none. */
    private static final double IMPORTANCE_FLOOR = 0.02;

    private final int largest;
    private final Codec codec;
    private final int heads;
    private final int channels;
    private final List<float[]> rows;
    private final double[][] weights;
    private final double[] sensitivities;
    private final long seed;
    private final float[] means;
    private final float[] scales;

    /**
     * @param rows          [K d] each, at least one.
     * @param importances   [K] each, as many as rows.
     * @param sensitivities [K d]: how much the square of an error counts.
     * @param largest       magnitude of a channel's integer in the window.
     */
    CodecCalibration(
            final Codec codec, final int heads, final int channels, final List<float[]> rows,
            final List<double[]> importances, final double[] sensitivities, final int largest, final long seed) {
        this.largest = largest;
        this.codec = codec;
        this.heads = heads;
        this.channels = channels;
        this.rows = rows;
        this.sensitivities = sensitivities;
        this.seed = seed;
        weights = weights(importances);
        means = new float[heads * channels];
        scales = new float[heads * channels];
        for (int i = 0; i < means.length; i++) {
            means[i] = mean(i);
        }
        for (int head = 0; head < heads; head++) {
            chooseScales(head);
        }
    }

    void write(final BundleWriter bundle, final String name) {
        bundle.floats(name + ".mean", means, heads, channels);
        bundle.floats(name + ".scale", scales, heads, channels);
        if (codec.isCoupled()) {
            bundle.bytes(name + ".codebook", DType.I8, codebook(), heads, codec.codeCount(channels),
                    CodecParameters.ENTRIES, codec.channels());
        } else if (codec.hasSteps()) {
            writeSteps(bundle, name);
        }
    }

    private double[][] weights(final List<double[]> importances) {
        final double[][] byHead = new double[heads][importances.size()];
        for (int head = 0; head < heads; head++) {
            double total = 0;
            for (final double[] importance : importances) {
                total += importance[head];
            }
            final double floor = total == 0 ? 1 : IMPORTANCE_FLOOR * total / importances.size();
            for (int i = 0; i < byHead[head].length; i++) {
                byHead[head][i] = importances.get(i)[head] + floor;
            }
        }
        return byHead;
    }

    private float mean(final int channel) {
        final double[] weight = weights[channel / channels];
        double sum = 0;
        double total = 0;
        for (int i = 0; i < weight.length; i++) {
            sum += weight[i] * rows.get(i)[channel];
            total += weight[i];
        }
        return (float) (sum / total);
    }

    private void chooseScales(final int head) {
        double widest = 0;
        for (int c = 0; c < channels; c++) {
            final int channel = head * channels + c;
            widest = Math.max(widest, range(channel) * Math.sqrt(sensitivities[channel]));
        }
        for (int c = 0; c < channels; c++) {
            final int channel = head * channels + c;
            final double finest = range(channel) * MARGIN / largest;
            final double even = sensitivities[channel] == 0
                    ? 0
                    : widest * MARGIN / largest / Math.sqrt(sensitivities[channel]);
            // Never so coarse that the window, which is kept in these units, would have less than 5 bits.
            final double scale = codec.isCoupled() ? Math.max(finest, Math.min(even, 8 * finest)) : finest;
            scales[channel] = (float) Math.max(scale, 1e-12);
        }
    }

    /** The largest distance from the mean. */
    private double range(final int channel) {
        double range = 0;
        for (final float[] row : rows) {
            range = Math.max(range, Math.abs((double) row[channel] - means[channel]));
        }
        return range;
    }

    private void writeSteps(final BundleWriter bundle, final String name) {
        final float[] steps = new float[means.length];
        final ByteBuffer reciprocals = ByteBuffer.allocate(steps.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int channel = 0; channel < steps.length; channel++) {
            steps[channel] = bestStep(channel);
            reciprocals.putInt(reciprocal(steps[channel], channel));
        }
        bundle.floats(name + ".step", steps, heads, channels);
        bundle.bytes(name + ".reciprocal", DType.I32, reciprocals.array(), heads, channels);
    }

    private int reciprocal(final double step, final int channel) {
        final double exact = (1 << CodecParameters.RECIPROCAL_BITS) * scales[channel] / (2 * step);
        return (int) Math.max(1, Math.min(1 << 23, Math.rint(exact)));
    }

    private float bestStep(final int channel) {
        final double[] weight = weights[channel / channels];
        double squares = 0;
        double total = 0;
        for (int i = 0; i < weight.length; i++) {
            final double value = rows.get(i)[channel] - means[channel];
            squares += weight[i] * value * value;
            total += weight[i];
        }
        final double deviation = Math.max(Math.sqrt(squares / total), scales[channel]);
        // Of the largest code: from a fraction of a deviation to some of them.
        final int levels = 1 << codec.bits();
        double best = deviation / levels;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 1; i <= STEP_CANDIDATES; i++) {
            final double step = deviation * 5 * i / STEP_CANDIDATES / levels;
            final double error = error(channel, step, levels, weight);
            if (error < least) {
                least = error;
                best = step;
            }
        }
        return (float) best;
    }

    private double error(final int channel, final double step, final int levels, final double[] weight) {
        final int reciprocal = reciprocal(step, channel);
        double error = 0;
        for (int i = 0; i < weight.length; i++) {
            final double value = rows.get(i)[channel] - (double) means[channel];
            final int code = (byteOf(value, channel) * reciprocal >> CodecParameters.RECIPROCAL_BITS) + levels / 2;
            final int held = Math.max(0, Math.min(levels - 1, code));
            final double difference = value - (2 * held - (levels - 1)) * step;
            error += weight[i] * difference * difference;
        }
        return error;
    }

    private int byteOf(final double value, final int channel) {
        return (int) Math.max(-largest, Math.min(largest, Math.rint(value / scales[channel])));
    }

    private byte[] codebook() {
        final int width = codec.channels();
        final int groups = codec.codeCount(channels);
        final byte[] codebook = new byte[heads * channels * CodecParameters.ENTRIES];
        final SplittableRandom random = new SplittableRandom(seed);
        int next = 0;
        for (int head = 0; head < heads; head++) {
            for (int group = 0; group < groups; group++) {
                final double[][] points = points(head * channels + group * width, width);
                for (final double[] centre : KMeans.centres(points, weights[head], CodecParameters.ENTRIES, random)) {
                    for (final double value : centre) {
                        codebook[next++] = (byte) Math.max(-ENTRY_LARGEST, Math.min(ENTRY_LARGEST, Math.rint(value)));
                    }
                }
            }
        }
        return codebook;
    }

    /** Rows of some channels, in units of their scales. */
    private double[][] points(final int firstChannel, final int count) {
        final double[][] points = new double[rows.size()][count];
        for (int i = 0; i < points.length; i++) {
            for (int c = 0; c < count; c++) {
                final int channel = firstChannel + c;
                points[i][c] = (rows.get(i)[channel] - (double) means[channel]) / scales[channel];
            }
        }
        return points;
    }
}
