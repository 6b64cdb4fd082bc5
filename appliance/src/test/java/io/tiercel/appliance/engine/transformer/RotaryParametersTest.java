package io.tiercel.appliance.engine.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.engine.BundleEditor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Angles against those of the textbook, and at positions that no double can turn into an angle. */
class RotaryParametersTest {

    private static final int HEAD_SIZE = 64;
    private static final int PAIRS = HEAD_SIZE / 2;
    private static final BigInteger CIRCLE = BigInteger.ONE.shiftLeft(64);
    private static final double ERROR = 4e-7;

    private final float[] cosines = new float[PAIRS];
    private final float[] sines = new float[PAIRS];

    @ParameterizedTest
    @ValueSource(doubles = {10_000, 500_000})
    void shouldTurnByTheAngleOfThePosition(final double theta) {
        final RotaryParameters rotary = rotary(theta);
        for (int position = 0; position <= 100_000; position += position < 2000 ? 1 : 7) {
            rotary.angles(position, cosines, sines);
            for (int pair = 0; pair < PAIRS; pair++) {
                final double angle = position * frequency(theta, pair);
                assertEquals(Math.cos(angle), cosines[pair], ERROR, "position=" + position + " pair=" + pair);
                assertEquals(Math.sin(angle), sines[pair], ERROR, "position=" + position + " pair=" + pair);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {10_000, 500_000})
    void shouldTurnByTheExactPhaseWhenPositionsAreHuge(final double theta) {
        final RotaryParameters rotary = rotary(theta);
        final SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 2000; i++) {
            final long position = i == 0 ? 1L << 40 : random.nextLong(1L << 24 + i % 39);
            rotary.angles(position, cosines, sines);
            for (int pair = 0; pair < PAIRS; pair++) {
                final BigInteger phase = BigInteger.valueOf(position)
                        .multiply(new BigInteger(Long.toUnsignedString(rotary.steps()[pair]))).mod(CIRCLE);
                final double angle = 2 * Math.PI * phase.doubleValue() / CIRCLE.doubleValue();
                assertEquals(Math.cos(angle), cosines[pair], ERROR, "position=" + position + " pair=" + pair);
                assertEquals(Math.sin(angle), sines[pair], ERROR, "position=" + position + " pair=" + pair);
            }
        }
    }

    private static double frequency(final double theta, final int pair) {
        return Math.pow(theta, -pair / (double) PAIRS);
    }

    private static RotaryParameters rotary(final double theta) {
        final TransformerSetting setting = new TransformerSetting(
                1, 1, 4, 1, 1, HEAD_SIZE, 1, 2, 1, 2, Task.TOKENS, 2, 1, 0, 0, 0, false, WeightFormat.INT8,
                WeightFormat.INT8, 8, Codec.UNIFORM8, Codec.UNIFORM8, false, 8);
        return RotaryParameters.read(new BundleEditor(setting.bundle()).change("rotary.steps", data -> {
            for (int pair = 0; pair < PAIRS; pair++) {
                final double circles = frequency(theta, pair) / (2 * Math.PI);
                final BigInteger step = new BigDecimal(circles).multiply(new BigDecimal(CIRCLE)).toBigInteger();
                data.putLong(pair * Long.BYTES, step.longValue());
            }
        }).bundle(), HEAD_SIZE);
    }
}
