package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.util.Arrays;

/**
 * A matrix of integers with one fp32 scale per row; immutable.
 *
 * <pre>
 *   INT8   NAME.weight      I8  [rows, columns]
 *   INT4   NAME.weight      U8  [rows, 16 x groups]   two's complement nibbles, even column in the low one
 *          NAME.multiplier  U8  [rows, groups]        1..255, groups of 32 columns, the last filled up with zeros
 *   both   NAME.scale       F32 [rows]                above zero
 * </pre>
 *
 * <p>A weight is its code, for INT4 its code times its group's multiplier (-2040..1785), so a row's product with an
 * integer vector is one integer. That it fits 32 bits whatever the vector is checked at load, from the row's own
 * weights. Held by column as {@code int}: the JIT turns the loop over rows into SIMD multiplies and adds, and integer
 * addition gives the same bits in any order.
 */
final class QuantisedMatrix {

    static final int GROUP_COLUMNS = 32;

    private final int rows;
    private final int columns;
    private final int[][] weightsByColumn;
    private final float[] rowScales;
    private final int[] rowMagnitudes;

    private QuantisedMatrix(
            final int rows, final int columns, final int[][] weightsByColumn, final float[] rowScales,
            final int[] rowMagnitudes) {
        this.rows = rows;
        this.columns = columns;
        this.weightsByColumn = weightsByColumn;
        this.rowScales = rowScales;
        this.rowMagnitudes = rowMagnitudes;
    }

    /**
     * @param vectorMaximum the largest magnitude of an element of the vectors it will be multiplied with.
     * @throws BundleException if a tensor is missing or has a wrong shape, or a product could leave 32 bits.
     */
    static QuantisedMatrix read(
            final Bundle bundle, final String name, final WeightFormat format, final int rows, final int columns,
            final int vectorMaximum) {
        final int[][] weights = format == WeightFormat.INT8
                ? readInt8(bundle, name, rows, columns)
                : readInt4(bundle, name, rows, columns);
        final float[] rowScales = bundle.positiveFloats(name + ".scale", rows);
        return new QuantisedMatrix(rows, columns, weights, rowScales,
                magnitudes(bundle, name, rows, weights, vectorMaximum));
    }

    int rows() {
        return rows;
    }

    int columns() {
        return columns;
    }

    /** The largest magnitude that the row's product with a permitted vector can have. */
    int rowMagnitude(final int row) {
        return rowMagnitudes[row];
    }

    /** For each row: row scale x vector scale, rounded once. */
    float[] scalesWith(final float vectorScale) {
        final float[] scales = new float[rows];
        for (int row = 0; row < rows; row++) {
            scales[row] = rowScales[row] * vectorScale;
        }
        return scales;
    }

    /** {@code products[0..rows) = weights x vector[0..columns)}. */
    void multiply(final int[] vector, final int[] products) {
        Arrays.fill(products, 0, rows, 0);
        int column = 0;
        for (; column <= columns - 4; column += 4) {
            add(products, rows,
                    weightsByColumn[column], weightsByColumn[column + 1],
                    weightsByColumn[column + 2], weightsByColumn[column + 3],
                    vector[column], vector[column + 1], vector[column + 2], vector[column + 3]);
        }
        for (; column < columns; column++) {
            add(products, rows, weightsByColumn[column], vector[column]);
        }
    }

    /** Four columns a pass: the sums are loaded and stored a quarter as often. */
    private static void add(
            final int[] sums, final int rows, final int[] w0, final int[] w1, final int[] w2, final int[] w3,
            final int x0, final int x1, final int x2, final int x3) {
        for (int row = 0; row < rows; row++) {
            sums[row] = sums[row] + w0[row] * x0 + w1[row] * x1 + w2[row] * x2 + w3[row] * x3;
        }
    }

    private static void add(final int[] sums, final int rows, final int[] weights, final int x) {
        for (int row = 0; row < rows; row++) {
            sums[row] += weights[row] * x;
        }
    }

    private static int[][] readInt8(final Bundle bundle, final String name, final int rows, final int columns) {
        final byte[] codes = bundle.bytes(name + ".weight", DType.I8, rows, columns);
        final int[][] weights = new int[columns][rows];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                weights[column][row] = codes[row * columns + column];
            }
        }
        return weights;
    }

    private static int[][] readInt4(final Bundle bundle, final String name, final int rows, final int columns) {
        final int groups = (columns + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
        final int rowBytes = groups * GROUP_COLUMNS / 2;
        final byte[] codes = bundle.bytes(name + ".weight", DType.U8, rows, rowBytes);
        final byte[] multipliers = bundle.bytes(name + ".multiplier", DType.U8, rows, groups);
        final int[][] weights = new int[columns][rows];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < groups * GROUP_COLUMNS; column++) {
                final int multiplier = multipliers[row * groups + column / GROUP_COLUMNS] & 0xFF;
                final int code = nibble(codes[row * rowBytes + column / 2], column);
                if (multiplier == 0) {
                    throw new BundleException(bundle.path() + ": tensor=" + name + ".multiplier row=" + row +
                            " group=" + column / GROUP_COLUMNS + " value=0 is not in 1..255");
                }
                if (column < columns) {
                    weights[column][row] = code * multiplier;
                } else if (code != 0) {
                    throw new BundleException(bundle.path() + ": tensor=" + name + ".weight row=" + row +
                            " column=" + column + " value=" + code + " stands past the last column and is not 0");
                }
            }
        }
        return weights;
    }

    /** Even columns are in the low nibble; sign-extended. */
    private static int nibble(final byte pair, final int column) {
        return (column & 1) == 0 ? (pair << 28) >> 28 : pair >> 4;
    }

    private static int[] magnitudes(
            final Bundle bundle, final String name, final int rows, final int[][] weightsByColumn,
            final int vectorMaximum) {
        final int[] magnitudes = new int[rows];
        for (int row = 0; row < rows; row++) {
            long magnitude = 0;
            for (final int[] weights : weightsByColumn) {
                magnitude += (long) Math.abs(weights[row]) * vectorMaximum;
            }
            if (magnitude > Integer.MAX_VALUE) {
                throw new BundleException(bundle.path() + ": tensor=" + name + ".weight row=" + row +
                        " could sum up to " + magnitude + ", which does not fit 32 bits");
            }
            magnitudes[row] = (int) magnitude;
        }
        return magnitudes;
    }
}
