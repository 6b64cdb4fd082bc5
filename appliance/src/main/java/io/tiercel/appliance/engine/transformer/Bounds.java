package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.matrix.MatrixParameters;

/**
 * How large the numbers of a forward pass can become, whatever the input: so that a bundle whose answers could be
 * infinite is refused when it is loaded. Used while a bundle is read, then dropped.
 */
final class Bounds {

    /** Every number of the forward pass stays below it: squares of some are taken, in doubles. */
    private static final double LIMIT = 1e30;
    /** What rounding could add. */
    private static final double SLACK = 1.01;

    private final Bundle bundle;
    private final int dimension;
    private final int vectorMaximum;

    Bounds(final Bundle bundle, final int dimension, final int vectorMaximum) {
        this.bundle = bundle;
        this.dimension = dimension;
        this.vectorMaximum = vectorMaximum;
    }

    /** An element of a vector that was divided by its root mean square, times these weights. */
    double norm(final String name, final float[] weights) {
        double largest = 0;
        for (int i = 0; i < weights.length; i++) {
            final double element = Math.abs((double) weights[i]) * Math.sqrt(dimension) * SLACK;
            check(name, i, element);
            largest = Math.max(largest, element);
        }
        return largest;
    }

    /**
     * For each row, the largest magnitude of its product with a vector whose elements are within ±{@code largest}. A
     * row of zeros counts as one with a weight of 1: its scale is multiplied with the vector's all the same, and
     * infinity times zero is no number.
     */
    double[] products(final String name, final MatrixParameters matrix, final double largest) {
        final double[] products = new double[matrix.rows()];
        for (int row = 0; row < products.length; row++) {
            final long magnitude = Math.max(matrix.rowMagnitude(row), vectorMaximum);
            products[row] = magnitude * (double) matrix.rowScales()[row] * (largest / vectorMaximum) * SLACK;
            check(name, row, products[row]);
        }
        return products;
    }

    /** The same of the row that can become largest. */
    double largestProduct(final String name, final MatrixParameters matrix, final double largest) {
        double product = 0;
        for (final double candidate : products(name, matrix, largest)) {
            product = Math.max(product, candidate);
        }
        return product;
    }

    void check(final String name, final int row, final double largest) {
        if (!(largest < LIMIT)) {
            throw new BundleException(bundle.path() + ": tensor=" + name + " row=" + row + " could reach " + largest +
                    ", above the limit of " + LIMIT);
        }
    }
}
