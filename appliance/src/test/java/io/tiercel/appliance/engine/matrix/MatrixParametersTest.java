package io.tiercel.appliance.engine.matrix;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import org.junit.jupiter.api.Test;

/** The weights, and the bundle's bytes that they come from. */
class MatrixParametersTest {

    private static final int HIDDEN = 5;
    private static final int ROWS = 4 * HIDDEN;
    private static final int COLUMNS = 37;
    private static final int GROUPS = 2;

    @Test
    void shouldGiveTheCodesWhenInt8() {
        final Bundle bundle = bundle(WeightFormat.INT8);
        final byte[] codes = bundle.bytes("layers.0.input.weight", DType.I8, ROWS, COLUMNS);
        final MatrixParameters matrix = LstmParameters.read(bundle).layer(0).input();
        assertEquals(ROWS, matrix.rows());
        assertEquals(COLUMNS, matrix.columns());
        assertEquals(WeightFormat.INT8, matrix.format());
        assertArrayEquals(codes, matrix.codes());
        assertNull(matrix.multipliers());
        for (int row = 0; row < ROWS; row++) {
            for (int column = 0; column < COLUMNS; column++) {
                assertEquals(codes[row * COLUMNS + column], matrix.weight(row, column));
            }
        }
    }

    @Test
    void shouldGiveNibblesTimesMultipliersWhenInt4() {
        final Bundle bundle = bundle(WeightFormat.INT4);
        final byte[] codes = bundle.bytes("layers.0.input.weight", DType.U8, ROWS, 16 * GROUPS);
        final byte[] multipliers = bundle.bytes("layers.0.input.multiplier", DType.U8, ROWS, GROUPS);
        final MatrixParameters matrix = LstmParameters.read(bundle).layer(0).input();
        assertEquals(WeightFormat.INT4, matrix.format());
        assertEquals(GROUPS, matrix.groupCount());
        assertArrayEquals(codes, matrix.codes());
        assertArrayEquals(multipliers, matrix.multipliers());
        for (int row = 0; row < ROWS; row++) {
            for (int column = 0; column < COLUMNS; column++) {
                final int pair = codes[row * 16 * GROUPS + column / 2] & 0xFF;
                final int code = column % 2 == 0 ? pair % 16 : pair / 16;
                final int multiplier = multipliers[row * GROUPS + column / 32] & 0xFF;
                assertEquals((code < 8 ? code : code - 16) * multiplier, matrix.weight(row, column));
            }
        }
    }

    private static Bundle bundle(final WeightFormat weights) {
        return RandomModels.lstm(6).hidden(HIDDEN).features(COLUMNS).weights(weights).bundle();
    }
}
