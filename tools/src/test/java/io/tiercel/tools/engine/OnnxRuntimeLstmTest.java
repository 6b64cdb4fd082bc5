package io.tiercel.tools.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.nativecuda.onnxruntime.OnnxRuntimeProbe;
import io.tiercel.tools.ChildJvm;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.model.PlainLstm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
class OnnxRuntimeLstmTest {

    private static final int STEP_COUNT = 50;
    private static final double FP32_TOLERANCE = 1e-5;

    /**
     * Seen on a CPU with VNNI: 0.0005 to 0.0025 of outputs around 0.3. Gates in a wrong order or a matrix read wrongly
     * gave 0.04 and more. A CPU without VNNI adds such products up in 16 bits that saturate, and may be farther away.
     */
    private static final double INT8_TOLERANCE = 0.02;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({"1,8,8,3", "1,8,3,1", "2,16,5,3", "3,33,40,7"})
    void shouldEqualThePlainLstmWhenFp32(
            final int layers, final int hidden, final int features, final int outputs) {
        final double distance = distance(Precision.FP32, layers, hidden, features, outputs);
        assertTrue(distance < FP32_TOLERANCE, "distance=" + distance);
    }

    @ParameterizedTest
    @CsvSource({"1,8,8,3", "1,8,3,1", "2,16,5,3", "3,33,40,7"})
    void shouldStayNearThePlainLstmWhenInt8(
            final int layers, final int hidden, final int features, final int outputs) {
        final double distance = distance(Precision.INT8, layers, hidden, features, outputs);
        assertTrue(distance < INT8_TOLERANCE, "distance=" + distance);
        assertTrue(distance > FP32_TOLERANCE, "not quantised: distance=" + distance);
    }

    @ParameterizedTest
    @EnumSource
    void shouldFeedItsStateBackWhenStepped(final Precision precision) {
        final LstmWeights weights = LstmWeights.random(2, 16, 5, 3, 7);
        final float[] features = {1, -1, 0.5f, 2, 0};
        try (OnnxRuntimeLstm lstm = OnnxRuntimeLstm.open(weights, precision, directory)) {
            final List<Float> first = outputsOfThreeSteps(lstm, features);
            assertNotEquals(first.get(0), first.get(1));
            assertNotEquals(first.get(1), first.get(2));
            lstm.reset();
            assertEquals(first, outputsOfThreeSteps(lstm, features), "after a reset");
        }
    }

    @Test
    void shouldLeaveNoFileWhenOpen() throws IOException {
        final LstmWeights weights = LstmWeights.random(1, 8, 3, 1, 7);
        try (OnnxRuntimeLstm lstm = OnnxRuntimeLstm.open(weights, Precision.FP32, directory);
                Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(), files.toList());
            assertEquals(1, lstm.outputCount());
        }
    }

    @Test
    void shouldRefuseStepsWhenClosed() {
        final LstmWeights weights = LstmWeights.random(1, 8, 3, 1, 7);
        final OnnxRuntimeLstm lstm = OnnxRuntimeLstm.open(weights, Precision.INT8, directory);
        lstm.step(new float[3]);
        lstm.close();
        lstm.close();
        assertThrows(IllegalStateException.class, () -> lstm.step(new float[3]));
    }

    @Test
    void shouldRefuseFeaturesWhenTheirNumberDoesNotFit() {
        final LstmWeights weights = LstmWeights.random(1, 8, 3, 1, 7);
        try (OnnxRuntimeLstm lstm = OnnxRuntimeLstm.open(weights, Precision.FP32, directory)) {
            assertThrows(IllegalArgumentException.class, () -> lstm.step(new float[2]));
            assertThrows(IllegalArgumentException.class, () -> lstm.step(new float[4]));
        }
    }

    @Test
    void shouldNameTheDirectoryWhenTheModelCannotBeWritten() {
        final LstmWeights weights = LstmWeights.random(1, 8, 3, 1, 7);
        final Path nowhere = directory.resolve("nowhere");
        final ToolException error = assertThrows(
                ToolException.class, () -> OnnxRuntimeLstm.open(weights, Precision.FP32, nowhere));
        assertEquals(ExitCode.ENVIRONMENT, error.exitCode());
        assertTrue(error.getMessage().contains("directory=" + nowhere), error.getMessage());
    }

    @Test
    void shouldSayWhatIsMissingWhenTheLibraryDoesNotLoad() throws Exception {
        final String output = openElsewhere("1", "-Donnxruntime.native.onnxruntime.path=/nowhere/libonnxruntime.so");
        assertTrue(output.startsWith("3 ONNX Runtime's native library does not load on os="), output);
        assertTrue(output.contains("/nowhere/libonnxruntime.so"), output);
    }

    @Test
    void shouldLoadNothingWhenUsageDataIsNotSwitchedOff() throws Exception {
        // The library is not there either: were it asked for, the message would be the other one.
        final String output = openElsewhere("0", "-Donnxruntime.native.onnxruntime.path=/nowhere/libonnxruntime.so");
        assertTrue(output.startsWith("3 ORT_DISABLE_TELEMETRY=0: "), output);
    }

    private String openElsewhere(final String optOut, final String property) throws Exception {
        final Path output = directory.resolve("output");
        final List<String> command = new ArrayList<>(ChildJvm.command(Opening.class, List.of()));
        command.add(1, property);
        final ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put(OnnxRuntimeProbe.OPT_OUT, optOut);
        final Process process = builder.start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the child hangs");
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(output);
    }

    /** A JVM of its own, since a class is initialised once. */
    static final class Opening {

        private Opening() {
        }

        public static void main(final String[] arguments) {
            try (OnnxRuntimeLstm lstm = OnnxRuntimeLstm.open(LstmWeights.random(1, 8, 3, 1, 7), Precision.FP32)) {
                System.out.println("opened, version=" + lstm.version());
            } catch (final ToolException ex) {
                System.out.println(ex.exitCode() + " " + ex.getMessage());
            }
        }
    }

    /** The largest difference of any output at any step of a walk of features. */
    private double distance(
            final Precision precision, final int layers, final int hidden, final int features, final int outputs) {
        final LstmWeights weights = LstmWeights.random(layers, hidden, features, outputs, 11);
        final PlainLstm plain = new PlainLstm(weights);
        final SplittableRandom random = new SplittableRandom(12);
        final float[] values = new float[features];
        double distance = 0;
        try (OnnxRuntimeLstm lstm = OnnxRuntimeLstm.open(weights, precision, directory)) {
            for (int step = 0; step < STEP_COUNT; step++) {
                for (int i = 0; i < features; i++) {
                    values[i] = (float) random.nextDouble(-2, 2);
                }
                final double[] expected = plain.step(values);
                lstm.step(values);
                for (int i = 0; i < outputs; i++) {
                    distance = Math.max(distance, Math.abs(expected[i] - lstm.output(i)));
                }
            }
        }
        return distance;
    }

    private static List<Float> outputsOfThreeSteps(final OnnxRuntimeLstm lstm, final float[] features) {
        final List<Float> outputs = new ArrayList<>();
        for (int step = 0; step < 3; step++) {
            lstm.step(features);
            outputs.add(lstm.output(0));
        }
        return outputs;
    }
}
