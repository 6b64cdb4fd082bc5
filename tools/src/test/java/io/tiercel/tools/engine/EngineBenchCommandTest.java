package io.tiercel.tools.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.nativecuda.cpu.KernelSet;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opentest4j.TestAbortedException;

/** The benchmark in small, so that it keeps running. No figure is judged here. */
@Timeout(180)
class EngineBenchCommandTest {

    /** One of them cannot be shared by two threads. */
    private static final String SHAPES = "1x8,2x40/5";

    private static final Set<String> ROW_KEYS = Set.of(
            "shape", "weights", "backend", "threads", "p50Us", "p99Us", "p999Us", "maxUs", "floorUs", "ortFp32P50Us",
            "ortInt8P50Us", "kernels", "steps", "bytesPerStep", "streamShare", "multiplyAddsPerCycle");

    @TempDir
    private Path directory;

    private final BackendProbe cpu = new CpuBackend().probe();
    private final StringWriter err = new StringWriter();
    private String out;

    @Test
    void shouldPrintAndWriteARowForEachContender() throws IOException {
        final Path json = directory.resolve("made/here/engine.json");
        execute("--shapes", SHAPES, "--seconds", "0.02", "--threads", "2", "--silence", "3", "--silence-interval",
                "1ms", "--json", json.toString());

        final JsonNode result = new ObjectMapper().readTree(json.toFile());
        final List<String> expected = expectedRows();
        assertEquals(expected, rowsOf(result));
        assertEquals(expected, rowsOf(out));
        for (final JsonNode row : result.get("rows")) {
            checkRow(row);
        }
        checkHead(result);
        checkHistograms(directory.resolve("made/here/engine.hlog"), result);
        checkSilence(result.get("silence"));
        checkSummaries();
        sayWhatDidNotRun();
    }

    @Test
    void shouldLeaveOutWhatIsNotWantedAndMakeAsManyStepsAsAskedFor() throws IOException {
        final Path json = directory.resolve("engine.json");
        final Path hlog = directory.resolve("rows.log");
        execute("--shapes", "1x8,1x8", "--steps", "25", "--seconds", "0.01", "--threads", "1",
                "--weights",
                "int4", "--no-onnx", "--no-reference", "--json", json.toString(), "--hlog", hlog.toString());

        final JsonNode result = new ObjectMapper().readTree(json.toFile());
        assertEquals(cpu.available() ? List.of("1x8 int4 cpu 1") : List.of(), rowsOf(result));
        assertTrue(result.get("onnxRuntimeVersion").isNull());
        assertFalse(result.has("silence"));
        assertTrue(Files.exists(hlog));
        assertFalse(Files.exists(directory.resolve("engine.hlog")));
        for (final JsonNode row : result.get("rows")) {
            assertEquals(25, row.get("steps").asInt());
            assertTrue(row.get("ortFp32P50Us").isNull() && row.get("ortInt8P50Us").isNull(), row.toString());
        }
        sayWhatDidNotRun();
    }

    @Test
    void shouldRunTheKernelsThatAreAskedFor() throws IOException {
        if (!cpu.available()) {
            sayWhatDidNotRun();
            throw new TestAbortedException(cpu.detail());
        }
        final Path json = directory.resolve("engine.json");
        execute("--shapes", "1x8", "--seconds", "0.01", "--threads", "1", "--kernels", "portable", "--no-onnx",
                "--json",
                json.toString());
        final JsonNode result = new ObjectMapper().readTree(json.toFile());
        assertEquals(KernelSet.PORTABLE.title(), result.get("kernels").asText());
        assertEquals(KernelSet.PORTABLE.title(), result.get("rows").get(0).get("kernels").asText());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "avx2|AVX2",
        "avx512|AVX512_VNNI",
    })
    void shouldRefuseKernelsThatTheMachineCannotRun(final String name, final KernelSet set) {
        if (CpuBackend.with(set).probe().available()) {
            System.out.println("not run: the refusal of " + name + " kernels: this machine runs them");
            throw new TestAbortedException("this machine runs the kernels");
        }
        assertEquals(ExitCode.ENVIRONMENT, run("--shapes", "1x8", "--kernels", name));
        assertTrue(err.toString().contains("--kernels=" + name), err.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--shapes 2y3|--shapes=2y3",
        "--shapes 2x128,17x8|--shapes=17x8",
        "--shapes 0x8|--shapes=0x8",
        "--shapes 1x4097|--shapes=1x4097",
        "--shapes 1x8/4097|--shapes=1x8/4097",
        "--shapes 1x8/|--shapes=1x8/",
        "--shapes 16x4096|--shapes=16x4096",
        "--weights int2|--weights=int2",
        "--threads 0|--threads=0",
        "--threads 65|--threads=65",
        "--threads x|'x'",
        "--kernels sse|--kernels=sse",
        "--steps 9|--steps=9",
        "--steps 1000001|--steps=1000001",
        "--seconds 0|--seconds=0",
        "--seconds 601|--seconds=601",
        "--seconds NaN|--seconds=NaN",
        "--silence -1|--silence=-1",
        "--silence 3601|--silence=3601",
        "--silence-interval 0|--silence-interval=0",
        "--silence-interval 2m|--silence-interval=120000000000ns",
        "--silence-interval 1|'1'",
        "--json /proc/version/none|--json=/proc/version/none",
        "--hlog /proc/version/none|--hlog=/proc/version/none",
        "--nonsense|--nonsense",
    })
    void shouldSayInOneLineWhatIsWrongAndExitWithTwo(final String arguments, final String expected) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run(arguments.split(" ")), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains(expected), err.toString());
        assertEquals("", out, "nothing is printed or measured before the arguments are known to be good");
    }

    private void execute(final String... arguments) {
        assertEquals(ExitCode.OK, run(arguments), err.toString());
    }

    /** Results go to {@code System.out}, which no other test of this process writes to at the same time. */
    private int run(final String... arguments) {
        final CapturedCommand run = CapturedCommand.run(List.of("bench", "engine"), arguments);
        out = run.out();
        err.append(run.err());
        return run.exitCode();
    }

    private List<String> expectedRows() {
        final List<String> rows = new ArrayList<>();
        for (final String shape : SHAPES.split(",")) {
            for (final String weights : cpu.available() ? List.of("int8", "int4") : List.<String>of()) {
                rows.add(shape + " " + weights + " cpu 1");
                if (shape.equals("1x8")) {
                    assertTrue(out.contains("1x8 " + weights + ": no row of 2 threads"), out);
                } else {
                    rows.add(shape + " " + weights + " cpu 2");
                }
            }
            rows.add(shape + " int8 reference 1");
            rows.add(shape + " fp32 onnxruntime 1");
            rows.add(shape + " int8 onnxruntime 1");
        }
        return rows;
    }

    private static List<String> rowsOf(final JsonNode result) {
        final List<String> rows = new ArrayList<>();
        result.get("rows").forEach(row -> rows.add(row.get("shape").asText() + " " + row.get("weights").asText() + " "
                + row.get("backend").asText() + " " + row.get("threads").asInt()));
        return rows;
    }

    private static List<String> rowsOf(final String table) {
        return table.lines()
                .filter(line -> line.matches("\\d+x[\\d/]+( +\\S+){2} +\\d+( +\\d+\\.\\d\\d){4}.*"))
                .map(line -> line.split(" +"))
                .map(cells -> String.join(" ", cells[0], cells[1], cells[2], cells[3]))
                .toList();
    }

    private static void checkRow(final JsonNode row) {
        final Set<String> keys = new TreeSet<>();
        row.fieldNames().forEachRemaining(keys::add);
        assertEquals(new TreeSet<>(ROW_KEYS), keys);
        final boolean isCpu = row.get("backend").asText().equals("cpu");
        for (final String key : List.of("p50Us", "p99Us", "p999Us", "maxUs", "ortFp32P50Us", "ortInt8P50Us")) {
            assertTrue(row.get(key).asDouble() > 0, row.toString());
        }
        assertTrue(row.get("steps").asInt() >= EnginePlan.MIN_STEPS, row.toString());
        assertEquals(isCpu, row.get("kernels").isTextual(), row.toString());
        assertEquals(isCpu, row.get("bytesPerStep").isNumber(), row.toString());
        assertEquals(isCpu && row.get("threads").asInt() == 1, row.get("floorUs").isNumber(), row.toString());
        assertEquals(row.get("floorUs").isNumber(), row.get("streamShare").isNumber(), row.toString());
    }

    private void checkHead(final JsonNode result) {
        for (final String key : List.of("commit", "machine", "jvm", "onnxRuntimeVersion")) {
            assertTrue(result.get(key).isTextual(), key);
            assertTrue(out.contains(result.get(key).asText()), key + ": " + out);
        }
        assertTrue(result.get("nanoTimeUs").asDouble() >= 0);
        assertTrue(result.has("ghz"));
        assertEquals(2, result.get("ghzByShape").size());
        assertEquals(cpu.available(), result.get("kernels").isTextual());
        assertEquals(!cpu.available(), out.contains("no cpu rows: " + cpu.detail()), out);
    }

    private static void checkHistograms(final Path file, final JsonNode result) throws FileNotFoundException {
        final Map<String, Long> counts = new HashMap<>();
        try (HistogramLogReader reader = new HistogramLogReader(file.toFile())) {
            for (EncodableHistogram next = reader.nextIntervalHistogram(); next != null; next =
                    reader.nextIntervalHistogram()) {
                assertNull(counts.put(next.getTag(), ((Histogram) next).getTotalCount()), next.getTag());
            }
        }
        for (final JsonNode row : result.get("rows")) {
            final String tag = String.join(":", row.get("shape").asText(), row.get("weights").asText(),
                    row.get("backend").asText(), row.get("threads").asText());
            assertEquals(row.get("steps").asLong(), counts.remove(tag), tag);
        }
        assertEquals(3, counts.size(), "of the silence: " + counts);
    }

    private void checkSilence(final JsonNode silence) {
        assertEquals("1x8", silence.get("shape").asText());
        assertEquals(cpu.available() ? "cpu" : "reference", silence.get("backend").asText());
        assertEquals(3, silence.get("silentUs").get("count").asInt());
        assertEquals(3, silence.get("rehearsedUs").get("count").asInt());
        for (final String line : List.of("\nback to back ", "\nafter silence ", "\nafter silence, rehearsed ")) {
            assertTrue(out.contains(line), out);
        }
    }

    private void checkSummaries() {
        final String[] lines = out.split("\n");
        for (int i = 0; i < 2; i++) {
            final String line = lines[lines.length - 2 + i];
            assertTrue(line.startsWith(SHAPES.split(",")[i] + ": "), line);
            assertEquals(cpu.available(), line.contains("; ONNX Runtime:"), line);
        }
    }

    private void sayWhatDidNotRun() {
        if (!cpu.available()) {
            System.out.println("not run: cpu rows of bench engine: " + cpu.detail());
        }
    }
}
