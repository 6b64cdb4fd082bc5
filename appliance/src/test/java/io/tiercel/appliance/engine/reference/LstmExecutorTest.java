package io.tiercel.appliance.engine.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.lang.management.ManagementFactory;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LstmExecutorTest {

    @ParameterizedTest
    @CsvSource({
        "INT8, 1, 64, 32, 8, 0.01", "INT8, 3, 73, 40, 8, 0.02", "INT8, 2, 129, 5, 16, 0.02",
        "INT4, 1, 64, 32, 8, 0.01", "INT4, 3, 73, 40, 8, 0.02", "INT4, 2, 129, 5, 16, 0.02"})
    void shouldStayNearDoublePrecisionWhenActivationsAreIntegers(
            final WeightFormat weights, final int layers, final int hidden, final int features, final int featureBits,
            final double tolerance) {
        final Bundle bundle = RandomModels.lstm(11).layers(layers).hidden(hidden).features(features)
                .featureBits(featureBits).weights(weights).bundle();
        final DoublePrecisionLstm exact = new DoublePrecisionLstm(bundle);
        final LstmModel model = LstmModel.load(bundle);
        final ModelSession session = new ModelSession(model.shape(), model.newExecutor(1));
        final float[] means = bundle.floats("features.mean", features);
        final float[] inverseDeviations = bundle.floats("features.inverse_deviation", features);
        final SplittableRandom random = new SplittableRandom(3);
        final double[] normal = new double[features];
        final float[] raw = new float[features];
        for (int step = 0; step < 100; step++) {
            for (int i = 0; i < features; i++) {
                normal[i] = random.nextDouble(-3, 3);
                raw[i] = (float) (normal[i] / inverseDeviations[i] + means[i]);
            }
            session.step(raw, 0);
            final double[] expected = exact.step(normal);
            final float[] actual = session.outputs();
            for (int i = 0; i < actual.length; i++) {
                assertEquals(expected[i], actual[i], tolerance, "step=" + step);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = WeightFormat.class, names = {"INT4", "INT8"})
    void shouldAllocateNothingWhenInSteadyState(final WeightFormat weights) {
        final LstmModel model =
                LstmModel.load(RandomModels.lstm(2).layers(2).hidden(33).features(9).weights(weights).bundle());
        final ModelExecutor executor = model.newExecutor(1);
        final ModelSession session = new ModelSession(model.shape(), executor);
        final long threadId = Thread.currentThread().getId();
        final var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long hash = run(executor, session, 20_000, 0);
        threads.getThreadAllocatedBytes(threadId);
        final long before = threads.getThreadAllocatedBytes(threadId);
        hash = run(executor, session, 20_000, hash);
        final long allocatedBytes = threads.getThreadAllocatedBytes(threadId) - before;
        assertTrue(hash != 0);
        assertEquals(0, allocatedBytes / 20_000, "allocatedBytes=" + allocatedBytes);
        assertTrue(allocatedBytes < 4096, "allocatedBytes=" + allocatedBytes);
    }

    @Test
    void shouldBeAsNewWhenInitialisedAgain() {
        final LstmModel model = LstmModel.load(RandomModels.lstm(5).layers(2).hidden(7).bundle());
        final ModelExecutor executor = model.newExecutor(1);
        final ModelSession session = new ModelSession(model.shape(), executor);
        final byte[] fresh = session.wholeState();
        final long hash = session.step(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 9);
        executor.initialise(session.state.addressOffset());
        assertArrayEquals(fresh, session.wholeState());
        assertEquals(hash, session.step(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 9));
    }

    /**
     * A golden run: if these change, every journal ever written can no longer be replayed. Only a new format version
     * may change them.
     */
    @ParameterizedTest
    @CsvSource({
        "INT8, 8, CLASSIFICATION, c4b713695437bfa6, 3e881f06",
        "INT4, 8, CLASSIFICATION, 396be02f2885dd66, 3ef091a8",
        "INT8, 16, REGRESSION, e452ebc098fa71e5, be092fef",
        "INT4, 16, REGRESSION, 1d1c58f8c56ebd09, 3e36a4fc"})
    void shouldGiveTheGoldenHashWhenAGoldenModelRuns(
            final WeightFormat weights, final int featureBits, final Task task, final String hashHex,
            final String outputBitsHex) {
        final LstmModel model = LstmModel.load(RandomModels.lstm(42).layers(2).hidden(37).features(11)
                .featureBits(featureBits).weights(weights).task(task).bundle());
        final ModelSession session = new ModelSession(model.shape(), model.newExecutor(1));
        final SplittableRandom random = new SplittableRandom(42);
        long hash = 42;
        for (int step = 0; step < 64; step++) {
            hash = session.step(LstmProperties.features(random, 11), hash);
        }
        assertEquals(hashHex + " " + outputBitsHex,
                Long.toHexString(hash) + " " + Integer.toHexString(Float.floatToRawIntBits(session.outputs()[1])));
    }

    private static long run(
            final ModelExecutor executor, final ModelSession session, final int steps, final long previousHash) {
        long hash = previousHash;
        final long state = session.state.addressOffset();
        for (int step = 0; step < steps; step++) {
            session.features.putFloat(0, step & 7);
            executor.step(session.batch);
            hash = executor.hash(state, hash);
            executor.ahead(session.batch);
        }
        return hash;
    }
}
