package io.tiercel.appliance.engine.matrix;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;

/**
 * A matrix of integers with one fp32 scale per row, as the bundle holds it and validated; immutable, any thread.
 *
 * <pre>
 *   INT8   NAME.weight      I8  [rows, columns]
 *   INT4   NAME.weight      U8  [rows, 16 x groups]   two's complement nibbles, even column in the low one
 *          NAME.multiplier  U8  [rows, groups]        1..255, groups of 32 columns, the last filled up with zeros
 *   INT16  NAME.weight      I16 [rows, columns]       within ±32,639
 *   all    NAME.scale       F32 [rows]                above zero
 * </pre>
 *
 * <p>A weight is its code, for INT4 its code times its group's multiplier (-2040..1785), so a row's product with an
 * integer vector is one integer. That it fits 32 bits whatever the vector is checked here, from the row's own weights.
 * An INT16 weight is held as two planes of bytes, {@code 256 x high + low}; what is checked is each plane's product.
 *
 * <p>Keeps the bundle's bytes and nothing of the matrix's size beside them, so that a backend can pack a model of tens
 * of millions of weights on a small heap.
 */
public final class MatrixParameters {

    /** Columns that share an INT4 multiplier. */
    public static final int GROUP_COLUMNS = 32;

    /** The largest magnitude of an INT16 weight: both of its planes are bytes then. */
    public static final int INT16_MAXIMUM = 32_639;

    private final WeightFormat format;
    private final int rows;
    private final int columns;
    private final byte[] codes;
    private final byte[] lowCodes;
    private final byte[] multipliers;
    private final float[] rowScales;
    private final long[] rowMagnitudes;

    private MatrixParameters(
            final Bundle bundle, final String name, final WeightFormat format, final int rows, final int columns,
            final int vectorMaximum) {
        this.format = format;
        this.rows = rows;
        this.columns = columns;
        switch (format) {
            case INT8 -> {
                codes = bundle.bytes(name + ".weight", DType.I8, rows, columns);
                lowCodes = null;
                multipliers = null;
            }
            case INT16 -> {
                final short[] words = bundle.shorts(name + ".weight", rows, columns);
                codes = new byte[words.length];
                lowCodes = new byte[words.length];
                multipliers = null;
                split(bundle, name, words);
            }
            default -> {
                codes = bundle.bytes(name + ".weight", DType.U8, rows, groupCount() * GROUP_COLUMNS / 2);
                lowCodes = null;
                multipliers = bundle.bytes(name + ".multiplier", DType.U8, rows, groupCount());
                checkGroups(bundle, name);
            }
        }
        rowScales = bundle.positiveFloats(name + ".scale", rows);
        rowMagnitudes = rowMagnitudes(bundle, name, vectorMaximum);
    }

    /**
     * @param vectorMaximum the largest magnitude of an element of the vectors it will be multiplied with.
     * @throws BundleException if a tensor is missing or has a wrong shape, or a product could leave 32 bits.
     */
    public static MatrixParameters read(
            final Bundle bundle, final String name, final WeightFormat format, final int rows, final int columns,
            final int vectorMaximum) {
        return new MatrixParameters(bundle, name, format, rows, columns, vectorMaximum);
    }

    public WeightFormat format() {
        return format;
    }

    public int rows() {
        return rows;
    }

    public int columns() {
        return columns;
    }

    /** Groups of {@value #GROUP_COLUMNS} columns in a row, the last one maybe not full. */
    public int groupCount() {
        return (columns + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
    }

    /** The weight that enters the products. For packing: INT4 is unpacked anew at each call. */
    public int weight(final int row, final int column) {
        return switch (format) {
            case INT8 -> codes[row * columns + column];
            case INT16 -> 256 * codes[row * columns + column] + lowCodes[row * columns + column];
            default -> code(row, column) * multiplier(row, column / GROUP_COLUMNS);
        };
    }

    /**
     * INT8: [rows, columns], row-major. INT16: the same, of the high plane. INT4: nibbles, [rows, 16 x groups];
     * those past the last column are zero. The array itself and not a copy, so that packing needs no second one: not
     * to be changed.
     */
    public byte[] codes() {
        return codes;
    }

    /** INT16: [rows, columns], the low plane; otherwise null. The array itself: not to be changed. */
    public byte[] lowCodes() {
        return lowCodes;
    }

    /** INT4: [rows, groups], unsigned, none zero; otherwise null. The array itself: not to be changed. */
    public byte[] multipliers() {
        return multipliers;
    }

    /** [rows], above zero, not yet multiplied with a vector's scale. The array itself: not to be changed. */
    public float[] rowScales() {
        return rowScales;
    }

    /** The largest magnitude that the row's product with a permitted vector can have. */
    public long rowMagnitude(final int row) {
        return rowMagnitudes[row];
    }

    /** For each row: row scale x vector scale, rounded once. */
    public float[] scalesWith(final float vectorScale) {
        final float[] scales = new float[rows];
        for (int row = 0; row < rows; row++) {
            scales[row] = rowScales[row] * vectorScale;
        }
        return scales;
    }

    private void checkGroups(final Bundle bundle, final String name) {
        for (int row = 0; row < rows; row++) {
            for (int group = 0; group < groupCount(); group++) {
                if (multiplier(row, group) == 0) {
                    throw new BundleException(bundle.path() + ": tensor=" + name + ".multiplier row=" + row +
                            " group=" + group + " value=0 is not in 1..255");
                }
            }
            for (int column = columns; column < groupCount() * GROUP_COLUMNS; column++) {
                if (code(row, column) != 0) {
                    throw new BundleException(bundle.path() + ": tensor=" + name + ".weight row=" + row + " column=" +
                            column + " value=" + code(row, column) + " stands past the last column and is not 0");
                }
            }
        }
    }

    private void split(final Bundle bundle, final String name, final short[] words) {
        for (int i = 0; i < words.length; i++) {
            if (Math.abs(words[i]) > INT16_MAXIMUM) {
                throw new BundleException(bundle.path() + ": tensor=" + name + ".weight index=" + i + " value=" +
                        words[i] + " is not within ±" + INT16_MAXIMUM);
            }
            lowCodes[i] = (byte) words[i];
            codes[i] = (byte) (words[i] - lowCodes[i] >> Byte.SIZE);
        }
    }

    private long[] rowMagnitudes(final Bundle bundle, final String name, final int vectorMaximum) {
        final long[] magnitudes = new long[rows];
        for (int row = 0; row < rows; row++) {
            long largest = 0;
            long magnitude = 0;
            long low = 0;
            for (int column = 0; column < columns; column++) {
                magnitude += Math.abs(weight(row, column));
                if (format == WeightFormat.INT16) {
                    largest += Math.abs(codes[row * columns + column]);
                    low += Math.abs(lowCodes[row * columns + column]);
                }
            }
            largest = (format == WeightFormat.INT16 ? Math.max(largest, low) : magnitude) * vectorMaximum;
            if (largest > Integer.MAX_VALUE) {
                throw new BundleException(bundle.path() + ": tensor=" + name + ".weight row=" + row +
                        " could sum up to " + largest + ", which does not fit 32 bits");
            }
            magnitudes[row] = magnitude * vectorMaximum;
        }
        return magnitudes;
    }

    private int multiplier(final int row, final int group) {
        return multipliers[row * groupCount() + group] & 0xFF;
    }

    /** An INT4 code, sign-extended; even columns are in the low nibble. */
    private int code(final int row, final int column) {
        final byte pair = codes[row * (groupCount() * GROUP_COLUMNS / 2) + column / 2];
        return (column & 1) == 0 ? (pair << 28) >> 28 : pair >> 4;
    }
}
