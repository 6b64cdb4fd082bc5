package io.tiercel.nativecuda.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.RunsOnce;
import io.tiercel.appliance.engine.ExtremeTransformers;
import io.tiercel.appliance.engine.FootprintCheck;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TentativeCheck;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.session.ForkCheck;
import java.util.SplittableRandom;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The kernels against the Java reference, bit for bit: outputs, logits, state and hash, for every kernel set that this
 * machine can run, all codecs, weights and shapes. A failure prints the setting, which repeats it.
 */
@AddLifecycleHook(KernelsAreBuilt.class)
class CpuTransformerProperties {

    private static final int MAX_BATCH = 5;

    @Provide
    Arbitrary<KernelSet> kernelSets() {
        return Arbitraries.of(KernelSet.available());
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void shouldEqualTheReferenceBitForBit(@ForAll final long seed, @ForAll("kernelSets") final KernelSet kernels) {
        final TransformerSetting setting = TransformerSetting.random(seed);
        final Bundle bundle = setting.bundle();
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (CpuTransformerModel model = model(bundle, kernels);
                TokenExecutor executor = model.newExecutor(1);
                TokenExecutor expectedExecutor = (TokenExecutor) reference.newExecutor(1)) {
            final ModelSession expected = new ModelSession(reference.shape(), expectedExecutor);
            final ModelSession actual = new ModelSession(model.shape(), executor);
            final SplittableRandom random = new SplittableRandom(seed);
            long hash = seed;
            for (int step = 0; step < setting.stepsPastContext(); step++) {
                final int[] input = setting.input(random);
                final long expectedHash = expected.input(input).step(hash);
                final String what = setting + " step " + step;
                final long actualHash = actual.input(input).step(hash);
                assertSameLogits(expectedExecutor, executor, what);
                assertSame(expected, actual, what);
                assertEquals(expectedHash, actualHash, what);
                hash = expectedHash;
            }
        }
    }

    @Property(tries = 60, edgeCases = EdgeCasesMode.NONE)
    void shouldTakeAStepBackAndTakeItAgainWithoutComputingIt(
            @ForAll final long seed, @ForAll("kernelSets") final KernelSet kernels) {
        final TransformerSetting setting = TransformerSetting.random(seed);
        try (CpuTransformerModel model = model(setting.bundle(), kernels)) {
            FootprintCheck.check(setting, model, seed);
        }
    }

    @Property(tries = 30, edgeCases = EdgeCasesMode.NONE)
    void shouldChangeNoBitByPagesThatSessionsShare(
            @ForAll final long seed, @ForAll("kernelSets") final KernelSet kernels) {
        final TransformerSetting setting = TransformerSetting.randomOfPages(seed);
        final Bundle bundle = setting.bundle();
        try (CpuTransformerModel model = model(bundle, kernels)) {
            ForkCheck.check(setting, model, new ReferenceBackend().load(bundle, 1), seed);
        }
    }

    /** The range of integers in C++; {@code ExtremeTransformerProperties} looks at the reference, on any JDK. */
    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    @AddLifecycleHook(RunsOnce.class)
    void shouldEqualTheReferenceWhenWeightsAreAsExtremeAsIsAccepted(
            @ForAll final long seed, @ForAll("kernelSets") final KernelSet kernels) {
        final TransformerSetting setting = TransformerSetting.random(seed);
        final Bundle bundle = ExtremeTransformers.bundle(seed);
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (CpuTransformerModel model = model(bundle, kernels);
                TokenExecutor executor = model.newExecutor(1);
                TokenExecutor expectedExecutor = (TokenExecutor) reference.newExecutor(1)) {
            final ModelSession expected = new ModelSession(reference.shape(), expectedExecutor);
            final ModelSession actual = new ModelSession(model.shape(), executor);
            final SplittableRandom random = new SplittableRandom(seed);
            for (int step = 0; step < 10; step++) {
                final int[] input = ExtremeTransformers.input(setting, random);
                final String what = setting + " step " + step;
                assertEquals(expected.input(input).step(seed), actual.input(input).step(seed), what);
                assertSameLogits(expectedExecutor, executor, what);
                assertSame(expected, actual, what);
            }
        }
    }

    @Property(tries = 120, edgeCases = EdgeCasesMode.NONE)
    void shouldComputeARowOfTokensAsOneAfterTheOther(
            @ForAll final long seed, @ForAll("kernelSets") final KernelSet kernels) {
        final TransformerSetting setting = TransformerSetting.random(seed);
        final Bundle bundle = setting.bundle();
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (CpuTransformerModel model = model(bundle, kernels);
                TokenExecutor executor = model.newExecutor(1);
                TokenExecutor expectedExecutor = (TokenExecutor) reference.newExecutor(1)) {
            final ModelSession expected = new ModelSession(reference.shape(), expectedExecutor);
            final ModelSession actual = new ModelSession(model.shape(), executor);
            final SplittableRandom random = new SplittableRandom(seed);
            final int outputBytes = model.shape().outputCount() * Float.BYTES;
            long hash = seed;
            for (int done = 0; done < setting.stepsPastContext();) {
                final int count = 1 + random.nextInt(40);
                done += count;
                final boolean isStream = random.nextBoolean();
                final UnsafeBuffer inputs = allocate(count * setting.inputCount() * 4);
                final UnsafeBuffer outputs = allocate(count * outputBytes);
                final UnsafeBuffer expectedOutputs = allocate(count * outputBytes);
                fill(setting, random, inputs, count);
                final int stride = isStream ? outputBytes : 0;
                final long expectedHash = expectedExecutor.steps(expected.state.addressOffset(),
                        inputs.addressOffset(), count, expectedOutputs.addressOffset(), stride, hash);
                final String what = setting + " row of " + count;
                assertEquals(expectedHash, executor.steps(actual.state.addressOffset(), inputs.addressOffset(),
                        count, outputs.addressOffset(), stride, hash), what);
                assertEquals(expectedOutputs, outputs, what);
                assertSameLogits(expectedExecutor, executor, what);
                assertArrayEquals(expected.wholeState(), actual.wholeState(), what);
                hash = expectedHash;
            }
        }
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void shouldEqualTheReferenceInAnyBatch(@ForAll final long seed, @ForAll("kernelSets") final KernelSet kernels) {
        final TransformerSetting setting = TransformerSetting.random(seed);
        final Bundle bundle = setting.bundle();
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (CpuTransformerModel model = model(bundle, kernels);
                TokenExecutor executor = model.newExecutor(MAX_BATCH);
                TokenExecutor expectedExecutor = (TokenExecutor) reference.newExecutor(1)) {
            final ModelSession[] alone = new ModelSession[MAX_BATCH];
            final ModelSession[] together = new ModelSession[MAX_BATCH];
            for (int i = 0; i < MAX_BATCH; i++) {
                alone[i] = new ModelSession(reference.shape(), expectedExecutor);
                together[i] = new ModelSession(model.shape(), executor);
            }
            final SplittableRandom random = new SplittableRandom(seed);
            final StepBatch batch = new StepBatch(MAX_BATCH);
            for (int round = 0; round < 12; round++) {
                batch.clear();
                final int first = random.nextInt(MAX_BATCH);
                final int size = 1 + random.nextInt(MAX_BATCH);
                for (int k = 0; k < size; k++) {
                    final int index = (first + k) % MAX_BATCH;
                    final int[] input = setting.input(random);
                    alone[index].input(input).step(0);
                    final ModelSession session = together[index].input(input);
                    batch.add(session.features.addressOffset(), session.state.addressOffset(),
                            session.outputs.addressOffset());
                }
                executor.step(batch);
                executor.ahead(batch);
                for (int index = 0; index < MAX_BATCH; index++) {
                    assertSame(alone[index], together[index], setting + " round " + round);
                }
            }
        }
    }

    /** Whatever of a row stands, all is as if each token had come alone. */
    @Property(tries = 150, edgeCases = EdgeCasesMode.NONE)
    void shouldKeepOfATentativeRowWhatStands(@ForAll final long seed, @ForAll("kernelSets") final KernelSet kernels) {
        final TransformerSetting setting = TransformerSetting.randomOfTokens(seed);
        final Bundle bundle = setting.bundle();
        try (CpuTransformerModel model = model(bundle, kernels)) {
            TentativeCheck.check(setting, new ReferenceBackend().load(bundle, 1), model, seed);
        }
    }

    private static CpuTransformerModel model(final Bundle bundle, final KernelSet kernels) {
        return new CpuTransformerModel(TransformerParameters.read(bundle), kernels);
    }

    private static void fill(
            final TransformerSetting setting, final SplittableRandom random, final UnsafeBuffer inputs,
            final int count) {
        for (int i = 0; i < count; i++) {
            final int[] input = setting.input(random);
            for (int k = 0; k < input.length; k++) {
                inputs.putInt((i * input.length + k) * 4, input[k]);
            }
        }
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(BitUtil.align(bytes, 64), 64));
    }

    private static void assertSameLogits(final TokenExecutor expected, final TokenExecutor actual, final String what) {
        assertEquals(expected.vocabularySize(), actual.vocabularySize());
        for (int i = 0; i < expected.vocabularySize(); i++) {
            assertEquals(UnsafeApi.getInt(expected.logitsAddress(0) + 4L * i),
                    UnsafeApi.getInt(actual.logitsAddress(0) + 4L * i), what + " logit " + i);
        }
    }

    private static void assertSame(final ModelSession expected, final ModelSession actual, final String what) {
        final float[] expectedOutputs = expected.outputs();
        final float[] actualOutputs = actual.outputs();
        for (int i = 0; i < expectedOutputs.length; i++) {
            assertEquals(Float.floatToRawIntBits(expectedOutputs[i]), Float.floatToRawIntBits(actualOutputs[i]),
                    what + " output " + i);
        }
        assertArrayEquals(expected.wholeState(), actual.wholeState(), what);
    }
}
