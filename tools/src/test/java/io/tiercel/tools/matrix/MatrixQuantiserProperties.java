package io.tiercel.tools.matrix;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.matrix.MatrixParameters;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class MatrixQuantiserProperties {

    @Property(tries = 100)
    void shouldStayNearTheWeightsAndWithin32Bits(
            @ForAll final long seed, @ForAll final WeightFormat format,
            @ForAll @IntRange(min = 1, max = 6) final int rows, @ForAll @IntRange(min = 1, max = 700) final int columns,
            @ForAll final boolean wideInputs) {
        final SplittableRandom random = new SplittableRandom(seed);
        final float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextDouble(-1, 1) * (i % 7 == 0 ? 0 : 1));
        }
        final int vectorMaximum = wideInputs ? 32767 : 127;
        final double[] columnWeights = new double[columns];
        Arrays.fill(columnWeights, 1);
        final double[][] restored = restored(new FloatMatrix(rows, columns, values), columnWeights, format,
                vectorMaximum);
        double squaredError = 0;
        double squares = 0;
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                final double weight = values[row * columns + column];
                squaredError += Math.pow(restored[row][column] - weight, 2);
                squares += weight * weight;
            }
        }
        final double tolerated = switch (format) {
            case INT4 -> 0.12;
            case INT8 -> wideInputs ? 0.03 : 0.006;
            case INT16 -> wideInputs ? 0.03 : 0.00003;
        };
        assertTrue(Math.sqrt(squaredError) <= tolerated * Math.sqrt(squares) + 1e-12,
                () -> "relative error of " + format + " is too large");
    }

    /** Reads the tensors back, which refuses rows that can leave 32 bits. */
    private static double[][] restored(
            final FloatMatrix matrix, final double[] columnWeights, final WeightFormat format,
            final int vectorMaximum) {
        final BundleWriter writer = new BundleWriter(new Manifest("test", Map.of(), List.of("f"), List.of("y"),
                Manifest.Task.REGRESSION, new Manifest.Quantisation(format, format, 8), Map.of(), Map.of()));
        new MatrixQuantiser(matrix, columnWeights, vectorMaximum).write(writer, "m", format);
        final Bundle bundle = Bundle.of(Path.of("test"), writer.toBytes());
        final MatrixParameters parameters =
                MatrixParameters.read(bundle, "m", format, matrix.rows(), matrix.columns(), vectorMaximum);
        final double[][] restored = new double[matrix.rows()][matrix.columns()];
        for (int row = 0; row < matrix.rows(); row++) {
            for (int column = 0; column < matrix.columns(); column++) {
                restored[row][column] = (double) parameters.rowScales()[row] * parameters.weight(row, column);
            }
        }
        return restored;
    }
}
