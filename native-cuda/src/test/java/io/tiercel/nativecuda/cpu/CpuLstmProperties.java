package io.tiercel.nativecuda.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.engine.LstmSetting;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import java.util.SplittableRandom;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/**
 * The kernels against the Java reference, bit for bit: outputs, canonical state and hash, for every kernel set that
 * this machine can run, both weight widths, one and several threads, all batch sizes. A failure prints the seed and the
 * shrunken setting, which is all that is needed to repeat it.
 */
@AddLifecycleHook(KernelsAreBuilt.class)
class CpuLstmProperties {

    private static final int STEPS = 6;
    private static final int MAX_BATCH = 9;

    @Provide
    Arbitrary<LstmSetting> settings() {
        return Combinators.combine(
                Arbitraries.longs(),
                Arbitraries.integers().between(1, 4),
                Arbitraries.of(1, 7, 31, 32, 33, 64, 73, 96, 128, 129, 160),
                Arbitraries.of(1, 2, 31, 32, 33, 64, 67, 96, 128, 130),
                Arbitraries.of(1, 2, 3, 31, 32, 33, 70),
                Arbitraries.of(8, 16),
                Arbitraries.of(WeightFormat.INT8, WeightFormat.INT4),
                Arbitraries.of(Task.CLASSIFICATION, Task.REGRESSION)).as(LstmSetting::new);
    }

    @Provide
    Arbitrary<KernelSet> kernelSets() {
        return Arbitraries.of(KernelSet.available());
    }

    @Provide
    Arbitrary<Integer> threadCounts() {
        return Arbitraries.of(1, 1, 2, 3);
    }

    @Property(tries = 250, edgeCases = EdgeCasesMode.NONE)
    void shouldEqualTheReferenceBitForBit(
            @ForAll("settings") final LstmSetting setting, @ForAll("kernelSets") final KernelSet kernels,
            @ForAll("threadCounts") final int threads) {
        final Bundle bundle = setting.bundle();
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (CpuLstmModel model = model(bundle, kernels, threads);
                ModelExecutor executor = model.newExecutor(1)) {
            assertEquals(reference.shape().canonicalBytes(), model.shape().canonicalBytes());
            final ModelSession expected = new ModelSession(reference.shape(), reference.newExecutor(1));
            final ModelSession actual = new ModelSession(model.shape(), executor);
            final SplittableRandom random = new SplittableRandom(setting.seed());
            long hash = setting.seed();
            for (int step = 0; step < STEPS; step++) {
                final float[] features = features(random, setting.features(), step);
                final long expectedHash = expected.step(features, hash);
                assertEquals(expectedHash, actual.step(features, hash));
                assertSame(expected, actual);
                hash = expectedHash;
            }
        }
    }

    @Property(tries = 120, edgeCases = EdgeCasesMode.NONE)
    void shouldEqualTheReferenceInAnyBatch(
            @ForAll("settings") final LstmSetting setting, @ForAll("kernelSets") final KernelSet kernels,
            @ForAll("threadCounts") final int threads) {
        final Bundle bundle = setting.bundle();
        final Model reference = new ReferenceBackend().load(bundle, 1);
        final ModelExecutor referenceExecutor = reference.newExecutor(1);
        try (CpuLstmModel model = model(bundle, kernels, threads);
                ModelExecutor executor = model.newExecutor(MAX_BATCH)) {
            final ModelSession[] alone = new ModelSession[MAX_BATCH];
            final ModelSession[] together = new ModelSession[MAX_BATCH];
            for (int i = 0; i < MAX_BATCH; i++) {
                alone[i] = new ModelSession(reference.shape(), referenceExecutor);
                together[i] = new ModelSession(model.shape(), executor);
            }
            final SplittableRandom random = new SplittableRandom(setting.seed());
            final StepBatch batch = new StepBatch(MAX_BATCH);
            for (int size = 1; size <= MAX_BATCH; size++) {
                batch.clear();
                final int first = random.nextInt(MAX_BATCH);
                for (int k = 0; k < size; k++) {
                    final int index = (first + k) % MAX_BATCH;
                    final float[] features = features(random, setting.features(), size);
                    alone[index].step(features, 0);
                    final ModelSession session = together[index].features(features);
                    batch.add(session.features.addressOffset(), session.state.addressOffset(),
                            session.outputs.addressOffset());
                }
                executor.step(batch);
                executor.ahead(batch);
                for (int index = 0; index < MAX_BATCH; index++) {
                    assertSame(alone[index], together[index]);
                }
            }
        }
    }

    @Property(tries = 60, edgeCases = EdgeCasesMode.NONE)
    void shouldGoOnFromAStateOfTheReference(
            @ForAll("settings") final LstmSetting setting, @ForAll("kernelSets") final KernelSet kernels) {
        final Bundle bundle = setting.bundle();
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (CpuLstmModel model = model(bundle, kernels, 1);
                ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession expected = new ModelSession(reference.shape(), reference.newExecutor(1));
            final ModelSession moved = new ModelSession(model.shape(), executor);
            final SplittableRandom random = new SplittableRandom(setting.seed());
            for (int step = 0; step < STEPS; step++) {
                expected.step(features(random, setting.features(), step), 0);
            }
            moved.state.putBytes(0, expected.canonicalState());
            executor.restore(moved.state.addressOffset());
            for (int step = 0; step < STEPS; step++) {
                final float[] features = features(random, setting.features(), step);
                assertEquals(expected.step(features, step), moved.step(features, step));
                assertSame(expected, moved);
            }
        }
    }

    private static CpuLstmModel model(final Bundle bundle, final KernelSet kernels, final int threads) {
        return new CpuLstmModel(LstmParameters.read(bundle), kernels, threads, CpuLstmModel.Teamwork.ALWAYS);
    }

    private static void assertSame(final ModelSession expected, final ModelSession actual) {
        final float[] expectedOutputs = expected.outputs();
        final float[] actualOutputs = actual.outputs();
        for (int i = 0; i < expectedOutputs.length; i++) {
            assertEquals(Float.floatToRawIntBits(expectedOutputs[i]), Float.floatToRawIntBits(actualOutputs[i]),
                    "output " + i);
        }
        assertArrayEquals(expected.canonicalState(), actual.canonicalState());
    }

    /** Ordinary values, and now and then what is far out: held, or next to nothing. */
    private static float[] features(final SplittableRandom random, final int count, final int step) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-4, 4);
            if (step % 3 == 2 && random.nextInt(8) == 0) {
                values[i] = random.nextBoolean() ? Float.MAX_VALUE : -Float.MIN_VALUE;
            }
        }
        return values;
    }
}
