package io.tiercel.nativecuda.cuda;

import static io.tiercel.nativecuda.cuda.CudaBackendTest.MAX_BATCH;
import static io.tiercel.nativecuda.cuda.CudaBackendTest.STEPS;
import static io.tiercel.nativecuda.cuda.CudaBackendTest.assertSame;
import static io.tiercel.nativecuda.cuda.CudaBackendTest.assertSameBatches;
import static io.tiercel.nativecuda.cuda.CudaBackendTest.sessions;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.LstmSetting;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.RandomModels;
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
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The host side by graphs, over the driver for tests: the same bits, and each call that fails. */
@Timeout(120)
class CudaGraphsTest {

    private static final int ALLOCATION_STEPS = 100;
    private static final long PATIENT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long IMPATIENT_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private long nowNs;
    private final Bundle bundle = RandomModels.lstm(3).layers(2).hidden(33).features(5).outputs(3).bundle();

    @BeforeEach
    void needGpu() throws IOException, InterruptedException {
        TestDriver.needGpu("CUDA graphs over a driver for tests");
    }

    @AfterAll
    static void removeGpu() {
        TestDriver.removeGpu();
    }

    @ParameterizedTest
    @CsvSource({"1, 7, 5, 3, 8, INT8, CLASSIFICATION", "2, 70, 40, 3, 16, INT4, REGRESSION"})
    void shouldEqualTheReferenceBitForBitInAnyBatch(
            final int layers, final int hidden, final int features, final int outputs, final int featureBits,
            final WeightFormat weights, final Task task) {
        final Bundle other =
                new LstmSetting(layers, layers, hidden, features, outputs, featureBits, weights, task).bundle();
        assertEqualsReference(graphs(), other, features);
        assertTrue(TestDriver.isClean());
    }

    @ParameterizedTest
    @EnumSource(DeviceMode.class)
    void shouldKeepAKernelWhereThatIsAskedForOrCanBe(final DeviceMode mode) {
        try (Model model = backend(mode).load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            assertEquals(mode == DeviceMode.GRAPHS, executor instanceof LstmGraphExecutor);
        }
        TestDriver.driveDisplay();
        if (mode == DeviceMode.RESIDENT) {
            final BundleException ex =
                    assertThrows(BundleException.class, () -> backend(mode).load(bundle, 1));
            assertTrue(ex.getMessage().endsWith(": backend=cuda cannot load it: gpu-mode=resident cannot be: " +
                    "Emulated GPU lets no kernel stay: its driver limits how long one runs, as it does where a " +
                    "display is driven"), ex.getMessage());
        } else {
            assertEqualsReference(backend(mode), bundle, 5);
        }
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldRefuseToKeepAKernelThatDoesNotFit() {
        TestDriver.reset(2, 4 << 10, TestDriver.MEMORY_BYTES);
        final BundleException ex =
                assertThrows(BundleException.class, () -> backend(DeviceMode.RESIDENT).load(bundle, 1));
        assertTrue(ex.getMessage().endsWith("gpu-mode=resident cannot be: layers=2 hidden=33 do not fit into the " +
                "shared memory of 2 multiprocessors"), ex.getMessage());
        assertTrue(TestDriver.isClean());
    }

    /** What the configuration says counts, and not what the backend was made with. */
    @Test
    void shouldTakeTheModeOfTheConfiguration() {
        final DeviceSettings settings = new DeviceSettings(DeviceMode.GRAPHS, PATIENT_NS);
        try (Model model = backend(DeviceMode.RESIDENT).load(bundle, 1, settings);
                ModelExecutor executor = model.newExecutor(1)) {
            assertInstanceOf(LstmGraphExecutor.class, executor);
        }
    }

    /** A state that is put there from outside, and a copy with all that its backend had derived. */
    @Test
    void shouldGoOnFromAnyState() {
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (Model model = graphs().load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession expected = new ModelSession(reference.shape(), reference.newExecutor(1));
            final ModelSession restored = new ModelSession(model.shape(), executor);
            final ModelSession forked = new ModelSession(model.shape(), executor);
            final SplittableRandom random = new SplittableRandom(2);
            for (int step = 0; step < STEPS; step++) {
                restored.state.putBytes(0, expected.canonicalState());
                executor.restore(restored.state.addressOffset());
                final float[] features = CudaBackendTest.features(random, 5);
                final long hash = expected.step(features, step);
                forked.state.putBytes(0, restored.wholeState());
                assertEquals(hash, restored.step(features, step));
                assertSame(expected, restored);
                assertEquals(hash, forked.step(features, step));
                assertSame(expected, forked);
            }
        }
    }

    /** More sessions than the GPU has copies of: each step brings what the others have driven out. */
    @Test
    void shouldBringStatesThatHaveLostTheirCopies() {
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (CudaLstmModel model = (CudaLstmModel) graphs().load(bundle, 1);
                ModelExecutor executor = new LstmGraphExecutor(model, 3, 4)) {
            final ModelSession[] expected = sessions(reference, reference.newExecutor(1));
            final ModelSession[] actual = sessions(model, executor);
            assertSameBatches(expected, actual, executor, new SplittableRandom(1), 5, 3);
        }
        assertTrue(TestDriver.isClean());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "cuMemHostAlloc", "cuMemAlloc", "cuMemHostGetDevicePointer", "cuStreamCreate", "cuEventCreate",
        "cuFuncSetAttribute", "cuStreamBeginCapture", "cuLaunchKernel", "cuStreamEndCapture",
        "cuGraphInstantiateWithFlags", "cuGraphDestroy"})
    void shouldBeginOnTheStandbyWhicheverCallFailsThen(final String call) {
        int failed = 0;
        try (Model model = Backends.load(graphs(), bundle, 1)) {
            do {
                TestDriver.failCall(call, failed + 1, TestDriver.OUT_OF_MEMORY);
                failed++;
            } while (isOnStandby(model));
        }
        assertTrue(failed > 1, call + " was not called");
        TestDriver.clearFaults();
        // What cannot be taken away stays.
        assertEquals(!"cuGraphDestroy".equals(call), TestDriver.isClean(), call);
    }

    /** Whichever time it is. */
    @ParameterizedTest
    @ValueSource(strings = {"cuGraphLaunch", "cuEventRecord", "cuEventQuery", "cuStreamQuery", "cuCtxSetCurrent"})
    void shouldGoOnWithTheSameBitsWhicheverCallFails(final String call) {
        for (int nth = 1; nth <= 4; nth++) {
            TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
            assertGoesOn(graphs(), call + " " + nth, nth,
                    time -> TestDriver.failCall(call, time, TestDriver.ILLEGAL_ADDRESS));
        }
    }

    /** At any launch of a graph: states that are brought, steps, what follows the answer. */
    @ParameterizedTest
    @ValueSource(ints = {TestDriver.NO_CODE, TestDriver.ILLEGAL_ADDRESS})
    void shouldGoOnWithTheSameBitsWhenTheGpuIsLost(final int code) {
        for (int launches = 0; launches < 9; launches++) {
            TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
            assertGoesOn(impatient(), "launch " + launches, launches,
                    time -> TestDriver.standStillAfter(time, code));
        }
    }

    @Test
    void shouldSayInOneLineWhatHasFailed() {
        try (Model model = graphs().load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            TestDriver.failCall("cuGraphLaunch", 2, TestDriver.ILLEGAL_ADDRESS);
            final DeviceLostException ex =
                    assertThrows(DeviceLostException.class, () -> executor.step(session.batch));
            assertEquals("Emulated GPU: cuGraphLaunch(steps of up to 1): CUDA_ERROR_ILLEGAL_ADDRESS (700): an " +
                    "illegal memory access was encountered", ex.getMessage());
        }
    }

    @Test
    void shouldFreeNothingWhileAnotherKernelIsThere() {
        try (Model resident = backend(DeviceMode.AUTO).load(bundle, 1);
                ModelExecutor executor = resident.newExecutor(1)) {
            try (Model other = graphs().load(bundle, 1); ModelExecutor graphs = other.newExecutor(2)) {
                new ModelSession(other.shape(), graphs).step(0);
            }
            assertFalse(TestDriver.isClean());
            new ModelSession(resident.shape(), executor).step(0);
        }
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldAllocateNothingWhenInSteadyState() {
        try (Model model = graphs().load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            final long threadId = Thread.currentThread().getId();
            final var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
            CudaBackendTest.run(session, ALLOCATION_STEPS);
            threads.getThreadAllocatedBytes(threadId);
            final long before = threads.getThreadAllocatedBytes(threadId);
            CudaBackendTest.run(session, ALLOCATION_STEPS);
            final long allocatedBytes = threads.getThreadAllocatedBytes(threadId) - before;
            assertTrue(allocatedBytes < 10 * ALLOCATION_STEPS, "allocatedBytes=" + allocatedBytes);
        }
    }

    /** What speaks with the GPU, and computes nothing. */
    @Test
    void shouldAnswerZerosWhenItIsAPingPong() {
        try (Model model = backend(DeviceMode.AUTO).loadPingPong(bundle);
                ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            for (int step = 0; step < STEPS; step++) {
                session.step(CudaBackendTest.features(new SplittableRandom(step), 5), 0);
                for (final float output : session.outputs()) {
                    assertEquals(0, output);
                }
            }
        }
        assertTrue(TestDriver.isClean());
    }

    /** Something goes wrong at its n-th time. */
    private interface Fault {
        void happen(int nth);
    }

    private void assertGoesOn(final CudaBackend backend, final String what, final int nth, final Fault fault) {
        try (Model model = Backends.load(backend, bundle, 1); ModelExecutor executor = model.newExecutor(MAX_BATCH)) {
            final Model reference = new ReferenceBackend().load(bundle, 1);
            final ModelSession[] expected = sessions(reference, reference.newExecutor(1));
            final ModelSession[] actual = sessions(model, executor);
            assertFalse(executor.isOnStandby(), what);
            fault.happen(nth);
            assertSameBatches(expected, actual, executor, new SplittableRandom(nth));
            assertTrue(executor.isOnStandby(), what);
        }
    }

    private static void assertEqualsReference(
            final CudaBackend backend, final Bundle bundle, final int features) {
        final Model reference = new ReferenceBackend().load(bundle, 1);
        try (Model model = backend.load(bundle, 1); ModelExecutor executor = model.newExecutor(MAX_BATCH)) {
            final ModelSession[] expected = sessions(reference, reference.newExecutor(1));
            final ModelSession[] actual = sessions(model, executor);
            assertSameBatches(expected, actual, executor, new SplittableRandom(features), features, MAX_BATCH);
        }
    }

    private static boolean isOnStandby(final Model model) {
        try (ModelExecutor executor = model.newExecutor(3)) {
            return executor.isOnStandby();
        }
    }

    private static CudaBackend graphs() {
        return backend(DeviceMode.GRAPHS);
    }

    private static CudaBackend backend(final DeviceMode mode) {
        return new CudaBackend(SystemNanoClock.INSTANCE, new DeviceSettings(mode, PATIENT_NS));
    }

    /** Time passes when the GPU stands still, and only then. */
    private CudaBackend impatient() {
        return new CudaBackend(() -> TestDriver.isStill() ? nowNs += TimeUnit.MILLISECONDS.toNanos(1) : nowNs,
                new DeviceSettings(DeviceMode.GRAPHS, IMPATIENT_NS));
    }
}
