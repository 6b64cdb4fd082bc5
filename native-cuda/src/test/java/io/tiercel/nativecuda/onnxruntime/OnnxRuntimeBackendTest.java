package io.tiercel.nativecuda.onnxruntime;

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
import io.tiercel.appliance.engine.NoBackendException;
import io.tiercel.appliance.engine.RandomGraphs;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.protocol.journal.Arithmetic;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.SplittableRandom;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OnnxRuntimeBackendTest {

    private static final int ROWS = 5;
    private static final int COLUMNS = 7;
    private static final int OUTPUTS = 3;
    private static final double DISTANCE = 2e-6;

    private final Backend backend = new OnnxRuntimeBackend();
    private final RandomGraphs graphs = RandomGraphs.dense(3).rows(ROWS).columns(COLUMNS).outputs(OUTPUTS);

    @BeforeAll
    static void needLibrary() {
        final String obstacle = OnnxRuntimeProbe.obstacle();
        if (obstacle != null) {
            System.out.println("not run: the onnxruntime backend: " + obstacle);
        }
        Assumptions.assumeTrue(obstacle == null, "not run: the onnxruntime backend: " + obstacle);
    }

    @ParameterizedTest
    @CsvSource({"5,7,3,1", "1,4,1,1", "2,1,5,2", "40,9,2,1"})
    void shouldAnswerWithTheGraphsOutputOfTheNewestRows(
            final int rows, final int columns, final int outputs, final int threads) {
        final RandomGraphs any = RandomGraphs.dense(4).rows(rows).columns(columns).outputs(outputs);
        try (Model model = backend.load(any.bundle(), threads); ModelExecutor executor = model.newExecutor(1)) {
            assertEquals(Arithmetic.TOLERANCE, model.arithmetic());
            assertEquals(new Tolerance(1e-5, 1e-4), model.tolerance());
            final ModelSession session = new ModelSession(model.shape(), executor);
            final SplittableRandom random = new SplittableRandom(5);
            final float[] window = new float[rows * columns];
            long hash = 0;
            for (int step = 0; step < 2 * rows + 1; step++) {
                final float[] features = floats(random, columns);
                hash = session.step(features, hash);
                System.arraycopy(window, columns, window, 0, window.length - columns);
                for (int i = 0; i < columns; i++) {
                    window[window.length - columns + i] =
                            (features[i] - any.means()[i]) * any.inverseDeviations()[i];
                }
                assertNear(any.expected(window), session.outputs());
            }
        }
    }

    @Test
    void shouldMakeProbabilitiesWhereTheBundleAsksForSoftmax() {
        final RandomGraphs plain = RandomGraphs.dense(6).outputs(4);
        final float[] features = {1, -2, 3};
        final float[] scores = firstAnswer(plain.bundle(), features);
        final float[] probabilities = firstAnswer(RandomGraphs.dense(6).outputs(4).softmax().bundle(), features);
        double sum = 0;
        for (final float score : scores) {
            sum += Math.exp(score);
        }
        final double[] expected = new double[4];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = Math.exp(scores[i]) / sum;
        }
        assertNear(expected, probabilities);
    }

    @ParameterizedTest
    @CsvSource({"true,4", "true,1", "false,4"})
    void shouldGiveEachSessionOfABatchItsOwnAnswerAndTheSameState(final boolean hasBatches, final int maxBatch) {
        final Bundle bundle = (hasBatches ? graphs : graphs.withoutBatches()).bundle();
        try (Model model = backend.load(bundle, 1);
                ModelExecutor executor = model.newExecutor(maxBatch);
                ModelExecutor single = model.newExecutor(1)) {
            final List<ModelSession> together = new ArrayList<>();
            final List<ModelSession> alone = new ArrayList<>();
            for (int i = 0; i < maxBatch; i++) {
                together.add(new ModelSession(model.shape(), executor));
                alone.add(new ModelSession(model.shape(), single));
            }
            final SplittableRandom random = new SplittableRandom(8);
            final StepBatch batch = new StepBatch(maxBatch);
            for (int step = 0; step < 2 * ROWS; step++) {
                final int size = 1 + random.nextInt(maxBatch);
                batch.clear();
                for (int i = 0; i < size; i++) {
                    final float[] features = floats(random, COLUMNS);
                    final ModelSession session = together.get(i).features(features);
                    batch.add(session.features.addressOffset(), session.state.addressOffset(),
                            session.outputs.addressOffset());
                    alone.get(i).step(features, 0);
                }
                executor.step(batch);
                executor.ahead(batch);
                for (int i = 0; i < size; i++) {
                    assertNear(doubles(alone.get(i).outputs()), together.get(i).outputs());
                    assertArrayEquals(alone.get(i).wholeState(), together.get(i).wholeState());
                    assertEquals(single.hash(alone.get(i).state.addressOffset(), step),
                            executor.hash(together.get(i).state.addressOffset(), step));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1", "3,1", "8,8", "11,4", "11,1"})
    void shouldTakeManyStepsAtOnceAsOneAfterTheOther(final int stepCount, final int maxBatch) {
        try (Model model = backend.load(graphs.bundle(), 1); ModelExecutor executor = model.newExecutor(maxBatch)) {
            final ModelSession steps = new ModelSession(model.shape(), executor);
            final ModelSession one = new ModelSession(model.shape(), executor);
            final UnsafeBuffer features = allocate(stepCount * COLUMNS);
            final UnsafeBuffer outputs = allocate(stepCount * OUTPUTS);
            final SplittableRandom random = new SplittableRandom(9);
            for (int i = 0; i < stepCount * COLUMNS; i++) {
                features.putFloat(i * Float.BYTES, (float) random.nextDouble(-2, 2));
            }
            final long hash = executor.steps(steps.state.addressOffset(), features.addressOffset(), stepCount,
                    outputs.addressOffset(), OUTPUTS * Float.BYTES, 7);
            long expectedHash = 7;
            for (int step = 0; step < stepCount; step++) {
                expectedHash = one.step(floats(features, step * COLUMNS, COLUMNS), expectedHash);
                assertNear(doubles(one.outputs()), floats(outputs, step * OUTPUTS, OUTPUTS));
            }
            assertEquals(expectedHash, hash);
            assertArrayEquals(one.wholeState(), steps.wholeState());

            executor.initialise(steps.state.addressOffset());
            assertEquals(expectedHash, executor.steps(steps.state.addressOffset(), features.addressOffset(), stepCount,
                    steps.outputs.addressOffset(), 0, 7));
            assertNear(doubles(one.outputs()), steps.outputs());
        }
    }

    @Test
    void shouldNotAllocateBesideARun() {
        try (Model model = backend.load(graphs.bundle(), 1); ModelExecutor executor = model.newExecutor(2)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            final var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
            final int stepCount = 5_000;
            long allocatedBytes = 0;
            for (int turn = 0; turn < 2; turn++) {
                final long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
                for (int step = 0; step < stepCount; step++) {
                    session.step(step);
                }
                allocatedBytes = threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
            }
            // OrtSession.run's own: arrays of names and handles, a map, its Result.
            assertTrue(allocatedBytes / stepCount <= 640, "allocatedBytes=" + allocatedBytes);
        }
    }

    @Test
    void shouldRefuseAGraphThatIsNotTheManifests() {
        assertRefused("manifest key=graph.inputShape value=[-1, 1, 5, 7], but the graph's input is FLOAT[-1, 5, 7]",
                format(RandomGraphs.INPUT, List.of(-1, 1, 5, 7), RandomGraphs.OUTPUT, List.of(-1, 3)));
        assertRefused("manifest key=graph.outputShape value=[-1, 1, 3], but the graph's output is FLOAT[-1, 3]",
                format(RandomGraphs.INPUT, List.of(-1, 5, 7), RandomGraphs.OUTPUT, List.of(-1, 1, 3)));
        assertRefused("key=graph.input value=lines is not the graph's only input: {rows=FLOAT[-1, 5, 7]}",
                format("lines", List.of(-1, 5, 7), RandomGraphs.OUTPUT, List.of(-1, 3)));
        assertRefused("key=graph.output value=y is not among the graph's outputs: {scores=FLOAT[-1, 3]}",
                format(RandomGraphs.INPUT, List.of(-1, 5, 7), "y", List.of(-1, 3)));
        final Bundle other = new BundleEditor(graphs.bundle()).put("graph", DType.U8,
                RandomGraphs.dense(3).rows(4).columns(COLUMNS).outputs(OUTPUTS).graph(),
                RandomGraphs.dense(3).rows(4).columns(COLUMNS).outputs(OUTPUTS).graph().length).bundle();
        assertRefused("value=[-1, 5, 7], but the graph's input is FLOAT[-1, 4, 7]", other);
        assertRefused("value=[-1, 5, 7], but the graph's input is FLOAT[1, 5, 7]", new BundleEditor(graphs.bundle())
                .put("graph", DType.U8, fixed().graph(), fixed().graph().length).bundle());
    }

    @Test
    void shouldRefuseWhatIsNoGraph() {
        final byte[] graph = graphs.graph();
        for (int length = 1; length < graph.length; length += 7) {
            final Bundle cut = new BundleEditor(graphs.bundle())
                    .put("graph", DType.U8, java.util.Arrays.copyOf(graph, length), length).bundle();
            assertThrows(BundleException.class, () -> backend.load(cut, 1).close(), "length=" + length);
        }
        assertRefused("tensor=graph is refused by ONNX Runtime: ", new BundleEditor(graphs.bundle())
                .put("graph", DType.U8, new byte[] {'o', 'n', 'n', 'x'}, 4).bundle());
    }

    /** One session's answer would be another one's as well, and replay computes each request alone. */
    @Test
    void shouldRefuseAGraphThatMixesTheSessionsOfABatch() {
        assertRefused("the graph's answers depend on what else is in the batch, if not on chance: outputs[0]=",
                rename(graphs.mixed()));
        final RandomGraphs one = RandomGraphs.dense(3).rows(ROWS).columns(COLUMNS).outputs(OUTPUTS).mixed();
        backend.load(one.withoutBatches().bundle(), 1).close();
    }

    @Test
    void shouldComputeItsOwnFamilyAndNoOther() {
        assertTrue(backend.probe().available(), backend.probe().detail());
        assertEquals(OnnxRuntimeBackend.NAME, Backends.select(Backends.AUTO, graphs.bundle()).name());
        assertFalse(backend.supports(RandomModels.lstm(1).bundle()));
        for (final String exact : List.of("reference", "cpu")) {
            final NoBackendException ex =
                    assertThrows(NoBackendException.class, () -> Backends.select(exact, graphs.bundle()));
            assertTrue(ex.getMessage().contains(exact + ": does not support family=onnx"), ex.getMessage());
        }
    }

    @Test
    void shouldSayWhatStandsAgainstIt() {
        final ClassLoader classPath = getClass().getClassLoader();
        assertNull(OnnxRuntimeProbe.obstacle(classPath, "1", "Linux", "amd64"));
        assertNull(OnnxRuntimeProbe.obstacle(classPath, "1", "Linux", "aarch64"));
        assertNull(OnnxRuntimeProbe.obstacle(classPath, "1", "Mac OS X", "aarch64"));
        assertNull(OnnxRuntimeProbe.obstacle(classPath, "1", "Windows 11", "amd64"));
        assertEquals("ONNX Runtime's jar has no native library for os=Linux arch=riscv64",
                OnnxRuntimeProbe.obstacle(classPath, "1", "Linux", "riscv64"));
        assertEquals("ORT_DISABLE_TELEMETRY=0: ONNX Runtime sends usage data to its maker unless this variable is 1;"
                + " tools/tiercel sets it", OnnxRuntimeProbe.obstacle(classPath, "0", "Linux", "amd64"));
        assertTrue(OnnxRuntimeProbe.obstacle(classPath, null, "Linux", "amd64").startsWith("ORT_DISABLE_TELEMETRY=: "));
    }

    @Test
    void shouldBeFoundAndSaySoWhereTheLibraryIsNotOnTheClassPath() throws Exception {
        final List<URL> rest = new ArrayList<>();
        for (final String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!Path.of(entry).getFileName().toString().startsWith("onnxruntime-")) {
                rest.add(Path.of(entry).toUri().toURL());
            }
        }
        try (URLClassLoader loader =
                new URLClassLoader(rest.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            final Class<?> spi = loader.loadClass(Backend.class.getName());
            final Object found = ServiceLoader.load(spi, loader).stream()
                    .filter(provider -> provider.type().getName().equals(OnnxRuntimeBackend.class.getName()))
                    .findFirst().orElseThrow().get();
            final Object probe = spi.getMethod("probe").invoke(found);
            assertEquals(
                    BackendProbe.unavailable("ONNX Runtime's jar (com.microsoft.onnxruntime:onnxruntime) is not on "
                            + "the class path").toString(),
                    probe.toString());
        }
    }

    private static RandomGraphs fixed() {
        return RandomGraphs.dense(3).rows(ROWS).columns(COLUMNS).outputs(OUTPUTS).withoutBatches();
    }

    private float[] firstAnswer(final Bundle bundle, final float[] features) {
        try (Model model = backend.load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            session.step(features, 0);
            return session.outputs();
        }
    }

    /** The bundle under the editor's name, so that a refusal can be told to name it. */
    private static Bundle rename(final RandomGraphs graphs) {
        return new BundleEditor(graphs.bundle()).bundle();
    }

    private Bundle format(
            final String input, final List<Integer> inputShape, final String output, final List<Integer> outputShape) {
        final Manifest good = graphs.manifest();
        return new BundleEditor(graphs.bundle()).manifest(new Manifest(good.family(), good.shape(),
                good.featureNames(), good.labels(), good.task(), null, null,
                new GraphFormat(input, inputShape, output, outputShape, false, Tolerance.NONE), Map.of(), Map.of()))
                .bundle();
    }

    private void assertRefused(final String expected, final Bundle bundle) {
        final BundleException ex = assertThrows(BundleException.class, () -> backend.load(bundle, 1).close());
        assertTrue(ex.getMessage().startsWith(BundleEditor.NAME + ": ") && ex.getMessage().contains(expected),
                ex.getMessage());
    }

    private static void assertNear(final double[] expected, final float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], DISTANCE);
        }
    }

    private static UnsafeBuffer allocate(final int floats) {
        return new UnsafeBuffer(
                BufferUtil.allocateDirectAligned(floats * Float.BYTES, 64).order(ByteOrder.nativeOrder()));
    }

    private static double[] doubles(final float[] values) {
        final double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }

    private static float[] floats(final SplittableRandom random, final int count) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-3, 3);
        }
        return values;
    }

    private static float[] floats(final UnsafeBuffer buffer, final int first, final int count) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = buffer.getFloat((first + i) * Float.BYTES);
        }
        return values;
    }
}
