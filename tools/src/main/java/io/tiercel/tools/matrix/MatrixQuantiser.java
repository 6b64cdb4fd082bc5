package io.tiercel.tools.matrix;

import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.matrix.MatrixParameters;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Rows of floats to rows of integers under one scale. For each row (int8) or group of 32 columns (int4) it tries
 * several scales and keeps the one with the least squared error, a column's error counting as much as its inputs are
 * large on the calibration rows.
 */
public final class MatrixQuantiser {

    static final int GROUP_COLUMNS = 32;

    private static final int INT8_MAXIMUM = 127;
    private static final int INT16_MAXIMUM = MatrixParameters.INT16_MAXIMUM;
    private static final int INT4_MINIMUM = -8;
    private static final int INT4_MAXIMUM = 7;
    private static final int MULTIPLIER_MAXIMUM = 255;
    private static final int CANDIDATES = 24;
    private static final double CANDIDATE_STEP = 0.02;

    private final FloatMatrix matrix;
    private final double[] columnWeights;
    private final long vectorMaximum;

    /**
     * @param columnWeights mean square of each column's input.
     * @param vectorMaximum largest magnitude of an input's integer: a row's sum must fit 32 bits.
     */
    public MatrixQuantiser(final FloatMatrix matrix, final double[] columnWeights, final int vectorMaximum) {
        this.matrix = matrix;
        this.columnWeights = columnWeights;
        this.vectorMaximum = vectorMaximum;
    }

    public void write(final BundleWriter bundle, final String name, final WeightFormat format) {
        switch (format) {
            case INT8 -> writeInt8(bundle, name);
            case INT4 -> writeInt4(bundle, name);
            case INT16 -> writeInt16(bundle, name);
            default -> throw new IllegalArgumentException("format=" + format);
        }
    }

    /** The largest weight of a row is its scale's largest code: at this width there is nothing to be won by less. */
    private void writeInt16(final BundleWriter bundle, final String name) {
        final int columns = matrix.columns();
        final ByteBuffer codes = ByteBuffer.allocate(Short.BYTES * matrix.rows() * columns)
                .order(ByteOrder.LITTLE_ENDIAN);
        final float[] scales = new float[matrix.rows()];
        for (int row = 0; row < matrix.rows(); row++) {
            double largest = 0;
            for (int column = 0; column < columns; column++) {
                largest = Math.max(largest, Math.abs((double) matrix.at(row, column)));
            }
            final short[] rowCodes = new short[columns];
            int limit = INT16_MAXIMUM;
            do {
                scales[row] = scale(largest / Math.max(1, limit));
                for (int column = 0; column < columns; column++) {
                    rowCodes[column] = (short) code(matrix.at(row, column), scales[row], -limit, limit);
                }
                limit /= 2;
            } while (planeMagnitude(rowCodes) * vectorMaximum > Integer.MAX_VALUE);
            for (final short code : rowCodes) {
                codes.putShort(code);
            }
        }
        bundle.bytes(name + ".weight", DType.I16, codes.array(), matrix.rows(), columns);
        bundle.floats(name + ".scale", scales, matrix.rows());
    }

    /** Of the two bytes that a weight is held as, the larger sum. */
    private static long planeMagnitude(final short[] codes) {
        long high = 0;
        long low = 0;
        for (final short code : codes) {
            final int lowByte = (byte) code;
            low += Math.abs(lowByte);
            high += Math.abs(code - lowByte >> Byte.SIZE);
        }
        return Math.max(high, low);
    }

    private void writeInt8(final BundleWriter bundle, final String name) {
        final int columns = matrix.columns();
        final byte[] codes = new byte[matrix.rows() * columns];
        final float[] scales = new float[matrix.rows()];
        for (int row = 0; row < matrix.rows(); row++) {
            int limit = INT8_MAXIMUM;
            long magnitude;
            do {
                scales[row] = scale(bestScale(row, 0, columns, -limit, limit));
                magnitude = 0;
                for (int column = 0; column < columns; column++) {
                    final int code = code(matrix.at(row, column), scales[row], -limit, limit);
                    codes[row * columns + column] = (byte) code;
                    magnitude += Math.abs(code) * vectorMaximum;
                }
                limit /= 2;
            } while (magnitude > Integer.MAX_VALUE);
        }
        bundle.bytes(name + ".weight", DType.I8, codes, matrix.rows(), columns);
        bundle.floats(name + ".scale", scales, matrix.rows());
    }

    private void writeInt4(final BundleWriter bundle, final String name) {
        final int groups = (matrix.columns() + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
        final int rowBytes = groups * GROUP_COLUMNS / 2;
        final byte[] codes = new byte[matrix.rows() * rowBytes];
        final byte[] multipliers = new byte[matrix.rows() * groups];
        final float[] scales = new float[matrix.rows()];
        final int[] rowCodes = new int[matrix.columns()];
        final int[] rowMultipliers = new int[groups];
        for (int row = 0; row < matrix.rows(); row++) {
            int limit = MULTIPLIER_MAXIMUM;
            do {
                scales[row] = quantiseInt4Row(row, limit, rowCodes, rowMultipliers);
                limit /= 2;
            } while (magnitude(rowCodes, rowMultipliers) > Integer.MAX_VALUE);
            for (int column = 0; column < matrix.columns(); column++) {
                codes[row * rowBytes + column / 2] |= (byte) ((rowCodes[column] & 0xF) << (4 * (column & 1)));
            }
            for (int group = 0; group < groups; group++) {
                multipliers[row * groups + group] = (byte) rowMultipliers[group];
            }
        }
        bundle.bytes(name + ".weight", DType.U8, codes, matrix.rows(), rowBytes);
        bundle.bytes(name + ".multiplier", DType.U8, multipliers, matrix.rows(), groups);
        bundle.floats(name + ".scale", scales, matrix.rows());
    }

    /** The row scale lets the coarsest group have the largest multiplier; returns it. */
    private float quantiseInt4Row(
            final int row, final int multiplierLimit, final int[] codes, final int[] multipliers) {
        final double[] groupScales = new double[multipliers.length];
        double coarsest = 0;
        for (int group = 0; group < groupScales.length; group++) {
            final int from = group * GROUP_COLUMNS;
            final int to = Math.min(from + GROUP_COLUMNS, codes.length);
            groupScales[group] = bestScale(row, from, to, INT4_MINIMUM, INT4_MAXIMUM);
            coarsest = Math.max(coarsest, groupScales[group]);
        }
        final float rowScale = scale(coarsest / Math.max(1, multiplierLimit));
        for (int group = 0; group < groupScales.length; group++) {
            multipliers[group] = (int) Math.max(1,
                    Math.min(Math.max(1, multiplierLimit), Math.rint(groupScales[group] / rowScale)));
            final int to = Math.min((group + 1) * GROUP_COLUMNS, codes.length);
            for (int column = group * GROUP_COLUMNS; column < to; column++) {
                codes[column] = code(matrix.at(row, column), (double) rowScale * multipliers[group],
                        INT4_MINIMUM, INT4_MAXIMUM);
            }
        }
        return rowScale;
    }

    private long magnitude(final int[] codes, final int[] multipliers) {
        long magnitude = 0;
        for (int column = 0; column < codes.length; column++) {
            magnitude += (long) Math.abs(codes[column]) * multipliers[column / GROUP_COLUMNS] * vectorMaximum;
        }
        return magnitude;
    }

    /** The scale with the least weighted squared error, from the largest weight downwards; 0 for zeros only. */
    private double bestScale(final int row, final int from, final int to, final int minimum, final int maximum) {
        double largest = 0;
        for (int column = from; column < to; column++) {
            largest = Math.max(largest, Math.abs((double) matrix.at(row, column)));
        }
        double best = largest / Math.max(1, maximum);
        double leastError = Double.POSITIVE_INFINITY;
        for (int i = 0; i < CANDIDATES && largest > 0; i++) {
            final double scale = largest / Math.max(1, maximum) * (1 - i * CANDIDATE_STEP);
            double error = 0;
            for (int column = from; column < to; column++) {
                final double weight = matrix.at(row, column);
                final double difference = weight - scale * code(weight, scale, minimum, maximum);
                error += difference * difference * columnWeights[column];
            }
            if (error < leastError) {
                leastError = error;
                best = scale;
            }
        }
        return best;
    }

    private static int code(final double weight, final double scale, final int minimum, final int maximum) {
        return (int) Math.max(minimum, Math.min(maximum, Math.rint(weight / scale)));
    }

    /** As the bundle holds it: above zero even for a row of zeros. */
    private static float scale(final double scale) {
        return (float) Math.max(scale, Float.MIN_NORMAL);
    }
}
