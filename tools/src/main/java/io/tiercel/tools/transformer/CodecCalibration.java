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
 * output matrix makes of it; a token counts by the attention that it gets from tokens behind its window. A uniform
 * codec's mean and step are, for each channel, those of the least weighted error, both at once: where values lean to
 * one side, so do the levels. What its codes then stand for can be changed: {@link AttentionFit}. For coupled codes the
 * 8-bit scales are chosen so that an error of one unit counts as much in any channel, since codes are searched by plain
 * distance; then k-means.
 */
final class CodecCalibration {

    private static final int ENTRY_LARGEST = 127;
    /**
     * Of integers of 16 bits, beyond the largest magnitude seen. With 8 bits the steps between them are worth more than
     * room for what is further out, which is held.
     */
    private static final double WIDE_ROOM = 1.25;
    private static final int STEP_CANDIDATES = 24;
    private static final double WIDEST_DEVIATIONS = 5;
    private static final int FIT_ROUNDS = 20;
    private static final double FIT_WORTHWHILE = 1e-6;
    private static final double SMALLEST = 1e-10;
    /** Of the importance that all tokens would have if they had the same, so that none has none. */
    private static final double IMPORTANCE_FLOOR = 0.02;
    /**
     * Of attention received: an error is added times a share of attention, and its square counts, so 2 for a single
     * look; but it is many looks that are added, and with 2 a few tokens have all codes to themselves.
     */
    private static final double IMPORTANCE_POWER = 1.5;
    /** Times the finest scale: the window, which is kept in these units, has 5 bits at least. */
    private static final double COARSEST = 8;

    private final int largest;
    private final Codec codec;
    private final int heads;
    private final int channels;
    private final double[][] columns;
    private final double[][] weights;
    private final double[] sensitivities;
    private final long seed;
    private final float[] means;
    private final float[] scales;
    /** Of the least error of values by themselves: where codes begin and end. */
    private final float[] cuts;
    /** What codes stand for. */
    private float[] steps;
    /** Made when it is asked for. */
    private byte[] codebook;

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
        this.sensitivities = sensitivities;
        this.seed = seed;
        columns = columns(rows, heads * channels);
        weights = weights(importances);
        means = new float[heads * channels];
        scales = new float[heads * channels];
        cuts = new float[heads * channels];
        steps = cuts;
        for (int i = 0; i < means.length; i++) {
            means[i] = (float) mean(columns[i], weights[i / channels]);
            if (codec.hasSteps()) {
                fit(i);
            }
        }
        for (int head = 0; head < heads; head++) {
            chooseScales(head);
        }
    }

    /** What the rows are, coded. Of a uniform codec below 8 bits. */
    UniformCodes codes() {
        final byte[][] levels = new byte[columns[0].length][columns.length];
        for (int row = 0; row < levels.length; row++) {
            for (int i = 0; i < columns.length; i++) {
                levels[row][i] =
                        (byte) UniformFit.level(columns[i][row] - means[i], cuts[i], 1 << codec.bits());
            }
        }
        return new UniformCodes(means, steps, levels);
    }

    /** Makes the same codes stand for something else. @param others [K d], above zero. */
    void changeSteps(final float[] others) {
        steps = others;
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

    private static double[][] columns(final List<float[]> rows, final int count) {
        final double[][] columns = new double[count][rows.size()];
        for (int i = 0; i < rows.size(); i++) {
            final float[] row = rows.get(i);
            for (int channel = 0; channel < count; channel++) {
                columns[channel][i] = row[channel];
            }
        }
        return columns;
    }

    private double[][] weights(final List<double[]> importances) {
        final double[][] byHead = new double[heads][importances.size()];
        for (int head = 0; head < heads; head++) {
            double total = 0;
            for (final double[] importance : importances) {
                total += importance(importance[head]);
            }
            final double floor = total == 0 ? 1 : IMPORTANCE_FLOOR * total / importances.size();
            for (int i = 0; i < byHead[head].length; i++) {
                byHead[head][i] = importance(importances.get(i)[head]) + floor;
            }
        }
        return byHead;
    }

    /** Strictly: the same bundle on every machine. */
    private static double importance(final double attention) {
        return StrictMath.pow(attention, IMPORTANCE_POWER);
    }

    private static double mean(final double[] column, final double[] weight) {
        double sum = 0;
        double total = 0;
        for (int i = 0; i < weight.length; i++) {
            sum += weight[i] * column[i];
            total += weight[i];
        }
        return sum / total;
    }

    private void chooseScales(final int head) {
        final double room = largest > ENTRY_LARGEST ? WIDE_ROOM : 1;
        double widest = 0;
        for (int c = 0; c < channels; c++) {
            final int channel = head * channels + c;
            widest = Math.max(widest, range(channel) * Math.sqrt(sensitivities[channel]));
        }
        for (int c = 0; c < channels; c++) {
            final int channel = head * channels + c;
            final double finest = range(channel) * room / largest;
            final double even = sensitivities[channel] == 0
                    ? 0
                    : widest * room / largest / Math.sqrt(sensitivities[channel]);
            final double scale = codec.isCoupled() ? Math.max(finest, Math.min(even, COARSEST * finest)) : finest;
            scales[channel] = (float) Math.max(scale, 1e-12);
        }
    }

    /** The largest distance from the mean. */
    private double range(final int channel) {
        double range = 0;
        for (final double value : columns[channel]) {
            range = Math.max(range, Math.abs(value - means[channel]));
        }
        return range;
    }

    private void writeSteps(final BundleWriter bundle, final String name) {
        final ByteBuffer reciprocals = ByteBuffer.allocate(steps.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int channel = 0; channel < steps.length; channel++) {
            reciprocals.putInt(reciprocal(cuts[channel], channel));
        }
        bundle.floats(name + ".step", steps, heads, channels);
        bundle.bytes(name + ".reciprocal", DType.I32, reciprocals.array(), heads, channels);
    }

    private int reciprocal(final double cut, final int channel) {
        final double exact = (1 << CodecParameters.RECIPROCAL_BITS) * scales[channel] / (2 * cut);
        return (int) Math.max(1, Math.min(1 << 23, Math.rint(exact)));
    }

    /** Sets mean and step: the best step of some about the mean, then both in turn with the codes. */
    private void fit(final int channel) {
        final double[] column = columns[channel];
        final double[] weight = weights[channel / channels];
        final int levels = 1 << codec.bits();
        UniformFit best = bestStep(column, weight, means[channel], levels);
        for (int round = 0; round < FIT_ROUNDS; round++) {
            final UniformFit next = best.refined(column, weight);
            if (next == null || next.error() >= best.error() * (1 - FIT_WORTHWHILE)) {
                break;
            }
            best = next;
        }
        means[channel] = (float) best.mean();
        cuts[channel] = (float) best.step();
    }

    private static UniformFit bestStep(
            final double[] column, final double[] weight, final double mean, final int levels) {
        double squares = 0;
        double total = 0;
        for (int i = 0; i < weight.length; i++) {
            squares += weight[i] * (column[i] - mean) * (column[i] - mean);
            total += weight[i];
        }
        final double deviation = Math.max(Math.sqrt(squares / total), SMALLEST);
        UniformFit best = null;
        for (int i = 1; i <= STEP_CANDIDATES; i++) {
            final UniformFit fit = UniformFit.of(
                    column, weight, mean, deviation * WIDEST_DEVIATIONS * i / STEP_CANDIDATES / levels, levels);
            if (best == null || fit.error() < best.error()) {
                best = fit;
            }
        }
        return best;
    }

    private byte[] codebook() {
        if (codebook == null) {
            codebook = newCodebook();
        }
        return codebook;
    }

    private byte[] newCodebook() {
        final int width = codec.channels();
        final int groups = codec.codeCount(channels);
        final byte[] entries = new byte[heads * channels * CodecParameters.ENTRIES];
        final SplittableRandom random = new SplittableRandom(seed);
        int next = 0;
        for (int head = 0; head < heads; head++) {
            for (int group = 0; group < groups; group++) {
                final double[][] points = points(head * channels + group * width, width);
                final double[][] centres = KMeans.centres(points, weights[head], CodecParameters.ENTRIES, random);
                for (final double[] centre : centres) {
                    for (final double value : centre) {
                        entries[next++] = (byte) Math.max(-ENTRY_LARGEST, Math.min(ENTRY_LARGEST, Math.rint(value)));
                    }
                }
            }
        }
        return entries;
    }

    /** Rows of some channels, in units of their scales. */
    private double[][] points(final int firstChannel, final int count) {
        final double[][] points = new double[columns[0].length][count];
        for (int i = 0; i < points.length; i++) {
            for (int c = 0; c < count; c++) {
                final int channel = firstChannel + c;
                points[i][c] = (columns[channel][i] - means[channel]) / scales[channel];
            }
        }
        return points;
    }
}
