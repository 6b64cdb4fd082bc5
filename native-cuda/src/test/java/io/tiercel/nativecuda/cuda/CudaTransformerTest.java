package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TentativeCheck;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.appliance.session.ForkCheck;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The host side of transformers by graphs, as it is, over the driver for tests: the bits of the Java reference whatever
 * is done to a session, and whichever call of the driver fails meanwhile.
 */
@Timeout(120)
class CudaTransformerTest {

    private static final int ACTS = 14;
    private static final int FEW_ACTS = 10;
    private static final int ALLOCATION_STEPS = 40;
    private static final int SMALL_SHARED_BYTES = 4 << 10;
    /** Long enough for a machine with other things to do. */
    private static final long PATIENT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long IMPATIENT_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private long nowNs;
    private final TransformerSetting setting = setting(1, 9, 3, 1, Codec.UNIFORM4, Codec.UNIFORM2, false);

    @BeforeEach
    void needGpu() throws IOException, InterruptedException {
        TestDriver.needGpu("the host side of CUDA transformers over a driver for tests");
    }

    @AfterAll
    static void removeGpu() {
        TestDriver.removeGpu();
    }

    /** Each codec, in the window's steps and in those without one, past the end of the context. */
    @ParameterizedTest
    @CsvSource({
        "0, 11, 0, 2, UNIFORM8, UNIFORM4, false", "1, 13, 3, 0, UNIFORM2, UNIFORM1, false",
        "2, 9, 0, 0, COUPLED2, COUPLED1, false", "3, 12, 5, 1, COUPLED4, UNIFORM8, true",
        "4, 10, 1, 0, UNIFORM1, COUPLED4, false", "5, 16, 16, 0, UNIFORM4, UNIFORM2, true"})
    void shouldEqualTheReferenceWhateverIsDoneToASession(
            final long seed, final int context, final int window, final int sinks, final Codec keys,
            final Codec values, final boolean isOfFeatures) {
        assertLives(setting(seed, context, window, sinks, keys, values, isOfFeatures));
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldEqualTheReferenceOnOddShapes() {
        for (final int seed : new int[] {3, 8}) {
            assertLives(TransformerSetting.random(seed));
        }
    }

    @Test
    void shouldEqualTheReferenceWithVectorsInGlobalMemory() {
        TestDriver.reset(TestDriver.MULTIPROCESSORS, SMALL_SHARED_BYTES, TestDriver.MEMORY_BYTES);
        assertLives(setting);
        assertTrue(TestDriver.isClean());
    }

    /** Every other state has to be brought again. */
    @Test
    void shouldEqualTheReferenceWithFewCopiesOfStates() {
        final int sessions = TransformerLives.sessions();
        try (CudaTransformerModel model = (CudaTransformerModel) patient().load(setting.bundle(), 1);
                TokenExecutor executor = model.newExecutor(sessions, sessions + 2)) {
            new TransformerLives(setting, model, executor, 3).live(2 * ACTS);
        }
    }

    @Test
    void shouldKeepOfATentativeRowWhatStands() {
        try (Model model = patient().load(setting.bundle(), 1)) {
            TentativeCheck.check(setting, reference(setting), model, 1);
        }
    }

    /** Pages that are common to several on the host are each state's own on the GPU. */
    @Test
    void shouldForkSessionsWithTheirPages() {
        final TransformerSetting ofPages = new TransformerSetting(
                1, 1, 4, 1, 1, 8, 3, 5, 1, 2, Task.TOKENS, 300, 2, 1, 0, 0, false, WeightFormat.INT8,
                WeightFormat.INT8, 8, Codec.UNIFORM4, Codec.COUPLED2, false, 8);
        try (Model model = Backends.load(patient(), ofPages.bundle(), 1)) {
            ForkCheck.check(ofPages, model, reference(ofPages), 1, 12, 40);
        }
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldAllocateNothingWhenInSteadyState() {
        try (Model model = patient().load(setting.bundle(), 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            final long threadId = Thread.currentThread().getId();
            final var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
            run(session);
            threads.getThreadAllocatedBytes(threadId);
            final long before = threads.getThreadAllocatedBytes(threadId);
            run(session);
            final long allocatedBytes = threads.getThreadAllocatedBytes(threadId) - before;
            assertTrue(allocatedBytes < 10 * ALLOCATION_STEPS, "allocatedBytes=" + allocatedBytes);
        }
    }

    @Test
    void shouldRefuseABatchThatIsTooLargeAStepBeforeTheHashAndUseAfterClose() {
        try (Model model = patient().load(setting.bundle(), 1)) {
            final ModelExecutor executor = model.newExecutor(1);
            final ModelSession session = new ModelSession(model.shape(), executor);
            executor.step(session.batch);
            assertThrows(IllegalStateException.class, () -> executor.step(session.batch));
            executor.ahead(session.batch);
            final StepBatch two = new StepBatch(2);
            add(two, session);
            add(two, session);
            assertThrows(IllegalStateException.class, () -> executor.step(two));
            executor.close();
            executor.close();
            assertThrows(IllegalStateException.class, () -> executor.step(session.batch));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "cuMemAlloc | 2 | cuMemAlloc(",
        "cuMemcpyHtoD | 700 | cuMemcpyHtoD(",
        "cuStreamSynchronize | 700 | cuStreamSynchronize, of weights: CUDA_ERROR_ILLEGAL_ADDRESS (700)"})
    void shouldSayInOneLineWhichCallHasFailedWhenItLoads(final String call, final int code, final String reason) {
        TestDriver.failCall(call, 1, code);
        assertRefused("cannot load it: " + reason);
    }

    @Test
    void shouldRefuseAModelThatDoesNotFit() {
        TestDriver.reset(TestDriver.MULTIPROCESSORS, 64, TestDriver.MEMORY_BYTES);
        assertRefused("needs sharedBytes=656 a block, and Emulated GPU has 64");
    }

    @ParameterizedTest
    @CsvSource({
        "cuMemAlloc, 2", "cuMemHostAlloc, 5", "cuMemHostGetDevicePointer, 5", "cuStreamCreate, 1", "cuMemsetD8Async, 1",
        "cuFuncSetAttribute, 2", "cuCtxSetCurrent, 8", "cuStreamBeginCapture, 8", "cuLaunchKernel, 8",
        "cuMemcpyDtoHAsync, 8", "cuStreamEndCapture, 8", "cuGraphInstantiateWithFlags, 8"})
    void shouldBeginOnTheStandbyWhenACallFailsThen(final String call, final int last) {
        for (int nth = 1; nth <= last; nth++) {
            try (Model model = Backends.load(patient(), setting.bundle(), 1)) {
                TestDriver.failCall(call, nth, TestDriver.OUT_OF_MEMORY);
                try (ModelExecutor executor = model.newExecutor(1)) {
                    assertTrue(executor.isOnStandby());
                }
                try (ModelExecutor executor = model.newExecutor(1)) {
                    assertFalse(executor.isOnStandby());
                }
            }
            assertTrue(TestDriver.isClean());
        }
    }

    @Test
    void shouldBeginOnTheStandbyWhenTheGpuHasTooLittleMemory() {
        TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, 1 << 20);
        assertTrue(liveWithStandby(patient(), () -> {}));
        assertTrue(TestDriver.isClean());
    }

    /** Each time that a call is made, until it is made no more. */
    @ParameterizedTest
    @CsvSource({
        "cuGraphLaunch, 1", "cuMemcpyHtoDAsync, 1", "cuMemcpyDtoDAsync, 1", "cuStreamQuery, 3", "cuCtxSetCurrent, 7"})
    void shouldGoOnWithTheSameBitsWhenACallFails(final String call, final int every) {
        int nth = 1;
        while (liveWithStandby(patient(), failing(call, nth))) {
            TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
            nth += every;
        }
        assertTrue(nth > every, call + " was not made");
    }

    @ParameterizedTest
    @ValueSource(ints = {TestDriver.NO_CODE, TestDriver.DEVICE_UNAVAILABLE})
    void shouldGoOnWithTheSameBitsWhenTheGpuStandsStill(final int code) {
        int launches = 0;
        while (liveWithStandby(impatient(), standingStill(launches, code))) {
            TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
            launches += 2;
        }
        assertTrue(launches > 2, "launches=" + launches);
    }

    @Test
    void shouldThrowWhatSaysHowTheGpuWasLost() {
        try (Model model = impatient().load(setting.bundle(), 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            TestDriver.standStillAfter(0, TestDriver.NO_CODE);
            final DeviceLostException ex =
                    assertThrows(DeviceLostException.class, () -> executor.step(session.batch));
            assertEquals("Emulated GPU: no answer to a batch within 50 ms", ex.getMessage());
            assertThrows(DeviceLostException.class, () -> model.newExecutor(1));
        }
    }

    /** What cannot be given back is left where it is, and nobody has to hear of it but the log. */
    @ParameterizedTest
    @ValueSource(strings = {
        "cuStreamDestroy", "cuMemFreeHost", "cuMemFree", "cuModuleUnload", "cuDevicePrimaryCtxRelease",
        "cuCtxSetCurrent"})
    void shouldCloseWhateverCallFailsThen(final String call) {
        try (Model model = patient().load(setting.bundle(), 1); ModelExecutor executor = model.newExecutor(1)) {
            new ModelSession(model.shape(), executor).step(0);
            TestDriver.failCall(call, 1, TestDriver.ILLEGAL_ADDRESS);
        }
        TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        assertTrue(new CudaBackend().probe().available());
    }

    private static void assertLives(final TransformerSetting of) {
        try (Model model = patient().load(of.bundle(), 1);
                TokenExecutor executor = (TokenExecutor) model.newExecutor(TransformerLives.sessions())) {
            new TransformerLives(of, model, executor, of.seed()).live(ACTS);
        }
    }

    /** Whether the standby has computed in the end. */
    private boolean liveWithStandby(final CudaBackend backend, final Runnable onceItIsThere) {
        try (Model model = Backends.load(backend, setting.bundle(), 1);
                TokenExecutor executor = (TokenExecutor) model.newExecutor(TransformerLives.sessions())) {
            final TransformerLives lives = new TransformerLives(setting, model, executor, 2);
            onceItIsThere.run();
            lives.live(FEW_ACTS);
            return executor.isOnStandby();
        }
    }

    private static Runnable failing(final String call, final int nth) {
        return () -> TestDriver.failCall(call, nth, TestDriver.ILLEGAL_ADDRESS);
    }

    private static Runnable standingStill(final int launches, final int code) {
        return () -> TestDriver.standStillAfter(launches, code);
    }

    private void assertRefused(final String reason) {
        final BundleException ex =
                assertThrows(BundleException.class, () -> patient().load(setting.bundle(), 1));
        assertTrue(ex.getMessage().contains(": backend=cuda ") && ex.getMessage().contains(reason), ex.getMessage());
        assertTrue(TestDriver.isClean());
    }

    /** Small, so that a step takes little by the emulation. */
    static TransformerSetting setting(
            final long seed, final int context, final int window, final int sinks, final Codec keys,
            final Codec values, final boolean isOfFeatures) {
        return new TransformerSetting(
                seed, 2, 8, 2, 1, 8, 5, isOfFeatures ? 0 : 11, 3, isOfFeatures ? 3 : 4,
                isOfFeatures ? Task.CLASSIFICATION : Task.TOKENS, context, window, sinks, 0, 0, false,
                WeightFormat.INT8, WeightFormat.INT8, 8, keys, values, false, window == context ? 16 : 8);
    }

    private static Model reference(final TransformerSetting of) {
        final Bundle bundle = of.bundle();
        return new ReferenceBackend().load(bundle, 1);
    }

    private static void add(final StepBatch batch, final ModelSession session) {
        batch.add(session.features.addressOffset(), session.state.addressOffset(), session.outputs.addressOffset());
    }

    private static void run(final ModelSession session) {
        long hash = 0;
        for (int step = 0; step < ALLOCATION_STEPS; step++) {
            hash = session.step(hash);
        }
    }

    private static CudaBackend patient() {
        return new CudaBackend(SystemNanoClock.INSTANCE, new DeviceSettings(DeviceMode.GRAPHS, PATIENT_NS));
    }

    /** Time passes when the GPU stands still, and only then: nothing is lost because the machine is busy. */
    private CudaBackend impatient() {
        return new CudaBackend(() -> TestDriver.isStill() ? nowNs += TimeUnit.MILLISECONDS.toNanos(1) : nowNs,
                new DeviceSettings(DeviceMode.GRAPHS, IMPATIENT_NS));
    }
}
