package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.matrix.MatrixParameters;
import java.util.Arrays;
import java.util.function.IntBinaryOperator;

/**
 * The integers of a matrix, for products with integer vectors; immutable.
 *
 * <p>{@link MatrixParameters} has checked that a product fits 32 bits. Held by column as {@code int}: the JIT turns the
 * loop over rows into SIMD multiplies and adds, and integer addition gives the same bits in any order.
 */
final class QuantisedMatrix {

    private final int rows;
    private final int columns;
    private final int[][] weightsByColumn;

    QuantisedMatrix(final MatrixParameters parameters) {
        this(parameters.rows(), parameters.columns(), parameters::weight);
    }

    /** @param weights by row and column. */
    QuantisedMatrix(final int rows, final int columns, final IntBinaryOperator weights) {
        this.rows = rows;
        this.columns = columns;
        weightsByColumn = new int[columns][rows];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                weightsByColumn[column][row] = weights.applyAsInt(row, column);
            }
        }
    }

    int rows() {
        return rows;
    }

    int columns() {
        return columns;
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
}
