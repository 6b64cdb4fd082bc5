package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.matrix.MatrixParameters;

/**
 * A matrix whose products with an integer vector become floats: {@code y[r] = (float) (w[r] . x) * (rowScale[r] *
 * xScale)}. Of int16 weights the products of the two planes are put together as one exact integer first. Immutable.
 */
final class ScaledMatrix {

    private final QuantisedMatrix codes;
    private final QuantisedMatrix lowCodes;
    private final float[] rowScales;

    ScaledMatrix(final MatrixParameters parameters) {
        if (parameters.format() == WeightFormat.INT16) {
            codes = plane(parameters, parameters.codes());
            lowCodes = plane(parameters, parameters.lowCodes());
        } else {
            codes = new QuantisedMatrix(parameters);
            lowCodes = null;
        }
        rowScales = parameters.rowScales();
    }

    int rows() {
        return codes.rows();
    }

    int columns() {
        return codes.columns();
    }

    /**
     * @param products scratch: two rows of the matrix's rows.
     * @param results  from index 0.
     */
    void multiply(final int[] vector, final float vectorScale, final int[][] products, final float[] results) {
        final int rows = codes.rows();
        codes.multiply(vector, products[0]);
        if (lowCodes == null) {
            for (int row = 0; row < rows; row++) {
                results[row] = (float) products[0][row] * (rowScales[row] * vectorScale);
            }
            return;
        }
        lowCodes.multiply(vector, products[1]);
        for (int row = 0; row < rows; row++) {
            final long sum = 256L * products[0][row] + products[1][row];
            results[row] = (float) sum * (rowScales[row] * vectorScale);
        }
    }

    private static QuantisedMatrix plane(final MatrixParameters parameters, final byte[] plane) {
        final int columns = parameters.columns();
        return new QuantisedMatrix(parameters.rows(), columns, (row, column) -> plane[row * columns + column]);
    }
}
