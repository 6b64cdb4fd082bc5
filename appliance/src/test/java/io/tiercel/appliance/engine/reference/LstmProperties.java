package io.tiercel.appliance.engine.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.engine.LstmSetting;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.util.SplittableRandom;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The reference against the specification written twice, and against itself in other orders. */
class LstmProperties {

    private static final int STEPS = 12;

    @Provide
    Arbitrary<LstmSetting> settings() {
        return Combinators.combine(
                Arbitraries.longs(),
                Arbitraries.integers().between(1, 3),
                Arbitraries.of(1, 3, 7, 32, 64, 73, 129),
                Arbitraries.of(1, 2, 5, 31, 32, 33, 40, 67),
                Arbitraries.of(1, 2, 3, 9),
                Arbitraries.of(8, 16),
                Arbitraries.of(WeightFormat.INT8, WeightFormat.INT4),
                Arbitraries.of(Task.CLASSIFICATION, Task.REGRESSION)).as(LstmSetting::new);
    }

    @Property(tries = 120)
    void shouldEqualTheNaiveLongArithmeticBitForBit(@ForAll("settings") final LstmSetting setting) {
        final Bundle bundle = setting.bundle();
        final ExactLstm exact = new ExactLstm(bundle);
        final LstmModel model = LstmModel.load(bundle);
        final ModelSession session = new ModelSession(model.shape(), model.newExecutor(1));
        final SplittableRandom random = new SplittableRandom(setting.seed());
        long hash = 0;
        for (int step = 0; step < STEPS; step++) {
            final float[] features = features(random, setting.features());
            hash = session.step(features, hash);
            assertBitsEqual(exact.step(features), session.outputs());
            assertArrayEquals(exact.canonicalState(), session.canonicalState());
        }
    }

    @Property(tries = 60)
    void shouldChangeNoBitWhenBatchesAreComposedOtherwise(@ForAll("settings") final LstmSetting setting) {
        final int sessionCount = 7;
        final LstmModel model = LstmModel.load(setting.bundle());
        final ModelExecutor executor = model.newExecutor(sessionCount);
        final ModelSession[] alone = sessions(model, executor, sessionCount);
        final ModelSession[] together = sessions(model, executor, sessionCount);
        final SplittableRandom random = new SplittableRandom(setting.seed());
        final StepBatch batch = new StepBatch(sessionCount);
        for (int step = 0; step < STEPS; step++) {
            batch.clear();
            final int first = random.nextInt(sessionCount);
            final int count = 1 + random.nextInt(sessionCount);
            for (int k = 0; k < count; k++) {
                final int index = (first + k * 3) % sessionCount;
                final float[] features = features(random, setting.features());
                alone[index].step(features, 0);
                final ModelSession session = together[index].features(features);
                batch.add(session.features.addressOffset(), session.state.addressOffset(),
                        session.outputs.addressOffset());
            }
            executor.step(batch);
            executor.ahead(batch);
            for (int index = 0; index < sessionCount; index++) {
                assertBitsEqual(alone[index].outputs(), together[index].outputs());
                assertArrayEquals(alone[index].wholeState(), together[index].wholeState());
            }
        }
    }

    @Property(tries = 60)
    void shouldChangeNoBitWhenAheadComesEarlyLateTwiceOrByRestore(@ForAll("settings") final LstmSetting setting) {
        final LstmModel model = LstmModel.load(setting.bundle());
        final ModelExecutor executor = model.newExecutor(1);
        final ModelSession early = new ModelSession(model.shape(), executor);
        final ModelSession late = new ModelSession(model.shape(), executor);
        final ModelSession restored = new ModelSession(model.shape(), executor);
        final SplittableRandom random = new SplittableRandom(setting.seed());
        long hash = setting.seed();
        for (int step = 0; step < STEPS; step++) {
            final float[] features = features(random, setting.features());
            final long before = hash;
            hash = early.step(features, before);
            late.features(features);
            executor.ahead(late.batch);
            executor.ahead(late.batch);
            executor.step(late.batch);
            assertEquals(hash, executor.hash(late.state.addressOffset(), before));
            final ModelSession moved = new ModelSession(model.shape(), model.newExecutor(1));
            moved.state.putBytes(0, restored.canonicalState());
            executor.restore(moved.state.addressOffset());
            assertEquals(hash, moved.step(features, before));
            assertBitsEqual(early.outputs(), late.outputs());
            assertBitsEqual(early.outputs(), moved.outputs());
            assertArrayEquals(early.canonicalState(), late.canonicalState());
            assertArrayEquals(early.wholeState(), moved.wholeState());
            restored.state.putBytes(0, moved.wholeState());
        }
    }

    private static ModelSession[] sessions(final LstmModel model, final ModelExecutor executor, final int count) {
        final ModelSession[] sessions = new ModelSession[count];
        for (int i = 0; i < count; i++) {
            sessions[i] = new ModelSession(model.shape(), executor);
        }
        return sessions;
    }

    /** Mostly ordinary values, now and then one that the quantiser has to hold. */
    static float[] features(final SplittableRandom random, final int count) {
        final float[] features = new float[count];
        for (int i = 0; i < count; i++) {
            features[i] = (float) switch (random.nextInt(32)) {
                case 0 -> random.nextDouble(-1e6, 1e6);
                case 1 -> random.nextBoolean() ? Float.MAX_VALUE : -Float.MAX_VALUE;
                default -> random.nextDouble(-3, 3);
            };
        }
        return features;
    }

    static void assertBitsEqual(final float[] expected, final float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            final float a = expected[i];
            final float b = actual[i];
            assertEquals(Float.floatToRawIntBits(a), Float.floatToRawIntBits(b), () -> a + " is not " + b);
        }
    }
}
