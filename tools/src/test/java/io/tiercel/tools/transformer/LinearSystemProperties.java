package io.tiercel.tools.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class LinearSystemProperties {

    @Property(tries = 50)
    void shouldSolveWhatIsPositiveDefinite(@ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 12) final int count) {
        final SplittableRandom random = new SplittableRandom(seed);
        final double[][] root = new double[count][];
        for (int i = 0; i < count; i++) {
            root[i] = random.doubles(count, -1, 1).toArray();
        }
        final double[] expected = random.doubles(count, -1, 1).toArray();
        final double[][] matrix = new double[count][count];
        final double[] right = new double[count];
        for (int row = 0; row < count; row++) {
            for (int column = 0; column < count; column++) {
                matrix[row][column] = row == column ? 1 : 0;
                for (int i = 0; i < count; i++) {
                    matrix[row][column] += root[i][row] * root[i][column];
                }
                right[row] += matrix[row][column] * expected[column];
            }
        }
        final double[] solution = LinearSystem.solve(matrix, right);
        for (int i = 0; i < count; i++) {
            assertEquals(expected[i], solution[i], 1e-9);
        }
    }
}
