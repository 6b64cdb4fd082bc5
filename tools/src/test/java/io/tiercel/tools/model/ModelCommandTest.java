package io.tiercel.tools.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.appliance.engine.bundle.SafetensorsWriter;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The commands as a user calls them, on a network whose probabilities PyTorch computed. */
class ModelCommandTest {

    private static final List<String> FIXTURE = List.of(
            "pytorch_lstm.safetensors", "pytorch_lstm.yaml", "pytorch_lstm_rows.csv", "pytorch_lstm_expected.csv");

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path weights;
    private Path yaml;
    private Path rows;
    private Path bundle;
    private Path outputs;

    @BeforeEach
    void copyFixture() throws IOException {
        for (final String name : FIXTURE) {
            try (var resource = ModelCommandTest.class.getResourceAsStream(name)) {
                Files.copy(resource, directory.resolve(name));
            }
        }
        weights = directory.resolve(FIXTURE.get(0));
        yaml = directory.resolve(FIXTURE.get(1));
        rows = directory.resolve(FIXTURE.get(2));
        bundle = directory.resolve("bundle.safetensors");
        outputs = directory.resolve("outputs.csv");
    }

    @Test
    void shouldAgreeWithPyTorchWhenComputedAsTrained() throws IOException {
        final FloatLstm lstm = FloatLstm.read(SafetensorsReader.open(weights));
        final QuantiseSettings settings = new QuantiseSettings();
        QuantiseSettingsReader.read(yaml, settings);
        settings.conclude(lstm);
        final Map<Long, FloatLstm.Session> sessions = new java.util.HashMap<>();
        final List<double[]> expected = expected();
        int row = 0;
        try (RowReader reader = new RowReader(rows, settings.featureNames(), 3)) {
            for (; reader.next(); row++) {
                final FloatLstm.Session session =
                        sessions.computeIfAbsent(reader.session(), key -> lstm.newSession());
                lstm.step(session, reader.features(), settings.normalisation());
                double sum = 0;
                for (final double output : session.outputs) {
                    sum += Math.exp(output);
                }
                for (int i = 0; i < 3; i++) {
                    assertEquals(expected.get(row)[i], Math.exp(session.outputs[i]) / sum, 1e-5, "row=" + row);
                }
            }
        }
        assertEquals(120, row);
    }

    @ParameterizedTest
    @CsvSource({"int8, 8, 0.008", "int8, 16, 0.008", "int4, 8, 0.02", "int4, 16, 0.02"})
    void shouldStayNearPyTorchWhenQuantisedAndRun(
            final String format, final String featureBits, final double tolerance) throws IOException {
        run(0, "quantize", weights, "-o", bundle, "--weights", format, "--feature-bits", featureBits,
                "--calibrate", rows);
        run(0, "run", bundle, "--input", rows, "--output", outputs);
        final List<String> lines = Files.readAllLines(outputs);
        assertEquals("session,down,flat,up", lines.get(0));
        final List<double[]> expected = expected();
        assertEquals(expected.size(), lines.size() - 1);
        for (int row = 0; row < expected.size(); row++) {
            final String[] fields = lines.get(row + 1).split(",");
            for (int i = 0; i < 3; i++) {
                assertEquals(expected.get(row)[i], Float.parseFloat(fields[i + 1]), tolerance, "row=" + row);
            }
        }
    }

    @Test
    void shouldStateTheQualityOfEveryFormWhenEvaluated() {
        run(0, "quantize", weights, "-o", bundle, "--calibrate", rows, "--evaluate", rows);
        final Map<String, Object> accuracy = Bundle.open(bundle).manifest().accuracy();
        assertEquals(List.of("source", "split", "rows", "majority", "fp32", "int8", "int4"),
                List.copyOf(accuracy.keySet()));
        assertEquals("test", accuracy.get("split"));
        assertEquals(36L, accuracy.get("rows"));
        final Map<?, ?> fp32 = (Map<?, ?>) accuracy.get("fp32");
        final Map<?, ?> int8 = (Map<?, ?>) accuracy.get("int8");
        assertEquals((Double) fp32.get("logLoss"), (Double) int8.get("logLoss"), 0.01);
        assertTrue(out.toString().contains("majority"), out.toString());
    }

    @Test
    void shouldWriteTheSameBytesWhenQuantisedTwice() throws IOException {
        final Path again = directory.resolve("again.safetensors");
        run(0, "quantize", weights, "-o", bundle, "--weights", "int4", "--calibrate", rows, "--evaluate", rows);
        run(0, "quantize", weights, "-o", again, "--weights", "int4", "--calibrate", rows, "--evaluate", rows);
        assertArrayEquals(Files.readAllBytes(bundle), Files.readAllBytes(again));
    }

    @Test
    void shouldLetOptionsWinWhenBothSpeak() {
        run(0, "quantize", weights, "-o", bundle, "--labels", "a,b,c", "--task", "regression", "--features",
                "v,w,x,y,z", "--mean", "0,0,0,0,1", "--deviation", "2,2,2,2,2", "--provenance", "torch=none",
                "--provenance", "more=text");
        final Bundle opened = Bundle.open(bundle);
        assertEquals(List.of("a", "b", "c"), opened.manifest().labels());
        assertEquals(List.of("v", "w", "x", "y", "z"), opened.manifest().featureNames());
        assertEquals("none", opened.manifest().provenance().get("torch"));
        assertEquals("text", opened.manifest().provenance().get("more"));
        assertArrayEquals(new float[] {0, 0, 0, 0, 1}, opened.floats("features.mean", 5));
        assertEquals(0.5f, opened.floats("features.inverse_deviation", 5)[0]);
    }

    @Test
    void shouldTreatAllRowsAsOneSessionWhenThereIsNoSessionColumn() throws IOException {
        Files.writeString(rows, "f_4,f_3,f_2,f_1,f_0\n1,2,3,4,5\n1,2,3,4,5\n");
        run(0, "quantize", weights, "-o", bundle);
        run(0, "run", bundle, "-i", rows, "-o", outputs, "--backend", "reference");
        final List<String> lines = Files.readAllLines(outputs);
        assertEquals("down,flat,up", lines.get(0));
        assertTrue(!lines.get(1).equals(lines.get(2)), "the second step has a state that the first did not");
    }

    @Test
    void shouldShowTheBundleWhenInspected() throws IOException {
        run(0, "quantize", weights, "-o", bundle, "--weights", "int4");
        out.getBuffer().setLength(0);
        run(0, "inspect", bundle);
        assertTrue(out.toString().contains(Bundle.open(bundle).versionHex()), out.toString());
        assertTrue(out.toString().contains("layers.1.recurrent.multiplier"), out.toString());
        out.getBuffer().setLength(0);
        run(0, "inspect", "--json", bundle);
        final JsonNode json = new ObjectMapper().readTree(out.toString());
        assertEquals("lstm", json.at("/manifest/family").textValue());
        assertEquals("int4", json.at("/manifest/quantisation/weights").textValue());
        assertEquals("features.mean", json.at("/tensors/0/name").textValue());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "task: guess                          | line=1: task=guess is not classification or regression",
        "labels: [a, b, c]\\nlabel: x         | line=2: key=label is not known",
        "features:\\n  names: [a]\\n  means: [1] | line=3: key=features.means is not known",
        "features:\\n  bits: 9                | features.bits=9 is not 8 or 16",
        "features:\\n  mean: [1, x]           | line=2: features.mean=x is not a number",
        "features:\\n  mean: 1                | line=2: features.mean is not a list",
        "labels: [a, b]                       | labels count=2, the network has 3",
        "features:\\n  deviation: [1,1,0,1,1] | feature=f_2 mean=0.0 deviation=0.0",
        "features:\\n  names: [a,a,b,c,d]     | key=features name=a is blank or there twice",
        "task: classification\\ntask: regression | line=2: key=task is there twice",
        "labels: [a                           | line=",
        "- a                                  | line=1: (root) is not a map",
        "provenance: {a: [b]}                 | line=1: provenance.a is not a single value"})
    void shouldNameTheLineAndKeyWhenTheYamlIsWrong(final String text, final String expected) throws IOException {
        Files.writeString(yaml, text.replace("\\n", "\n") + "\n");
        assertRefused(expected, "quantize", weights, "-o", bundle);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "f_0,f_1,f_2,f_3\\n1,2,3,4                  | line=1: column=f_4 is missing",
        "f_0,f_1,f_2,f_3,f_4,f_5\\n1,2,3,4,5,6      | line=1: column=f_5 is no feature",
        "f_0,f_1,f_2,f_3,f_4,f_4\\n1,2,3,4,5,6      | line=1: column=f_4 is no feature of the model, or there twice",
        "f_0,f_1,f_2,f_3,f_4\\n1,2,3,4              | line=2: fields=4, the header has 5",
        "f_0,f_1,f_2,f_3,f_4\\n1,2,3,4,5\\n1,2,x,4,5 | line=3: f_2=x is not a number",
        "f_0,f_1,f_2,f_3,f_4\\n1,2,NaN,4,5          | line=2: f_2=NaN is not a finite",
        "f_0,f_1,f_2,f_3,f_4\\n1,2,1e39,4,5         | line=2: f_2=1e39 is not a finite",
        "label,f_0,f_1,f_2,f_3,f_4\\n3,1,2,3,4,5    | line=2: label=3 is not in 0..2",
        "session,f_0,f_1,f_2,f_3,f_4\\nx,1,2,3,4,5  | line=2: session=x is not an integer"})
    void shouldNameTheLineAndColumnWhenRowsAreWrong(final String text, final String expected) throws IOException {
        run(0, "quantize", weights, "-o", bundle);
        Files.writeString(rows, text.replace("\\n", "\n") + "\n");
        assertRefused(expected, "run", bundle, "-i", rows, "-o", outputs);
    }

    @Test
    void shouldRefuseEvaluationWhenNothingIsLabelled() throws IOException {
        Files.writeString(rows, "f_0,f_1,f_2,f_3,f_4\n1,2,3,4,5\n");
        assertRefused("column=label is missing", "quantize", weights, "-o", bundle, "--evaluate", rows);
        Files.writeString(rows, "label,f_0,f_1,f_2,f_3,f_4\n,1,2,3,4,5\n");
        assertRefused("no labelled rows", "quantize", weights, "-o", bundle, "--evaluate", rows);
        Files.writeString(rows, "label,split,f_0,f_1,f_2,f_3,f_4\n1,test,1,2,3,4,5\n");
        assertRefused("no rows to calibrate with", "quantize", weights, "-o", bundle, "--calibrate", rows);
        assertRefused("task=regression", "quantize", weights, "-o", bundle, "--evaluate", rows, "--task",
                "regression");
    }

    @Test
    void shouldNameTheTensorWhenTheNetworkIsAnother() throws IOException {
        rewrite("head.bias", false);
        assertRefused("tensor=head.bias is missing", "quantize", weights, "-o", bundle);
        copyAgain();
        rewrite("lstm.weight_hr_l0", true);
        assertRefused("tensor=lstm.weight_hr_l0 is not part of", "quantize", weights, "-o", bundle);
        copyAgain();
        rewrite("lstm.weight_ih_l0", false);
        assertRefused("layers=0", "quantize", weights, "-o", bundle);
        Files.writeString(weights, "not a network");
        assertRefused("header length=", "quantize", weights, "-o", bundle);
    }

    @ParameterizedTest
    @ValueSource(strings = {"quantize", "inspect", "run"})
    void shouldExplainItselfWhenAskedForHelp(final String command) {
        run(0, command, "--help");
        assertTrue(out.toString().contains("Usage: "), out.toString());
    }

    @Test
    void shouldFailInOneLineWhenFilesOrOptionsAreWrong() {
        assertRefused("absent: no such file", "quantize", "absent", "-o", bundle);
        assertRefused("--weights=int3 is not known", "quantize", weights, "-o", bundle, "--weights", "int3");
        assertRefused("absent: cannot be read", "inspect", "absent");
        assertRefused("key=tiercel.crc32c is missing", "inspect", weights);
        run(0, "quantize", weights, "-o", bundle);
        assertRefused("is the input", "run", bundle, "-i", rows, "-o", rows);
        assertRefused("absent: no such file", "run", bundle, "-i", "absent", "-o", outputs);
        err.getBuffer().setLength(0);
        run(3, "run", bundle, "-i", rows, "-o", outputs, "--backend", "abacus");
        assertTrue(err.toString().contains("backend=abacus"), err.toString());
        run(3, "run", bundle, "-i", rows, "-o", directory.resolve("no/such/folder.csv"));
    }

    private void assertRefused(final String expected, final Object... arguments) {
        err.getBuffer().setLength(0);
        run(2, arguments);
        assertTrue(err.toString().contains(expected), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
    }

    private void run(final int exitCode, final Object... arguments) {
        final String[] texts = new String[arguments.length];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = arguments[i].toString();
        }
        final CommandLine commandLine = ModelCommand.commandLine();
        commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        assertEquals(exitCode, commandLine.execute(texts), err.toString());
    }

    private List<double[]> expected() throws IOException {
        return Files.readAllLines(directory.resolve(FIXTURE.get(3))).stream().skip(1)
                .map(line -> Arrays.stream(line.split(",")).skip(1).mapToDouble(Double::parseDouble)
                        .toArray())
                .toList();
    }

    private void copyAgain() throws IOException {
        try (var resource = ModelCommandTest.class.getResourceAsStream(FIXTURE.get(0))) {
            Files.write(weights, resource.readAllBytes());
        }
    }

    /** The network without a tensor, or with one more. */
    private void rewrite(final String name, final boolean add) throws IOException {
        final SafetensorsReader reader = SafetensorsReader.open(weights);
        final SafetensorsWriter writer = new SafetensorsWriter();
        for (final TensorInfo tensor : reader.tensors()) {
            if (!tensor.name().equals(name)) {
                writer.bytes(tensor.name(), tensor.dtype(), reader.bytes(tensor.name()),
                        tensor.shape().stream().mapToInt(Integer::intValue).toArray());
            }
        }
        if (add) {
            writer.floats(name, new float[1], 1);
        }
        Files.write(weights, writer.toBytes());
    }
}
