package io.tiercel.appliance.engine.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.BundleEditor;
import io.tiercel.appliance.engine.RandomGraphs;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class GraphParametersTest {

    private static final Tolerance TOLERANCE = new Tolerance(1e-6, 0.5);

    private final RandomGraphs graphs = RandomGraphs.dense(1).rows(5).columns(3).outputs(2);
    private final Manifest good = graphs.manifest();

    @Test
    void shouldReadWhatWasWritten() {
        final GraphParameters parameters = GraphParameters.read(graphs.bundle());
        assertArrayEquals(graphs.graph(), parameters.graph());
        assertEquals(5, parameters.window().rows());
        assertEquals(3, parameters.window().columns());
        assertEquals("onnx", parameters.modelShape().family());
        assertEquals(64 + 64, parameters.modelShape().stateBytes());
        assertEquals(parameters.modelShape().stateBytes(), parameters.modelShape().canonicalBytes());
        assertEquals(good, graphs.bundle().manifest());
    }

    @Test
    void shouldTakeAnyShapeOfOneRowAndAChannelInFrontOfManyRows() {
        read(format(List.of(1, 1, 5, 3), List.of(1, 1, 2)));
        final Manifest oneRow = RandomGraphs.dense(1).rows(1).columns(6).outputs(2).manifest();
        GraphParameters.read(new BundleEditor(RandomGraphs.dense(1).rows(1).columns(6).outputs(2).bundle())
                .manifest(with(oneRow, format(List.of(-1, 2, 3), List.of(-1, 2)))).bundle());
    }

    @Test
    void shouldRefuseSizesThatContradictEachOther() {
        assertRefused("key=graph.inputShape value=[1, 5, 4] is not of shape.window=5 rows of features=3",
                () -> read(format(List.of(1, 5, 4), List.of(1, 2))));
        assertRefused("key=graph.inputShape value=[1, 3, 5]", () -> read(format(List.of(1, 3, 5), List.of(1, 2))));
        assertRefused("key=graph.inputShape value=[1, 15]", () -> read(format(List.of(1, 15), List.of(1, 2))));
        assertRefused("key=graph.outputShape value=[1, 3] is not of labels=2",
                () -> read(format(List.of(1, 5, 3), List.of(1, 3))));
        assertRefused("key=shape.window value=0 is not in 1..87381", () -> read(edit().size("window", 0)));
        assertRefused("key=shape.window value=87382", () -> read(edit().size("window", 87_382)));
    }

    @Test
    void shouldRefuseAGraphThatIsNotOneFileOfBytes() {
        assertRefused("tensor=graph is missing", () -> read(edit().without("graph")));
        assertRefused("tensor=graph is U8[0], expected U8 of one dimension, not empty",
                () -> read(edit().put("graph", DType.U8, new byte[0], 0)));
        assertRefused("tensor=graph is U8[2, 1]", () -> read(edit().put("graph", DType.U8, new byte[2], 2, 1)));
        assertRefused("tensor=graph is I8[2]", () -> read(edit().put("graph", DType.I8, new byte[2], 2)));
    }

    @Test
    void shouldRefuseANormalisationThatIsNotFiniteOrDividesByZero() {
        assertRefused("tensor=features.mean index=1", () -> read(edit().set("features.mean", 1, Float.NaN)));
        assertRefused("tensor=features.inverse_deviation index=2 value=0.0 is not above zero",
                () -> read(edit().set("features.inverse_deviation", 2, 0)));
    }

    @Test
    void shouldRefuseTheManifestOfAnotherFamily() {
        final Manifest tokens = new Manifest(good.family(), good.shape(), good.featureNames(), good.labels(),
                Task.TOKENS, null, null, good.graph(), Map.of(), Map.of());
        assertRefused("task=tokens", () -> read(edit().manifest(tokens)));
        final Manifest lstm = RandomModels.lstm(1).bundle().manifest();
        assertRefused("manifest key=graph is missing, as family=onnx needs", () -> read(edit().manifest(lstm)));
        final BundleException ex = assertThrows(BundleException.class, () -> LstmParameters.read(graphs.bundle()));
        assertTrue(ex.getMessage().contains("has key=graph, and not key=quantisation as family=onnx needs"),
                ex.getMessage());
    }

    @Test
    void shouldNameWhatIsWrongInTheManifestsText() {
        final String json = good.toJson();
        assertManifest("graph.inputShape=[2, 5, 3] has a batch of 2", json.replace("[-1,5,3]", "[2,5,3]"));
        assertManifest("graph.inputShape=[-1] does not have 2 to 8 dimensions", json.replace("[-1,5,3]", "[-1]"));
        assertManifest("graph.inputShape=[-1, 5, 0] has a size below 1", json.replace("[-1,5,3]", "[-1,5,0]"));
        assertManifest("or more than 16777216 elements", json.replace("[-1,5,3]", "[-1,65536,65536]"));
        assertManifest("key=inputShape value=[1,1,1,1,1,1,1,1,1] is not a list of at most 8 integers",
                json.replace("[-1,5,3]", "[1,1,1,1,1,1,1,1,1]"));
        assertManifest("key=inputShape value=1.5 is not an integer", json.replace("[-1,5,3]", "[1.5]"));
        assertManifest("do not begin with the same batch", json.replace("[-1,5,3]", "[1,5,3]"));
        assertManifest("graph.input has length=0", json.replace("\"rows\"", "\"\""));
        assertManifest("key=softmax value=0 is not true or false", json.replace("\"softmax\":false", "\"softmax\":0"));
        assertManifest("absolute=-1.0 is not a finite", json.replace("\"absolute\":1.0E-5", "\"absolute\":-1"));
        assertManifest("absolute=Infinity is not a finite", json.replace("\"absolute\":1.0E-5", "\"absolute\":1e999"));
        assertManifest("relative=1.5 is not in 0..1", json.replace("\"relative\":1.0E-4", "\"relative\":1.5"));
        assertManifest("key=graph.tolerance.x is not known", json.replace("\"relative\"", "\"x\":0,\"relative\""));
        assertManifest("key=graph.t is not known", json.replace("\"tolerance\"", "\"t\""));
        assertManifest("key=quantisation is missing, and there is no key=graph",
                RandomModels.lstm(1).bundle().manifest().toJson().replaceFirst("\"quantisation\":\\{[^}]*},", ""));
    }

    private static void assertManifest(final String expected, final String json) {
        final BundleException ex = assertThrows(BundleException.class, () -> Manifest.fromJson("x", json));
        assertTrue(ex.getMessage().startsWith("x: manifest") && ex.getMessage().contains(expected), ex.getMessage());
    }

    private BundleEditor edit() {
        return new BundleEditor(graphs.bundle());
    }

    private GraphParameters read(final GraphFormat format) {
        return read(edit().manifest(with(good, format)));
    }

    private static GraphParameters read(final BundleEditor editor) {
        return GraphParameters.read(editor.bundle());
    }

    private static GraphFormat format(final List<Integer> inputShape, final List<Integer> outputShape) {
        return new GraphFormat("in", inputShape, "out", outputShape, false, TOLERANCE);
    }

    private static Manifest with(final Manifest manifest, final GraphFormat format) {
        return new Manifest(manifest.family(), manifest.shape(), manifest.featureNames(), manifest.labels(),
                manifest.task(), null, null, format, manifest.provenance(), manifest.accuracy());
    }

    private static void assertRefused(final String expected, final Executable call) {
        final BundleException ex = assertThrows(BundleException.class, call);
        assertTrue(ex.getMessage().startsWith(BundleEditor.NAME + ": ") && ex.getMessage().contains(expected),
                ex.getMessage());
    }
}
