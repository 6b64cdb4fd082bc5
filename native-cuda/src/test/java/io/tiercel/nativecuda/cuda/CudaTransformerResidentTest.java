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
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The host side of transformers by a kernel that stays, as it is, over the driver for tests: the bits of the Java
 * reference whatever is done to a session, whichever call fails, and wherever the kernel stands still; and which of the
 * ways is taken.
 */
@Timeout(120)
class CudaTransformerResidentTest {

    private static final int ACTS = 12;
    private static final int FEW_ACTS = 8;
    private static final int CLUSTERS = 8;
    private static final int ALLOCATION_STEPS = 40;
    private static final int SMALL_SHARED_BYTES = 4 << 10;
    /** For one block a team, so that nothing has to be tried out. */
    private static final int FEW_MULTIPROCESSORS = 4;
    private static final long PATIENT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long IMPATIENT_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private long nowNs;
    private final TransformerSetting setting =
            CudaTransformerTest.setting(1, 9, 3, 1, Codec.UNIFORM4, Codec.UNIFORM2, false);

    @BeforeEach
    void needGpu() throws IOException, InterruptedException {
        TestDriver.needGpu("a kernel that stays for CUDA transformers over a driver for tests");
    }

    @AfterAll
    static void removeGpu() {
        TestDriver.removeGpu();
    }

    /** Teams of as many blocks; of 7 there are fewer teams than positions. */
    @ParameterizedTest
    @CsvSource({
        "1, 0, 11, 0, 2, UNIFORM8, UNIFORM4, false", "2, 1, 13, 3, 0, UNIFORM2, UNIFORM1, false",
        "3, 2, 9, 0, 0, COUPLED2, COUPLED1, false", "1, 3, 12, 5, 1, COUPLED4, UNIFORM8, true",
        "7, 4, 10, 1, 0, UNIFORM1, COUPLED4, false", "2, 5, 16, 16, 0, UNIFORM4, UNIFORM2, true"})
    void shouldEqualTheReferenceWhateverIsDoneToASession(
            final int blocks, final long seed, final int context, final int window, final int sinks, final Codec keys,
            final Codec values, final boolean isOfFeatures) {
        assertLives(CudaTransformerTest.setting(seed, context, window, sinks, keys, values, isOfFeatures),
                TransformerTeam.of(blocks), 0);
        assertTrue(TestDriver.isClean());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldEqualTheReferenceWithVectorsInGlobalMemory(final int blocks) {
        TestDriver.reset(TestDriver.MULTIPROCESSORS, SMALL_SHARED_BYTES, TestDriver.MEMORY_BYTES);
        assertLives(setting, TransformerTeam.of(blocks), 0);
        assertTrue(TestDriver.isClean());
    }

    /** Of 3 blocks there is room for two teams. */
    @ParameterizedTest
    @CsvSource({
        "2, 6, 11, 0, 2, UNIFORM8, UNIFORM4, false", "3, 7, 9, 3, 0, UNIFORM2, COUPLED2, true",
        "8, 8, 10, 1, 1, COUPLED1, UNIFORM1, false"})
    void shouldEqualTheReferenceByClusters(
            final int blocks, final long seed, final int context, final int window, final int sinks, final Codec keys,
            final Codec values, final boolean isOfFeatures) {
        TestDriver.allowClusters(CLUSTERS);
        assertLives(CudaTransformerTest.setting(seed, context, window, sinks, keys, values, isOfFeatures),
                TransformerTeam.cluster(blocks), (int) -seed);
        assertTrue(TestDriver.isClean());
    }

    /** By a clock that is slow while eight blocks are there: whether as a cluster, is all the same to it. */
    @Test
    void shouldTakeMoreBlocksWhenTheyAreFaster() {
        TestDriver.reset(8, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        TestDriver.allowClusters(1);
        assertEquals(List.of(TransformerTeam.of(1), TransformerTeam.cluster(8), TransformerTeam.of(8)),
                TransformerWays.residentTeams());
        final CudaDevice device = CudaDevice.retain();
        final NanoClock clock =
                () -> nowNs += device.freeMultiprocessors() == 0 ? 1 : TimeUnit.MICROSECONDS.toNanos(20);
        try (CudaTransformerModel model = (CudaTransformerModel) new CudaBackend(
                clock, new DeviceSettings(DeviceMode.AUTO, PATIENT_NS)).load(setting.bundle(), 1)) {
            assertEquals(8, model.team().blocks());
        }
        device.release();
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldBeginNoMoreClustersThanAreSureToFindRoom() {
        TestDriver.allowClusters(3);
        try (CudaTransformerModel model = model(setting, TransformerTeam.cluster(2))) {
            assertEquals(3, model.roomForTeams());
            try (ModelExecutor executor = model.newExecutor(1)) {
                assertEquals(1, model.roomForTeams());
                try (ModelExecutor other = model.newExecutor(1)) {
                    final DeviceLostException ex =
                            assertThrows(DeviceLostException.class, () -> model.newExecutor(1));
                    assertEquals("a cluster of blocks=2 may find no room on Emulated GPU, which has room for 3, and "
                            + "where other kernels that stay take 4 multiprocessors", ex.getMessage());
                    new ModelSession(model.shape(), other).step(0);
                }
                new ModelSession(model.shape(), executor).step(0);
            }
        }
        assertTrue(TestDriver.isClean());
    }

    /** Tags come round: the kernel is ended and begun again in between. */
    @Test
    void shouldGoOnWhenSequencesAreUsedUp() {
        assertLives(setting, TransformerTeam.of(1), -9);
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldAllocateNothingWhenInSteadyState() {
        try (Model model = model(setting, 1); ModelExecutor executor = model.newExecutor(1)) {
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

    @ParameterizedTest
    @CsvSource({
        "cuMemAlloc, 3", "cuMemHostAlloc, 6", "cuMemHostGetDevicePointer, 6", "cuStreamCreate, 1", "cuMemsetD8Async, 2",
        "cuFuncSetAttribute, 1", "cuLaunchCooperativeKernel, 1"})
    void shouldBeginOnTheStandbyWhenACallFailsThen(final String call, final int last) {
        TestDriver.reset(FEW_MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        try (Model model = Backends.load(patient(DeviceMode.RESIDENT), setting.bundle(), 1)) {
            for (int nth = 1; nth <= last; nth++) {
                TestDriver.failCall(call, nth, TestDriver.OUT_OF_MEMORY);
                try (ModelExecutor executor = model.newExecutor(1)) {
                    assertTrue(executor.isOnStandby());
                }
            }
            try (ModelExecutor executor = model.newExecutor(1)) {
                assertFalse(executor.isOnStandby());
            }
        }
        assertTrue(TestDriver.isClean());
    }

    /** At any store, each of which is a word that blocks or the host wait for. */
    @ParameterizedTest
    @ValueSource(ints = {TestDriver.NO_CODE, TestDriver.DEVICE_UNAVAILABLE})
    void shouldGoOnWithTheSameBitsWhenTheGpuStandsStill(final int code) {
        int stores = 0;
        while (liveWithStandby(stores, code)) {
            stores += 3;
        }
        assertTrue(stores > 10, "stores=" + stores);
    }

    @Test
    void shouldThrowWhatSaysHowTheGpuWasLost() {
        TestDriver.reset(FEW_MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        try (Model model = impatient().load(setting.bundle(), 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            TestDriver.standStillAfter(0, TestDriver.NO_CODE);
            final DeviceLostException ex =
                    assertThrows(DeviceLostException.class, () -> executor.step(session.batch));
            assertEquals("Emulated GPU: no answer to request 3 within 50 ms", ex.getMessage());
            assertThrows(DeviceLostException.class, () -> model.newExecutor(1));
        }
    }

    /** What cannot be given back is left where it is, and nobody has to hear of it but the log. */
    @ParameterizedTest
    @ValueSource(strings = {"cuStreamQuery", "cuStreamDestroy", "cuMemFreeHost", "cuMemFree", "cuCtxSetCurrent"})
    void shouldCloseWhateverCallFailsThen(final String call) {
        try (Model model = model(setting, 1); ModelExecutor executor = model.newExecutor(1)) {
            new ModelSession(model.shape(), executor).step(0);
            TestDriver.failCall(call, 1, TestDriver.ILLEGAL_ADDRESS);
        }
        TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        assertTrue(new CudaBackend().probe().available());
    }

    /** By a clock that stands still. */
    @Test
    void shouldTakeTheFirstOfTheWaysThatMayBeWhenAllTakeAsLong() {
        TestDriver.reset(FEW_MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        assertEquals(1, blocksTaken(DeviceMode.AUTO));
        assertEquals(1, blocksTaken(DeviceMode.RESIDENT));
        assertEquals(0, blocksTaken(DeviceMode.GRAPHS));
        TestDriver.driveDisplay();
        assertEquals(0, blocksTaken(DeviceMode.AUTO));
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldRefuseToKeepAKernelWhereADisplayIsDriven() {
        TestDriver.driveDisplay();
        final BundleException ex = assertThrows(BundleException.class,
                () -> patient(DeviceMode.RESIDENT).load(setting.bundle(), 1));
        assertTrue(ex.getMessage().endsWith(": backend=cuda cannot load it: gpu-mode=resident cannot be: Emulated GPU "
                +
                "lets no kernel stay: its driver limits how long one runs, as it does where a display is driven"),
                ex.getMessage());
        assertTrue(TestDriver.isClean());
    }

    /** By a clock that is fast while a kernel stays. */
    @Test
    void shouldTakeGraphsWhenTheyAreFaster() {
        TestDriver.reset(FEW_MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        final CudaDevice device = CudaDevice.retain();
        final NanoClock clock = () -> nowNs += device.freeMultiprocessors() < FEW_MULTIPROCESSORS
                ? TimeUnit.MICROSECONDS.toNanos(20)
                : 1;
        try (CudaTransformerModel model = (CudaTransformerModel) new CudaBackend(
                clock, new DeviceSettings(DeviceMode.AUTO, PATIENT_NS)).load(setting.bundle(), 1)) {
            assertEquals(TransformerTeam.GRAPHS, model.team());
        }
        device.release();
        assertTrue(TestDriver.isClean());
    }

    /** Blocks of it that were not there would be waited for by those that are. */
    @Test
    void shouldTakeNoMultiprocessorOnWhichAKernelStays() {
        TestDriver.reset(2, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        try (CudaTransformerModel model = model(setting, 2); ModelExecutor executor = model.newExecutor(1)) {
            final DeviceLostException ex =
                    assertThrows(DeviceLostException.class, () -> model.newExecutor(1));
            assertEquals("blocks=2 of Emulated GPU, where other kernels that stay leave 0 multiprocessors",
                    ex.getMessage());
            assertEquals(0, blocksTaken(DeviceMode.AUTO));
            assertTrue(assertThrows(BundleException.class, () -> blocksTaken(DeviceMode.RESIDENT)).getMessage()
                    .endsWith("gpu-mode=resident cannot be: other kernels stay on all multiprocessors"));
            new ModelSession(model.shape(), executor).step(0);
        }
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldSayInOneLineWhatFailsWhenWaysAreTriedOut() {
        TestDriver.failCall("cuLaunchCooperativeKernel", 2, TestDriver.OUT_OF_MEMORY);
        final BundleException ex =
                assertThrows(BundleException.class, () -> patient(DeviceMode.AUTO).load(setting.bundle(), 1));
        assertTrue(ex.getMessage().contains("cannot load it: cuLaunchCooperativeKernel(teams=1 blocks=8 threads=64 "),
                ex.getMessage());
        assertTrue(TestDriver.isClean());
    }

    private int blocksTaken(final DeviceMode mode) {
        try (CudaTransformerModel model = (CudaTransformerModel) new CudaBackend(
                () -> nowNs, new DeviceSettings(mode, PATIENT_NS))
                .load(setting.bundle(), 1)) {
            return model.team().blocks();
        }
    }

    private static void assertLives(
            final TransformerSetting of, final TransformerTeam team, final int firstSequence) {
        final int sessions = TransformerLives.sessions();
        try (CudaTransformerModel model = model(of, team);
                TokenExecutor executor = firstSequence == 0
                        ? model.newExecutor(sessions)
                        : model.newExecutor(sessions, sessions + 2, firstSequence)) {
            new TransformerLives(of, model, executor, of.seed()).live(ACTS);
        }
    }

    /** Whether the standby has computed in the end. */
    private boolean liveWithStandby(final int stores, final int code) {
        TestDriver.reset(FEW_MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        try (Model model = Backends.load(impatient(), setting.bundle(), 1);
                TokenExecutor executor = (TokenExecutor) model.newExecutor(TransformerLives.sessions())) {
            final TransformerLives lives = new TransformerLives(setting, model, executor, 2);
            TestDriver.standStillAfter(stores, code);
            lives.live(FEW_ACTS);
            return executor.isOnStandby();
        }
    }

    private static CudaTransformerModel model(final TransformerSetting of, final int blocks) {
        return model(of, TransformerTeam.of(blocks));
    }

    private static CudaTransformerModel model(final TransformerSetting of, final TransformerTeam team) {
        return new CudaTransformerModel(TransformerParameters.read(of.bundle()), CudaDevice.retain(),
                SystemNanoClock.INSTANCE, new DeviceSettings(DeviceMode.RESIDENT, PATIENT_NS), team);
    }

    private static void run(final ModelSession session) {
        long hash = 0;
        for (int step = 0; step < ALLOCATION_STEPS; step++) {
            hash = session.step(hash);
        }
    }

    private static CudaBackend patient(final DeviceMode mode) {
        return new CudaBackend(SystemNanoClock.INSTANCE, new DeviceSettings(mode, PATIENT_NS));
    }

    /** Time passes when the GPU stands still, and only then: nothing is lost because the machine is busy. */
    private CudaBackend impatient() {
        return new CudaBackend(() -> TestDriver.isStill() ? nowNs += TimeUnit.MILLISECONDS.toNanos(1) : nowNs,
                new DeviceSettings(DeviceMode.RESIDENT, IMPATIENT_NS));
    }
}
