package io.tiercel.appliance.engine.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TransformerExecutorTest {

    /**
     * A golden run: if these change, every journal ever written can no longer be replayed. Only a new format version
     * may change them. The first is the session's hash, the second is of the whole state, the third of the outputs.
     */
    @ParameterizedTest
    @CsvSource({
        "UNIFORM4, UNIFORM4, INT8, 8, TOKENS, 16, 0, 0, 3717ec4d4d6afb07 b6b88c98 1d3ad032",
        "UNIFORM2, UNIFORM2, INT4, 8, TOKENS, 7, 2, 0, c5fa9222d859bb0f c4ce7c2d 17de2eb8",
        "UNIFORM1, COUPLED1, INT8, 8, TOKENS, 0, 3, 0, d0b229e33cd252da 2304f7c7 fe962bc1",
        "COUPLED4, UNIFORM8, INT16, 16, CLASSIFICATION, 3, 1, 0, 1c543bb9cdff3917 366b1e6 50e6645e",
        "COUPLED2, COUPLED2, INT8, 16, REGRESSION, 0, 0, 0, 62cbf12e93ce46d2 a54fe1c5 89002fa0",
        "UNIFORM8, COUPLED1, INT4, 8, REGRESSION, 5, 4, 3, ae711c09f3b94e1d f0adc20e c1802983"})
    void shouldGiveTheGoldenHashesWhenAGoldenModelRuns(
            final Codec keys, final Codec values, final WeightFormat weights, final int activationBits,
            final Task task, final int window, final int sinks, final int experts, final String golden) {
        final boolean isTokens = task == Task.TOKENS;
        final TransformerSetting setting = new TransformerSetting(
                42, 2, 28, 4, 2, 16, 19, isTokens ? 37 : 0, isTokens ? 1 : 9, isTokens ? 6 : 3, task, 160, window,
                sinks, experts, experts == 0 ? 0 : 2, false, weights, WeightFormat.INT8, activationBits, keys, values,
                window != 3, 8);
        final TransformerModel model = TransformerModel.load(setting.bundle());
        final ModelSession session = new ModelSession(model.shape(), model.newExecutor(1));
        final SplittableRandom random = new SplittableRandom(42);
        long hash = 42;
        for (int step = 0; step < 200; step++) {
            hash = session.input(setting.input(random)).step(hash);
        }
        assertEquals(golden, Long.toHexString(hash) + " " +
                Integer.toHexString(Arrays.hashCode(session.canonicalState())) + " "
                + Integer.toHexString(Arrays.hashCode(session.outputs())));
    }

    @Test
    void shouldBeAsNewWhenInitialisedAgain() {
        final TransformerSetting setting = TransformerSetting.random(5);
        final TransformerModel model = TransformerModel.load(setting.bundle());
        final TokenExecutor executor = model.newExecutor(1);
        final ModelSession session = new ModelSession(model.shape(), executor);
        final int[] input = setting.input(new SplittableRandom(1));
        final byte[] fresh = session.wholeState();
        final long hash = session.input(input).step(9);
        executor.initialise(session.state.addressOffset());
        assertArrayEquals(fresh, session.wholeState());
        assertEquals(hash, session.input(input).step(9));
    }

    @Test
    void shouldChangeNoBitWhenAheadComesLateTwiceOrElsewhere() {
        for (long seed = 0; seed < 25; seed++) {
            final TransformerSetting setting = TransformerSetting.random(seed);
            final TransformerModel model = TransformerModel.load(setting.bundle());
            final TokenExecutor executor = model.newExecutor(1);
            final ModelSession early = new ModelSession(model.shape(), executor);
            final ModelSession late = new ModelSession(model.shape(), executor);
            ModelSession moved = new ModelSession(model.shape(), executor);
            final SplittableRandom random = new SplittableRandom(seed);
            long hash = seed;
            for (int step = 0; step < 40; step++) {
                final int[] input = setting.input(random);
                final long before = hash;
                hash = early.input(input).step(before);
                executor.ahead(late.batch);
                executor.ahead(late.batch);
                executor.step(late.input(input).batch);
                assertEquals(hash, executor.hash(late.state.addressOffset(), before), setting + " step " + step);
                final ModelSession next = new ModelSession(model.shape(), model.newExecutor(1));
                next.state.putBytes(0, moved.canonicalState());
                executor.restore(next.state.addressOffset());
                assertEquals(hash, next.input(input).step(before));
                assertArrayEquals(early.outputs(), late.outputs());
                assertArrayEquals(early.outputs(), next.outputs());
                assertArrayEquals(early.wholeState(), next.wholeState());
                moved = next;
            }
            executor.ahead(late.batch);
            assertArrayEquals(early.wholeState(), late.wholeState(), setting.toString());
        }
    }

    @ParameterizedTest
    @EnumSource(Codec.class)
    void shouldAllocateNothingWhenInSteadyState(final Codec codec) {
        final TransformerSetting setting = new TransformerSetting(
                3, 2, 12, 2, 1, 8, 5, 11, 1, 4, Task.TOKENS, 30, 4, 1, 3, 2, false, WeightFormat.INT8,
                WeightFormat.INT16, 8, codec, codec, true, 8);
        final TransformerModel model = TransformerModel.load(setting.bundle());
        final ModelSession session = new ModelSession(model.shape(), model.newExecutor(1));
        final long threadId = Thread.currentThread().getId();
        final var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long hash = run(session, 1500, 0);
        threads.getThreadAllocatedBytes(threadId);
        final long before = threads.getThreadAllocatedBytes(threadId);
        hash = run(session, 1500, hash);
        final long allocatedBytes = threads.getThreadAllocatedBytes(threadId) - before;
        assertTrue(hash != 0);
        assertTrue(allocatedBytes < 4096, "allocatedBytes=" + allocatedBytes);
    }

    private static long run(final ModelSession session, final int steps, final long previousHash) {
        long hash = previousHash;
        for (int step = 0; step < steps; step++) {
            session.features.putInt(0, step % 11);
            hash = session.step(hash);
        }
        return hash;
    }
}
