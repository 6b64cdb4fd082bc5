package io.tiercel.nativecuda.tensorrt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.BundleEditor;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.RandomGraphs;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.nativecuda.SharedLibraries;
import io.tiercel.nativecuda.onnxruntime.OnnxRuntimeBackend;
import io.tiercel.protocol.journal.Arithmetic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.ServiceLoader;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All of the backend but the calls of TensorRT themselves, which {@link MadeUpEngines} stands for. */
class TensorRtBackendTest {

    private static final double DISTANCE = 2e-6;

    @TempDir
    private Path directory;

    private final RandomGraphs graphs = RandomGraphs.dense(3).rows(5).columns(7).outputs(3);
    private final Bundle bundle = graphs.bundle();
    private final MadeUpEngines engines = new MadeUpEngines(graphs);

    @Test
    void shouldBeFoundAndSayWhyItCannotRun() {
        final Backend found = ServiceLoader.load(Backend.class).stream()
                .filter(provider -> provider.type() == TensorRtBackend.class)
                .findFirst().orElseThrow().get();
        needs(!found.probe().available(), "what is said without TensorRT: it is here");
        assertFalse(found.probe().detail().isBlank());
        final BundleException ex = assertThrows(BundleException.class, () -> found.load(bundle, 1));
        assertEquals(bundle.path() + ": backend=tensorrt cannot load it: " + found.probe().detail(), ex.getMessage());
    }

    @Test
    void shouldNameEachLibraryThatIsMissing() throws IOException {
        assertObstacle("not found: libnvinfer.so.11, libnvinfer_plugin.so.11, libnvonnxparser.so.11, libcudart.so.13, "
                + "libnvrtc.so.13, libcublas.so.13, libcudnn_graph.so.9, libcuda.so.1");
        for (final String name : List.of("libnvinfer.so.10", "libcuda.so.1", "libnvinfer.so.11", "libcublas.so.13",
                "libcudnn_graph.so.9", "libnvrtc.so.13")) {
            Files.createFile(directory.resolve(name));
        }
        assertObstacle("not found: libnvinfer_plugin.so.11, libnvonnxparser.so.11, libcudart.so.13");
        for (final String name : List.of("libnvinfer_plugin.so.11", "libnvonnxparser.so.11", "libcudart.so.13")) {
            Files.createFile(directory.resolve(name));
        }
        assertObstacle(null);
    }

    @Test
    void shouldComputeItsOwnFamilyAndNoOther() {
        final TensorRtBackend backend = backend();
        assertTrue(backend.probe().available());
        assertTrue(backend.supports(bundle));
        assertFalse(backend.supports(RandomModels.lstm(1).bundle()));
        assertEquals(OnnxRuntimeBackend.NAME, new OnnxRuntimeBackend().name());
        assertTrue(backend.preference() < new OnnxRuntimeBackend().preference(), "only by name");
    }

    @Test
    void shouldAnswerEachSessionOfABatchAndTakeMoreThanAPlanIsMadeForInParts() {
        final int maxBatch = TensorRtModel.MAX_POSITIONS + 3;
        try (Model model = backend().load(bundle, 1); ModelExecutor executor = model.newExecutor(maxBatch)) {
            assertEquals(Arithmetic.TOLERANCE, model.arithmetic());
            assertEquals(new Tolerance(1e-5, 1e-4), model.tolerance());
            final List<ModelSession> sessions = sessions(model, executor, maxBatch);
            final float[][] windows = new float[maxBatch][5 * 7];
            final SplittableRandom random = new SplittableRandom(8);
            final StepBatch batch = new StepBatch(maxBatch);
            for (int step = 0; step < 12; step++) {
                batch.clear();
                final int size = step == 0 ? maxBatch : 1 + random.nextInt(maxBatch);
                for (int i = 0; i < size; i++) {
                    add(batch, sessions.get(i), windows[i], random);
                }
                engines.runs().clear();
                executor.step(batch);
                assertEquals(parts(size), engines.runs());
                for (int i = 0; i < size; i++) {
                    assertNear(graphs.expected(windows[i]), sessions.get(i).outputs());
                    executor.hash(sessions.get(i).state.addressOffset(), step);
                }
            }
        }
        assertEquals(0, engines.leftCount());
    }

    @Test
    void shouldMakeAPlanOnceForEachPlatform() throws IOException {
        backend().load(bundle, 1).close();
        backend().load(bundle, 1).close();
        assertEquals(1, engines.buildCount());
        assertEquals(List.of(bundle.versionHex() + "-" + MadeUpEngines.PLATFORM + ".plan"), plans());
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cacheDirectory())));
        engines.platform("Another-sm00");
        backend().load(bundle, 1).close();
        assertEquals(2, engines.buildCount());
        assertEquals(2, plans().size());
    }

    @Test
    void shouldMakeAPlanAgainThatIsDamagedOrRefused() throws IOException {
        backend().load(bundle, 1).close();
        final Path plan = cacheDirectory().resolve(plans().get(0));
        final byte[] good = Files.readAllBytes(plan);
        for (int length = 0; length < good.length; length += 9) {
            Files.write(plan, java.util.Arrays.copyOf(good, length));
            backend().load(bundle, 1).close();
            assertArrayEquals(good, Files.readAllBytes(plan), "length=" + length);
        }
        final int builds = engines.buildCount();
        assertEquals(builds, engines.openCount());
        new EngineCache(cacheDirectory()).write(bundle.versionHex(), MadeUpEngines.PLATFORM, new byte[] {1, 2});
        backend().load(bundle, 1).close();
        assertEquals(builds + 1, engines.buildCount());
        assertArrayEquals(good, Files.readAllBytes(plan));
    }

    /** A plan holds code. */
    @Test
    void shouldTakeNoPlanFromADirectoryThatOthersMayWriteTo() throws IOException {
        backend().load(bundle, 1).close();
        Files.setPosixFilePermissions(cacheDirectory(), PosixFilePermissions.fromString("rwxrwxr-x"));
        backend().load(bundle, 1).close();
        assertEquals(2, engines.buildCount());
    }

    @Test
    void shouldServeWhereNoPlanCanBeKept() throws IOException {
        Files.createFile(cacheDirectory());
        backend().load(bundle, 1).close();
        backend().load(bundle, 1).close();
        assertEquals(2, engines.buildCount());
    }

    @Test
    void shouldRefuseAGraphThatIsNotTheManifests() {
        final Bundle other = new BundleEditor(RandomGraphs.dense(3).rows(4).columns(7).outputs(3).bundle()).bundle();
        final BundleException ex = assertThrows(BundleException.class, () -> backend().load(other, 1));
        assertEquals(BundleEditor.NAME + ": backend=tensorrt: manifest key=graph.inputShape value=[-1, 4, 7], but the"
                + " graph's input is FLOAT[-1, 5, 7]", ex.getMessage());
        assertEquals(0, engines.leftCount());
    }

    @Test
    void shouldSaySoWhereTheGpuIsLostBeforeItHasServed() {
        engines.loseAfter(0);
        final BundleException ex = assertThrows(BundleException.class, () -> backend().load(bundle, 1));
        assertEquals(bundle.path() + ": backend=tensorrt: the GPU has not answered for 1000 ms", ex.getMessage());
        assertEquals(0, engines.leftCount());
    }

    /** Wherever it is lost, ONNX Runtime goes on, each session from where it stood. */
    @Test
    void shouldGoOnWithOnnxRuntimeWhereTheGpuIsLost() {
        final BackendProbe standby = new OnnxRuntimeBackend().probe();
        needs(standby.available(), "fail-over of tensorrt: " + standby.detail());
        final int maxBatch = TensorRtModel.MAX_POSITIONS + 2;
        for (int runs = 0; runs < 8; runs++) {
            try (Model model = Backends.load(backend(), bundle, 1)) {
                engines.loseAfter(Integer.MAX_VALUE);
                try (ModelExecutor executor = model.newExecutor(maxBatch)) {
                    engines.loseAfter(runs);
                    assertSameAnswers(model, executor, maxBatch);
                    assertTrue(executor.isOnStandby(), "runs=" + runs);
                }
                engines.loseAfter(Integer.MAX_VALUE);
            }
        }
    }

    private static void needs(final boolean isThere, final String reason) {
        if (!isThere) {
            System.out.println("not run: " + reason);
        }
        Assumptions.assumeTrue(isThere, "not run: " + reason);
    }

    private void assertSameAnswers(final Model model, final ModelExecutor executor, final int maxBatch) {
        assertEquals(Arithmetic.TOLERANCE, model.arithmetic());
        final List<ModelSession> sessions = sessions(model, executor, maxBatch);
        final float[][] windows = new float[maxBatch][5 * 7];
        final SplittableRandom random = new SplittableRandom(9);
        final StepBatch batch = new StepBatch(maxBatch);
        for (int step = 0; step < 5; step++) {
            batch.clear();
            for (int i = 0; i < maxBatch; i++) {
                add(batch, sessions.get(i), windows[i], random);
            }
            executor.step(batch);
            for (int i = 0; i < maxBatch; i++) {
                assertNear(graphs.expected(windows[i]), sessions.get(i).outputs());
                executor.hash(sessions.get(i).state.addressOffset(), step);
            }
            executor.ahead(batch);
        }
    }

    /** The session's next row, random, which then is the newest of its window too. */
    private void add(final StepBatch batch, final ModelSession session, final float[] window,
            final SplittableRandom random) {
        final float[] features = new float[7];
        System.arraycopy(window, 7, window, 0, window.length - 7);
        for (int i = 0; i < features.length; i++) {
            features[i] = (float) random.nextDouble(-3, 3);
            window[window.length - 7 + i] = (features[i] - graphs.means()[i]) * graphs.inverseDeviations()[i];
        }
        session.features(features);
        batch.add(session.features.addressOffset(), session.state.addressOffset(), session.outputs.addressOffset());
    }

    private static List<ModelSession> sessions(final Model model, final ModelExecutor executor, final int count) {
        final List<ModelSession> sessions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sessions.add(new ModelSession(model.shape(), executor));
        }
        return sessions;
    }

    private static List<Integer> parts(final int size) {
        final List<Integer> parts = new ArrayList<>(
                Collections.nCopies(size / TensorRtModel.MAX_POSITIONS, TensorRtModel.MAX_POSITIONS));
        if (size % TensorRtModel.MAX_POSITIONS > 0) {
            parts.add(size % TensorRtModel.MAX_POSITIONS);
        }
        return parts;
    }

    private TensorRtBackend backend() {
        return new TensorRtBackend(() -> null, () -> engines, () -> new EngineCache(cacheDirectory()));
    }

    private Path cacheDirectory() {
        return directory.resolve("plans");
    }

    private List<String> plans() throws IOException {
        try (Stream<Path> files = Files.list(cacheDirectory())) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private void assertObstacle(final String expected) {
        final SharedLibraries libraries =
                new SharedLibraries(List.of(directory), directory.resolve("ld.so.cache"), List.of());
        final ClassLoader everything = new ClassLoader(getClass().getClassLoader()) {
            @Override
            public java.net.URL getResource(final String name) {
                return super.getResource("io/tiercel/nativecuda/tensorrt/TensorRtBackend.class");
            }
        };
        final String actual = TensorRtProbe.obstacle(everything, libraries);
        if (expected == null) {
            assertNull(actual);
        } else {
            assertEquals(expected, actual);
        }
        final ClassLoader nothing = new ClassLoader(null) {
        };
        assertEquals("the bindings (org.bytedeco:tensorrt, linux-x86_64 too) are not on the class path",
                TensorRtProbe.obstacle(nothing, libraries));
    }

    private static void assertNear(final double[] expected, final float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], DISTANCE);
        }
    }
}
