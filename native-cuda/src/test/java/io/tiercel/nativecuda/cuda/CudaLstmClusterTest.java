package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
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
 * LSTMs by a kernel whose blocks are a cluster, over the driver for tests: the bits of the Java reference; which way is
 * taken; and what happens where a cluster finds no room, a call fails, or the GPU is lost.
 */
@Timeout(120)
class CudaLstmClusterTest {

    private static final int CLUSTERS = 4;
    private static final long PATIENT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long IMPATIENT_NS = TimeUnit.MILLISECONDS.toNanos(50);
    /** Of 12 units: three ways by clusters, of 3 blocks, and two of 2. */
    private final Bundle bundle = RandomModels.lstm(3).layers(2).hidden(12).features(5).outputs(3).bundle();

    private long nowNs;

    @BeforeEach
    void needGpu() throws IOException, InterruptedException {
        TestDriver.needGpu("clusters of CUDA over a driver for tests");
        TestDriver.allowClusters(CLUSTERS);
    }

    @AfterAll
    static void removeGpu() {
        TestDriver.removeGpu();
    }

    @ParameterizedTest
    @CsvSource({
        "1, 8, 5, 3, 8, INT8, CLASSIFICATION", "2, 33, 31, 1, 16, INT4, REGRESSION",
        "3, 30, 128, 70, 8, INT4, CLASSIFICATION", "2, 70, 67, 2, 16, INT8, REGRESSION"})
    void shouldEqualTheReferenceBitForBitInEachWay(
            final int layers, final int hidden, final int features, final int outputs, final int featureBits,
            final WeightFormat weights, final Task task) {
        final Bundle other =
                new LstmSetting(layers, layers, hidden, features, outputs, featureBits, weights, task).bundle();
        final List<Supplier<Model>> ways = patient().residentWays(other);
        assertTrue(ways.size() > 1, ways::toString);
        for (final Supplier<Model> way : ways) {
            try (Model model = way.get(); ModelExecutor executor = model.newExecutor(CudaBackendTest.MAX_BATCH)) {
                final Model reference = new ReferenceBackend().load(other, 1);
                CudaBackendTest.assertSameBatches(
                        CudaBackendTest.sessions(reference, reference.newExecutor(1)),
                        CudaBackendTest.sessions(model, executor), executor, new SplittableRandom(layers), features,
                        CudaBackendTest.MAX_BATCH);
            }
        }
        assertTrue(TestDriver.isClean());
    }

    @Test
    void shouldHaveClustersOfSeveralShapesWhereTheGpuHasAny() {
        assertEquals(List.of("resident, blocks=1 threads=64", "resident cluster, blocks=3 threads=32",
                "resident cluster, blocks=3 threads=32", "resident cluster, blocks=3 threads=64",
                "resident cluster, blocks=2 threads=32"), names());
        TestDriver.allowClusters(0);
        assertEquals(List.of("resident, blocks=1 threads=64"), names());
        TestDriver.driveDisplay();
        assertEquals(List.of(), names());
        assertTrue(TestDriver.isClean());
    }

    /** Tags come round: the kernel is ended and begun again in between. */
    @Test
    void shouldGoOnWhenSequencesAreUsedUp() {
        try (CudaLstmModel model = cluster(SystemNanoClock.INSTANCE);
                ModelExecutor executor = model.newExecutor(1, -5)) {
            CudaBackendTest.assertSameSteps(
                    reference(), new ModelSession(model.shape(), executor), 2 * CudaBackendTest.STEPS);
        }
        assertTrue(TestDriver.isClean());
    }

    /** By a clock that stands still, and by one that is slow while a cluster is there. */
    @Test
    void shouldTakeTheFastestWay() {
        assertEquals("resident, blocks=1 threads=64", wayTaken(() -> nowNs, DeviceMode.AUTO));
        final CudaDevice device = CudaDevice.retain();
        final NanoClock clock = slowForClusters(device);
        assertCluster(wayTaken(clock, DeviceMode.AUTO));
        assertCluster(wayTaken(clock, DeviceMode.RESIDENT));
        assertEquals("graphs", wayTaken(clock, DeviceMode.GRAPHS));
        device.release();
        assertTrue(TestDriver.isClean());
    }

    /** Blocks of it would be waited for for ever, wherever the others are. */
    @Test
    void shouldBeginNoClusterThatMayFindNoRoom() {
        TestDriver.allowClusters(3);
        try (CudaLstmModel model = cluster(SystemNanoClock.INSTANCE); ModelExecutor executor = model.newExecutor(1)) {
            assertEquals(
                    "a cluster of blocks=3 may find no room on Emulated GPU, which has room for 3, and where other "
                            + "kernels that stay take 3 multiprocessors",
                    assertThrows(DeviceLostException.class, () -> model.newExecutor(1)).getMessage());
            assertEquals("resident, blocks=1 threads=64", wayTaken(() -> nowNs, DeviceMode.AUTO));
            new ModelSession(model.shape(), executor).step(0);
        }
        assertTrue(TestDriver.isClean());
    }

    /** There are others. */
    @ParameterizedTest
    @ValueSource(strings = {"cuLaunchKernelEx", "cuOccupancyMaxActiveClusters"})
    void shouldLeaveOutWaysThatTheDriverRefusesWhenItLoads(final String call) {
        TestDriver.failCall(call, 1, TestDriver.OUT_OF_MEMORY);
        final CudaDevice device = CudaDevice.retain();
        assertCluster(wayTaken(slowForClusters(device), DeviceMode.AUTO));
        device.release();
        assertTrue(TestDriver.isClean());
    }

    @ParameterizedTest
    @CsvSource({"cuLaunchKernelEx, 1", "cuOccupancyMaxActiveClusters, 1", "cuFuncSetAttribute, 2"})
    void shouldSayInOneLineWhichCallHasFailedWhenItBegins(final String call, final int nth) {
        try (CudaLstmModel model = cluster(SystemNanoClock.INSTANCE)) {
            TestDriver.failCall(call, nth, TestDriver.OUT_OF_MEMORY);
            final String message =
                    assertThrows(DeviceLostException.class, () -> model.newExecutor(1)).getMessage();
            assertTrue(message.startsWith(call + "(blocks=3 threads=32 sharedBytes="), message);
            assertTrue(message.endsWith("CUDA_ERROR_OUT_OF_MEMORY (2): out of memory"), message);
            CudaBackendTest.assertSameSteps(
                    reference(), new ModelSession(model.shape(), model.newExecutor(1)), CudaBackendTest.STEPS);
        }
    }

    @Test
    void shouldGoWithoutClustersWhereTheKernelsHaveNone() {
        TestDriver.failCall("cuModuleGetFunction", 2, CudaDriver.NOT_FOUND);
        TestDriver.failCall("cuModuleGetFunction", 2, CudaDriver.NOT_FOUND);
        assertEquals(List.of("resident, blocks=1 threads=64"), names());
        TestDriver.failCall("cuModuleGetFunction", 2, TestDriver.ILLEGAL_ADDRESS);
        assertTrue(new CudaBackend().probe().detail().startsWith("cuModuleGetFunction(tiercel_lstm_cluster_int8) of "));
        assertTrue(TestDriver.isClean());
    }

    /** At any store of a kernel, those from block to block among them. */
    @Test
    void shouldGoOnWithTheSameBitsWhenTheGpuIsLost() {
        final SplittableRandom random = new SplittableRandom(5);
        for (int attempt = 0; attempt < 5; attempt++) {
            TestDriver.reset(TestDriver.MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
            TestDriver.allowClusters(CLUSTERS);
            final CudaDevice device = CudaDevice.retain();
            final NanoClock slow = slowForClusters(device);
            final NanoClock clock =
                    () -> TestDriver.isStill() ? nowNs += TimeUnit.MILLISECONDS.toNanos(1) : slow.nanoTime();
            try (Model model = Backends.load(new CudaBackend(clock, IMPATIENT_NS), bundle, 1);
                    ModelExecutor executor = model.newExecutor(CudaBackendTest.MAX_BATCH)) {
                assertFalse(executor.isOnStandby());
                final Model reference = new ReferenceBackend().load(bundle, 1);
                final ModelSession[] expected = CudaBackendTest.sessions(reference, reference.newExecutor(1));
                final ModelSession[] actual = CudaBackendTest.sessions(model, executor);
                TestDriver.standStillAfter(random.nextInt(1_500), TestDriver.NO_CODE);
                CudaBackendTest.assertSameBatches(expected, actual, executor, random);
                assertTrue(executor.isOnStandby());
            }
            device.release();
        }
    }

    private List<String> names() {
        return patient().residentWays(bundle).stream().map(way -> {
            try (Model model = way.get()) {
                return CudaBackend.wayOf(model);
            }
        }).toList();
    }

    private String wayTaken(final NanoClock clock, final DeviceMode mode) {
        try (Model model = new CudaBackend(clock, new DeviceSettings(mode, PATIENT_NS)).load(bundle, 1)) {
            return CudaBackend.wayOf(model);
        }
    }

    /** So that a step by one takes less. */
    private NanoClock slowForClusters(final CudaDevice device) {
        return () -> nowNs += device.freeMultiprocessors() < TestDriver.MULTIPROCESSORS - 1
                ? 1
                : TimeUnit.MICROSECONDS.toNanos(1);
    }

    private static void assertCluster(final String way) {
        assertTrue(way.startsWith("resident cluster, "), way);
    }

    private CudaLstmModel cluster(final NanoClock clock) {
        return new CudaLstmModel(LstmParameters.read(bundle), CudaDevice.retain(), clock,
                new DeviceSettings(DeviceMode.RESIDENT, PATIENT_NS), CudaLstmModel.FIRST_CLUSTER);
    }

    private ModelSession reference() {
        final Model reference = new ReferenceBackend().load(bundle, 1);
        return new ModelSession(reference.shape(), reference.newExecutor(1));
    }

    private static CudaBackend patient() {
        return new CudaBackend(SystemNanoClock.INSTANCE, PATIENT_NS);
    }
}
