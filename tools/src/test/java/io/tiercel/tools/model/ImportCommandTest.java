package io.tiercel.tools.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.RandomGraphs;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.onnxruntime.OnnxRuntimeProbe;
import io.tiercel.tools.SharedData;
import io.tiercel.tools.llama.CanonicalFile;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.ModelFiles;
import io.tiercel.tools.llama.RandomLlama;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ImportCommandTest {

    private static final String STORIES = "models/stories260k/";

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void shouldWriteTheSameFileWhenItsOwnOutputIsImported() throws IOException {
        final Path first = directory.resolve("first.safetensors");
        final Path second = directory.resolve("second.safetensors");
        final LlamaShape shape = RandomLlama.anyShape(4);
        CanonicalFile.write(new LlamaModel(RandomLlama.weights(shape, 4),
                RandomLlama.tokenizer(shape.vocabularySize(), 4), "random"), first);
        assertEquals(0, run("import", first, "-o", second), err::toString);
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
        assertTrue(out.toString().contains(", canonical\n"), out.toString());
        assertTrue(out.toString().contains("tokenizer      " + shape.vocabularySize() + " pieces, begin 1, end 2"),
                out.toString());
    }

    @Test
    void shouldImportTheSameModelWhenTheFormatIsAnother() throws IOException {
        final Path checkpoint = directory.resolve("checkpoint.safetensors");
        final Path gguf = directory.resolve("gguf.safetensors");
        assertEquals(0, run("import", SharedData.file(STORIES + "stories260K.bin"), "--output", checkpoint,
                "--tokenizer", SharedData.file(STORIES + "tok512.bin")), err::toString);
        assertEquals(0, run("import", SharedData.file(STORIES + "stories260K.gguf"), "--output", gguf), err::toString);
        final LlamaModel one = ModelFiles.read(checkpoint);
        final LlamaModel other = ModelFiles.read(gguf);
        assertArrayEquals(one.weights().embedding(), other.weights().embedding());
        assertEquals(512, one.tokenizer().size());
        assertEquals(512, other.tokenizer().size());
        assertTrue(out.toString().contains("parameters     260032\n"), out.toString());
        assertTrue(out.toString().contains("attention      8 heads of 8, 4 of keys and values"), out.toString());
        assertTrue(out.toString().contains("vocabulary     512, head tied\n"), out.toString());
    }

    @Test
    void shouldRefuseInOneLineWhenAnArgumentCannotBeUsed() throws IOException {
        final Path output = directory.resolve("out.safetensors");
        assertRefused("--output=out.bin does not end in .safetensors", "import", "in.gguf", "-o", "out.bin");
        assertRefused("in.gguf: no such file", "import", "in.gguf", "-o", output);
        final Path text = Files.writeString(directory.resolve("in.bin"), "text");
        assertRefused("goes past the end of the file, size=4", "import", text, "-o", output);
        final Path sound = directory.resolve("sound.safetensors");
        CanonicalFile.write(new LlamaModel(RandomLlama.weights(RandomLlama.anyShape(4), 4), null, "random"), sound);
        assertRefused("longestPiece", "import", sound, "-o", output, "--tokenizer",
                Files.write(directory.resolve("empty.bin"), new byte[0]));
        assertFalse(Files.exists(output));
    }

    @Test
    void shouldMakeABundleOfAGraphThatSaysWhatItIsFed() throws IOException {
        needOnnxRuntime();
        final Path graph = graph(RandomGraphs.dense(1).rows(4).columns(3).outputs(2));
        final Path output = directory.resolve("graph.safetensors");
        assertEquals(0, run("import", graph, "-o", output), err::toString);
        final Manifest manifest = Bundle.open(output).manifest();
        assertEquals("onnx", manifest.family());
        assertEquals(Map.of("window", 4), manifest.shape());
        assertEquals(List.of("f_0", "f_1", "f_2"), manifest.featureNames());
        assertEquals(List.of("output_0", "output_1"), manifest.labels());
        assertEquals(Task.REGRESSION, manifest.task());
        assertEquals(new GraphFormat(RandomGraphs.INPUT, List.of(-1, 4, 3), RandomGraphs.OUTPUT, List.of(-1, 2), false,
                new Tolerance(1e-5, 1e-4)), manifest.graph());
        assertArrayEquals(Files.readAllBytes(graph), GraphParameters.read(Bundle.open(output)).graph());
        assertArrayEquals(new float[3], Bundle.open(output).floats("features.mean", 3));
        assertTrue(out.toString().contains("graph          rows[-1, 4, 3] to scores[-1, 2]\n"), out.toString());
    }

    @Test
    void shouldTakeWhatIsSaidOfAGraphFromItsOptions() throws IOException {
        needOnnxRuntime();
        final Path rows = Files.writeString(directory.resolve("rows.csv"),
                "session,split,price_1,size_1,price_2\n1,train,1,5,3\n1,train,5,5,7\n1,test,900,900,900\n");
        final Path output = directory.resolve("graph.safetensors");
        assertEquals(0, run("import", graph(RandomGraphs.dense(1).rows(4).columns(3).outputs(2)), "-o", output,
                "--normalise", rows, "--pool", "price", "--labels", "up,down", "--outputs", "LOGITS",
                "--one-at-a-time", "--absolute", "0.5", "--relative", "0", "--window", "4"), err::toString);
        final Bundle bundle = Bundle.open(output);
        assertEquals(List.of("price_1", "size_1", "price_2"), bundle.manifest().featureNames());
        assertEquals(List.of("up", "down"), bundle.manifest().labels());
        assertEquals(Task.CLASSIFICATION, bundle.manifest().task());
        assertEquals(new GraphFormat(RandomGraphs.INPUT, List.of(1, 4, 3), RandomGraphs.OUTPUT, List.of(1, 2), true,
                new Tolerance(0.5, 0)), bundle.manifest().graph());
        assertArrayEquals(new float[] {4, 5, 4}, bundle.floats("features.mean", 3));
        final float inverse = (float) (1 / Math.sqrt(5));
        assertArrayEquals(new float[] {inverse, 1, inverse}, bundle.floats("features.inverse_deviation", 3), 1e-7f);
    }

    @Test
    void shouldRefuseInOneLineWhenAGraphIsNotWhatIsSaidOfIt() throws IOException {
        needOnnxRuntime();
        final Path output = directory.resolve("graph.safetensors");
        final Path graph = graph(RandomGraphs.dense(1).rows(4).columns(3).outputs(2));
        assertRefused("--window=5 rows of 3, but input rows of ", "import", graph, "-o", output, "--window", "5");
        assertRefused("--labels: names=1, but ", "import", graph, "-o", output, "--labels", "up");
        assertRefused("--features: names=2, but a row of ", "import", graph, "-o", output, "--features", "a,b");
        assertRefused("--graph-output=y is not among {scores=FLOAT[-1, 2]}", "import", graph, "-o", output,
                "--graph-output", "y");
        assertRefused("--relative=2.0 is not in 0..1", "import", graph, "-o", output, "--relative", "2");
        assertRefused("--pool=depth is in the name of no feature", "import", graph, "-o", output, "--pool", "depth",
                "--normalise", Files.writeString(directory.resolve("rows.csv"), "a,b,c\n1,2,3\n"));
        assertRefused("no rows to normalise by", "import", graph, "-o", output, "--normalise",
                Files.writeString(directory.resolve("none.csv"), "a,b,c\n"));
        assertRefused("ONNX Runtime", "import", Files.writeString(directory.resolve("text.onnx"), "text"), "-o",
                output);
        assertRefused("the graph's answers depend on what else is in the batch", "import",
                graph(RandomGraphs.dense(1).mixed()), "-o", output);
        assertRefused("absent.onnx: no such file", "import", "absent.onnx", "-o", output);
        assertRefused("--tokenizer is for --format=llama", "import", graph, "-o", output, "--tokenizer", "t.bin");
        assertRefused("are for --format=onnx", "import", "in.gguf", "-o", output, "--window", "4");
        assertFalse(Files.exists(output));
    }

    private static void needOnnxRuntime() {
        final String obstacle = OnnxRuntimeProbe.obstacle();
        if (obstacle != null) {
            System.out.println("not run: import of graphs: " + obstacle);
        }
        Assumptions.assumeTrue(obstacle == null, "not run: import of graphs: " + obstacle);
    }

    private Path graph(final RandomGraphs graphs) throws IOException {
        return Files.write(directory.resolve("graph.onnx"), graphs.graph());
    }

    private void assertRefused(final String expected, final Object... arguments) {
        assertEquals(2, run(arguments));
        assertTrue(err.toString().contains(expected), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        err.getBuffer().setLength(0);
    }

    private int run(final Object... arguments) {
        final CommandLine command = ModelCommand.commandLine();
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(err));
        final String[] texts = new String[arguments.length];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = arguments[i].toString();
        }
        return command.execute(texts);
    }
}
