package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.LstmSetting;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.SplittableRandom;
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
 * The host side, as it is, over the driver for tests: the bits of the Java reference; for each call that fails one line
 * that says which; and a GPU that is lost at any moment, after which no answer is missing and none is another.
 */
@Timeout(120)
class CudaBackendTest {

    static final int STEPS = 5;
    static final int MAX_BATCH = 5;
    private static final int ALLOCATION_STEPS = 100;
    /** Long enough for a machine with other things to do. */
    private static final long PATIENT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long IMPATIENT_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private long nowNs;
    private final Bundle bundle = RandomModels.lstm(3).layers(2).hidden(33).features(5).outputs(3).bundle();

    @BeforeEach
    void needGpu() throws IOException, InterruptedException {
        TestDriver.needGpu("the host side of CUDA over a driver for tests");
    }

    @AfterAll
    static void removeGpu() {
        TestDriver.removeGpu();
    }

    @Test
    void shouldSayWhatItHasFound() {
        assertEquals("Emulated GPU, compute capability 9.0, 16 multiprocessors, driver for CUDA 13.0, exact",
                new CudaBackend().probe().detail());
        assertTrue(TestDriver.isClean());
    }

    @ParameterizedTest
    @CsvSource({
        "1, 7, 5, 3, 8, INT8, CLASSIFICATION", "2, 33, 31, 1, 16, INT4, REGRESSION",
        "3, 64, 128, 70, 8, INT4, CLASSIFICATION", "2, 96, 67, 2, 16, INT8, REGRESSION"})
    void shouldEqualTheReferenceBitForBit(
            final int layers, final int hidden, final int features, final int outputs, final int featureBits,
            final WeightFormat weights, final Task task) {
        assertEqualsReference(new LstmSetting(layers, layers, hidden, features, outputs, featureBits, weights, task));
        assertTrue(TestDriver.isClean());
    }

    /** Slices of several blocks: less shared memory than the whole model needs. */
    @ParameterizedTest
    @CsvSource({"24, INT8", "16, INT4"})
    void shouldEqualTheReferenceBitForBitWithSeveralBlocks(final int sharedKilobytes, final WeightFormat weights) {
        TestDriver.reset(TestDriver.MULTIPROCESSORS, sharedKilobytes << 10, TestDriver.MEMORY_BYTES);
        assertEqualsReference(new LstmSetting(5, 2, 64, 40, 3, 8, weights, Task.CLASSIFICATION));
        assertTrue(TestDriver.isClean());
    }

    /** Of which no kernel stays: too large for shared memory. */
    @ParameterizedTest
    @CsvSource({"INT8, 33", "INT4, 70"})
    void shouldEqualTheReferenceBitForBitByGraphs(final WeightFormat weights, final int hidden) {
        TestDriver.reset(2, 4 << 10, TestDriver.MEMORY_BYTES);
        assertEqualsReference(new LstmSetting(6, 2, hidden, 40, 3, 16, weights, Task.CLASSIFICATION));
        assertTrue(TestDriver.isClean());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldEqualTheReferenceInAnyBatch(final boolean isPersistent) {
        if (!isPersistent) {
            TestDriver.reset(2, 4 << 10, TestDriver.MEMORY_BYTES);
        }
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (Model model = patient().load(bundle, 1); ModelExecutor executor = model.newExecutor(MAX_BATCH)) {
            final ModelSession[] expected = sessions(reference, reference.newExecutor(1));
            final ModelSession[] actual = sessions(model, executor);
            final SplittableRandom random = new SplittableRandom(1);
            final StepBatch batch = new StepBatch(MAX_BATCH);
            for (int step = 0; step < STEPS; step++) {
                batch.clear();
                final int first = random.nextInt(MAX_BATCH);
                for (int i = 0; i <= step; i++) {
                    final int index = (first + i) % MAX_BATCH;
                    final float[] features = features(random, 5);
                    expected[index].step(features, 0);
                    add(batch, actual[index].features(features));
                }
                executor.step(batch);
                executor.ahead(batch);
                for (int i = 0; i < MAX_BATCH; i++) {
                    assertSame(expected[i], actual[i]);
                }
            }
        }
    }

    /** A state that is put there from outside, and a copy with all that its backend had derived. */
    @Test
    void shouldGoOnFromAnyState() {
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (Model model = patient().load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession expected = new ModelSession(reference.shape(), reference.newExecutor(1));
            final ModelSession restored = new ModelSession(model.shape(), executor);
            final ModelSession forked = new ModelSession(model.shape(), executor);
            final SplittableRandom random = new SplittableRandom(2);
            for (int step = 0; step < STEPS; step++) {
                restored.state.putBytes(0, expected.canonicalState());
                executor.restore(restored.state.addressOffset());
                final float[] features = features(random, 5);
                final long hash = expected.step(features, step);
                forked.state.putBytes(0, restored.wholeState());
                assertEquals(hash, restored.step(features, step));
                assertSame(expected, restored);
                assertEquals(hash, forked.step(features, step));
                assertSame(expected, forked);
                forked.state.putBytes(0, restored.wholeState());
                final float[] next = features(random, 5);
                final long nextHash = expected.step(next, step);
                assertEquals(nextHash, forked.step(next, step));
                assertEquals(nextHash, restored.step(next, step));
                assertSame(expected, restored);
            }
        }
    }

    /** Tags come round: the kernel is ended and begun again in between. */
    @Test
    void shouldGoOnWhenSequencesAreUsedUp() {
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (CudaLstmModel model = (CudaLstmModel) patient().load(bundle, 1);
                ModelExecutor executor = model.newExecutor(1, -5)) {
            final ModelSession expected = new ModelSession(reference.shape(), reference.newExecutor(1));
            assertSameSteps(expected, new ModelSession(model.shape(), executor), 2 * STEPS);
        }
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldFreeNothingWhileAnotherKernelIsThere() {
        try (Model one = patient().load(bundle, 1); ModelExecutor executor = one.newExecutor(1)) {
            final Model other = patient().load(RandomModels.lstm(9).bundle(), 1);
            other.newExecutor(2).close();
            other.close();
            assertFalse(TestDriver.isClean());
            new ModelSession(one.shape(), executor).step(0);
        }
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldAllocateNothingWhenInSteadyState() {
        try (Model model = patient().load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            final long threadId = Thread.currentThread().getId();
            final var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
            run(session, ALLOCATION_STEPS);
            threads.getThreadAllocatedBytes(threadId);
            final long before = threads.getThreadAllocatedBytes(threadId);
            run(session, ALLOCATION_STEPS);
            final long allocatedBytes = threads.getThreadAllocatedBytes(threadId) - before;
            assertTrue(allocatedBytes < 10 * ALLOCATION_STEPS, "allocatedBytes=" + allocatedBytes);
        }
    }

    @Test
    void shouldRefuseABatchThatIsTooLargeAStepBeforeTheHashAndUseAfterClose() {
        try (Model model = patient().load(bundle, 1)) {
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
        "cuInit | 46 | cuInit: CUDA_ERROR_DEVICE_UNAVAILABLE (46): CUDA-capable device(s) is/are busy or unavailable",
        "cuDriverGetVersion | 46 | cuDriverGetVersion: CUDA_ERROR_DEVICE_UNAVAILABLE (46): ",
        "cuDeviceGetCount | 999 | cuDeviceGetCount: unknown error 999",
        "cuDeviceGet | 46 | cuDeviceGet(0): ",
        "cuDeviceGetName | 46 | cuDeviceGetName(0): ",
        "cuDeviceGetAttribute | 46 | cuDeviceGetAttribute(75) of Emulated GPU: ",
        "cuDevicePrimaryCtxRetain | 2 | cuDevicePrimaryCtxRetain(Emulated GPU): CUDA_ERROR_OUT_OF_MEMORY (2): ",
        "cuCtxSetCurrent | 46 | cuCtxSetCurrent: ",
        "cuModuleLoadData | 209 | cuModuleLoadData(kernels.fatbin) for Emulated GPU of compute capability 9.0: CUDA_ER",
        "cuModuleGetFunction | 500 | cuModuleGetFunction(tiercel_lstm_persistent_int8) of kernels.fatbin: CUDA_ERROR_"})
    void shouldSayInOneLineWhichCallHasFailedWhenItLooks(final String call, final int code, final String reason) {
        TestDriver.failCall(call, 1, code);
        final String detail = new CudaBackend().probe().detail();
        assertTrue(detail.startsWith(reason.stripTrailing()) && !detail.contains("\n"), detail);
        assertTrue(TestDriver.isClean());
        assertTrue(new CudaBackend().probe().available());
    }

    @Test
    void shouldSayThatThereIsNoGpu() {
        TestDriver.removeGpu();
        assertEquals("the driver has no GPU to offer", new CudaBackend().probe().detail());
    }

    @Test
    void shouldSayThatNoKernelStaysWhereADisplayIsDriven() {
        TestDriver.driveDisplay();
        assertEquals("Emulated GPU, compute capability 9.0, 16 multiprocessors, driver for CUDA 13.0, no kernel " +
                "stays: its driver limits how long one runs, as it does where a display is driven, exact",
                new CudaBackend().probe().detail());
        assertTrue(TestDriver.isClean());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "cuMemAlloc | 2 | cuMemAlloc(",
        "cuMemcpyHtoD | 700 | cuMemcpyHtoD(",
        "cuStreamSynchronize | 700 | cuStreamSynchronize, of weights: CUDA_ERROR_ILLEGAL_ADDRESS (700)"})
    void shouldSayInOneLineWhichCallHasFailedWhenItLoads(final String call, final int code, final String reason) {
        TestDriver.failCall(call, 1, code);
        final BundleException ex = assertThrows(BundleException.class, () -> new CudaBackend().load(bundle, 1));
        assertTrue(ex.getMessage().contains(": backend=cuda cannot load it: " + reason), ex.getMessage());
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldRefuseAModelThatDoesNotFit() {
        TestDriver.reset(2, 64, TestDriver.MEMORY_BYTES);
        final BundleException ex = assertThrows(BundleException.class, () -> new CudaBackend().load(bundle, 1));
        assertTrue(ex.getMessage().endsWith("layers=2 hidden=33 features=5 need sharedBytes=" +
                "192 a block, and Emulated GPU has 64"), ex.getMessage());
        assertTrue(TestDriver.isClean());
    }

    @ParameterizedTest
    @CsvSource({
        "cuMemAlloc, 1", "cuMemAlloc, 2", "cuMemHostAlloc, 1", "cuMemHostAlloc, 2", "cuMemHostGetDevicePointer, 2",
        "cuStreamCreate, 1", "cuMemsetD8Async, 1", "cuFuncSetAttribute, 1", "cuLaunchCooperativeKernel, 1"})
    void shouldBeginOnTheStandbyWhenACallFailsThen(final String call, final int nth) {
        try (Model model = Backends.load(patient(), bundle, 1)) {
            TestDriver.failCall(call, nth, TestDriver.OUT_OF_MEMORY);
            try (ModelExecutor executor = model.newExecutor(1)) {
                assertTrue(executor.isOnStandby());
                assertSameSteps(reference(), new ModelSession(model.shape(), executor), STEPS);
            }
            try (ModelExecutor executor = model.newExecutor(1)) {
                assertFalse(executor.isOnStandby());
            }
        }
        assertTrue(TestDriver.isClean());
    }

    /** What cannot be given back is left where it is, and nobody has to hear of it but the log. */
    @ParameterizedTest
    @ValueSource(strings = {
        "cuStreamQuery", "cuStreamDestroy", "cuMemFreeHost", "cuMemFree", "cuModuleUnload", "cuDevicePrimaryCtxRelease",
        "cuCtxSetCurrent"})
    void shouldCloseWhateverCallFailsThen(final String call) {
        try (Model model = patient().load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            assertSameSteps(reference(), new ModelSession(model.shape(), executor), 1);
            TestDriver.failCall(call, 1, TestDriver.ILLEGAL_ADDRESS);
        }
        TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        assertTrue(new CudaBackend().probe().available());
    }

    @Test
    void shouldBeginOnTheStandbyWhenTheGpuHasTooLittleMemory() {
        TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, 1 << 20);
        try (Model model = Backends.load(patient(), bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            assertTrue(executor.isOnStandby());
            assertSameSteps(reference(), new ModelSession(model.shape(), executor), STEPS);
        }
        assertTrue(TestDriver.isClean());
    }

    /** At any store of a kernel: before the answer, in the midst of it, between it and the state after it. */
    @ParameterizedTest
    @ValueSource(ints = {TestDriver.NO_CODE, TestDriver.ILLEGAL_ADDRESS, TestDriver.DEVICE_UNAVAILABLE})
    void shouldGoOnWithTheSameBitsWhenTheGpuIsLost(final int code) {
        final SplittableRandom random = new SplittableRandom(code);
        for (int attempt = 0; attempt < 5; attempt++) {
            TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
            try (Model model = Backends.load(impatient(), bundle, 1);
                    ModelExecutor executor = model.newExecutor(MAX_BATCH)) {
                final ModelExecutor referenceExecutor = new ReferenceBackend().load(bundle, 1).newExecutor(1);
                final ModelSession[] expected = sessions(new ReferenceBackend().load(bundle, 1), referenceExecutor);
                final ModelSession[] actual = sessions(model, executor);
                TestDriver.standStillAfter(random.nextInt(1_500), code);
                assertSameBatches(expected, actual, executor, random);
                assertTrue(executor.isOnStandby());
            }
        }
    }

    @Test
    void shouldThrowWhatSaysHowTheGpuWasLost() {
        try (Model model = impatient().load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            session.step(0);
            TestDriver.standStillAfter(0, TestDriver.NO_CODE);
            final DeviceLostException ex =
                    assertThrows(DeviceLostException.class, () -> executor.step(session.batch));
            assertEquals("Emulated GPU: no answer to request 3 within 50 ms", ex.getMessage());
            assertThrows(DeviceLostException.class, () -> model.newExecutor(1));
        }
        TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        try (Model model = patient().load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            TestDriver.standStillAfter(0, TestDriver.ILLEGAL_ADDRESS);
            final ModelSession session = new ModelSession(model.shape(), executor);
            final DeviceLostException ex =
                    assertThrows(DeviceLostException.class, () -> executor.step(session.batch));
            assertTrue(ex.getMessage().contains("CUDA_ERROR_ILLEGAL_ADDRESS (700): an illegal memory access"),
                    ex.getMessage());
        }
    }

    private void assertEqualsReference(final LstmSetting setting) {
        final Bundle other = setting.bundle();
        final Model reference = new ReferenceBackend().load(other, 1);
        try (Model model = patient().load(other, 1); ModelExecutor executor = model.newExecutor(1)) {
            assertEquals(reference.shape().canonicalBytes(), model.shape().canonicalBytes());
            assertSameSteps(new ModelSession(reference.shape(), reference.newExecutor(1)),
                    new ModelSession(model.shape(), executor), STEPS);
        }
    }

    private ModelSession reference() {
        final Model reference = new ReferenceBackend().load(bundle, 1);
        return new ModelSession(reference.shape(), reference.newExecutor(1));
    }

    static void assertSameSteps(final ModelSession expected, final ModelSession actual, final int steps) {
        final SplittableRandom random = new SplittableRandom(steps);
        long hash = 0;
        for (int step = 0; step < steps; step++) {
            final float[] features = features(random, expected.features.capacity() / Float.BYTES);
            final long expectedHash = expected.step(features, hash);
            assertEquals(expectedHash, actual.step(features, hash));
            assertSame(expected, actual);
            hash = expectedHash;
        }
    }

    /** Random ones, each settled as the pipeline does it. */
    static void assertSameBatches(
            final ModelSession[] expected, final ModelSession[] actual, final ModelExecutor executor,
            final SplittableRandom random) {
        assertSameBatches(expected, actual, executor, random, 5, MAX_BATCH);
    }

    /** The same of so many features, in batches of at most so many. */
    static void assertSameBatches(
            final ModelSession[] expected, final ModelSession[] actual, final ModelExecutor executor,
            final SplittableRandom random, final int featureCount, final int maxBatch) {
        final StepBatch batch = new StepBatch(maxBatch);
        final long[] hashes = new long[MAX_BATCH];
        for (int step = 0; step < 3 * STEPS; step++) {
            batch.clear();
            final int first = random.nextInt(MAX_BATCH);
            final int size = 1 + random.nextInt(maxBatch);
            final long[] expectedHashes = hashes.clone();
            for (int i = 0; i < size; i++) {
                final int index = (first + i) % MAX_BATCH;
                final float[] features = features(random, featureCount);
                expectedHashes[index] = expected[index].step(features, hashes[index]);
                add(batch, actual[index].features(features));
            }
            executor.step(batch);
            for (int i = 0; i < size; i++) {
                final int index = (first + i) % MAX_BATCH;
                hashes[index] = executor.hash(actual[index].state.addressOffset(), hashes[index]);
                assertSame(expected[index], actual[index]);
            }
            assertArrayEquals(expectedHashes, hashes);
            executor.ahead(batch);
        }
    }

    static void assertSame(final ModelSession expected, final ModelSession actual) {
        assertArrayEquals(expected.outputs(), actual.outputs());
        assertArrayEquals(expected.canonicalState(), actual.canonicalState());
    }

    static void add(final StepBatch batch, final ModelSession session) {
        batch.add(session.features.addressOffset(), session.state.addressOffset(), session.outputs.addressOffset());
    }

    static ModelSession[] sessions(final Model model, final ModelExecutor executor) {
        final ModelSession[] sessions = new ModelSession[MAX_BATCH];
        for (int i = 0; i < sessions.length; i++) {
            sessions[i] = new ModelSession(model.shape(), executor);
        }
        return sessions;
    }

    static float[] features(final SplittableRandom random, final int count) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-4, 4);
        }
        return values;
    }

    static void run(final ModelSession session, final int steps) {
        long hash = 0;
        for (int step = 0; step < steps; step++) {
            hash = session.step(hash);
        }
    }

    private static CudaBackend patient() {
        return new CudaBackend(SystemNanoClock.INSTANCE, PATIENT_NS);
    }

    /** Time passes when the GPU stands still, and only then: nothing is lost because the machine is busy. */
    private CudaBackend impatient() {
        return new CudaBackend(() -> TestDriver.isStill() ? nowNs += TimeUnit.MILLISECONDS.toNanos(1) : nowNs,
                IMPATIENT_NS);
    }
}
