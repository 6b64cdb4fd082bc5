package io.tiercel.tools.matrix;

/** @param values row-major; not copied, not to be changed. */
public record FloatMatrix(int rows, int columns, float[] values) {

    public float at(final int row, final int column) {
        return values[row * columns + column];
    }

    /** {@code result[row] += this[row] . vector}. */
    public void addProduct(final double[] vector, final double[] result) {
        for (int row = 0; row < rows; row++) {
            double sum = 0;
            for (int column = 0, index = row * columns; column < columns; column++, index++) {
                sum += values[index] * vector[column];
            }
            result[row] += sum;
        }
    }

    /** The rows of several matrices of as many columns, one after the other. */
    public static FloatMatrix stacked(final int columns, final float[]... parts) {
        int length = 0;
        for (final float[] part : parts) {
            length += part.length;
        }
        final float[] all = new float[length];
        int offset = 0;
        for (final float[] part : parts) {
            System.arraycopy(part, 0, all, offset, part.length);
            offset += part.length;
        }
        return new FloatMatrix(length / columns, columns, all);
    }
}
