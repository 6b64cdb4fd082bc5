package io.tiercel.tools.transformer;

/** Small systems of linear equations whose matrix is symmetric and positive definite. */
final class LinearSystem {

    private LinearSystem() {
    }

    /**
     * By elimination, without exchanges: such a matrix needs none.
     *
     * @param matrix [n][n]; changed.
     * @param right  [n]; becomes the solution.
     */
    static double[] solve(final double[][] matrix, final double[] right) {
        final int count = right.length;
        for (int i = 0; i < count; i++) {
            for (int row = i + 1; row < count; row++) {
                final double factor = matrix[row][i] / matrix[i][i];
                for (int column = i; column < count; column++) {
                    matrix[row][column] -= factor * matrix[i][column];
                }
                right[row] -= factor * right[i];
            }
        }
        for (int i = count - 1; i >= 0; i--) {
            for (int column = i + 1; column < count; column++) {
                right[i] -= matrix[i][column] * right[column];
            }
            right[i] /= matrix[i][i];
        }
        return right;
    }
}
