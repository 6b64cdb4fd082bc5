package io.tiercel.tools.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
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
        final double[][] restored = restored(new FloatLstm.Matrix(rows, columns, values), columnWeights, format,
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
        final double tolerated = format == WeightFormat.INT4 ? 0.12 : wideInputs ? 0.03 : 0.006;
        assertTrue(Math.sqrt(squaredError) <= tolerated * Math.sqrt(squares) + 1e-12,
                () -> "relative error of " + format + " is too large");
    }

    /** Reads the tensors back; checks on the way that no row can leave 32 bits. */
    private static double[][] restored(
            final FloatLstm.Matrix matrix, final double[] columnWeights, final WeightFormat format,
            final int vectorMaximum) {
        final BundleWriter writer = new BundleWriter(new Manifest("test", Map.of(), List.of("f"), List.of("y"),
                Manifest.Task.REGRESSION, new Manifest.Quantisation(format, format, 8), Map.of(), Map.of()));
        new MatrixQuantiser(matrix, columnWeights, vectorMaximum).write(writer, "m", format);
        final Bundle bundle = Bundle.of(Path.of("test"), writer.toBytes());
        final int groups = (matrix.columns() + 31) / 32;
        final float[] scales = bundle.positiveFloats("m.scale", matrix.rows());
        final boolean wide = format == WeightFormat.INT8;
        final byte[] codes = wide
                ? bundle.bytes("m.weight", DType.I8, matrix.rows(), matrix.columns())
                : bundle.bytes("m.weight", DType.U8, matrix.rows(), 16 * groups);
        final byte[] multipliers = wide ? null : bundle.bytes("m.multiplier", DType.U8, matrix.rows(), groups);
        final double[][] restored = new double[matrix.rows()][matrix.columns()];
        for (int row = 0; row < matrix.rows(); row++) {
            long magnitude = 0;
            for (int column = 0; column < matrix.columns(); column++) {
                final int weight;
                if (wide) {
                    weight = codes[row * matrix.columns() + column];
                } else {
                    final int pair = codes[row * 16 * groups + column / 2];
                    weight = ((pair << (column % 2 == 0 ? 28 : 24)) >> 28) *
                            (multipliers[row * groups + column / 32] & 0xFF);
                }
                magnitude += Math.abs((long) weight) * vectorMaximum;
                restored[row][column] = (double) scales[row] * weight;
            }
            assertEquals(magnitude, (int) magnitude);
        }
        return restored;
    }
}
