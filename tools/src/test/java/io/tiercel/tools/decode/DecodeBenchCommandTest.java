package io.tiercel.tools.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.transformer.RandomNetwork;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The benchmark in small, so that it keeps running. No figure is judged here. */
@Timeout(120)
class DecodeBenchCommandTest {

    @TempDir
    private Path directory;

    private final StringWriter err = new StringWriter();
    private String out;

    @Test
    void shouldPrintAndWriteARowForEachContender() throws IOException {
        final Path json = directory.resolve("made/here/decode.json");
        final String model = DecodeTestData.model().toString();
        assertEquals(ExitCode.OK, run("--model", model, "--tokens", "20", "--runs", "2", "--warm-up-runs", "1",
                "--json", json.toString()), err.toString());
        assertEquals("", err.toString());

        final JsonNode result = new ObjectMapper().readTree(json.toFile());
        for (final String key : List.of("commit", "machine", "jvm", "javaLlamaCppVersion")) {
            assertTrue(out.contains(result.get(key).asText()), key + ": " + out);
        }
        final List<String> ran = new ArrayList<>();
        final List<String> notRun = new ArrayList<>();
        for (final JsonNode row : result.get("rows")) {
            (row.get("notRun").isNull() ? ran : notRun).add(row.get("contender").asText());
            assertTrue(out.contains("\n" + row.get("contender").asText() + " "), out);
            assertEquals(row.get("notRun").isNull() ? 2 : 0, row.get("runs").size());
        }
        final List<String> ours = isCpuThere()
                ? List.of("tiercel cpu, int8, 8/8 cache", "tiercel cpu, int4, 4/4 cache",
                        "tiercel cpu, int16, 16/16 cache", "tiercel reference, int8, 8/8 cache")
                : List.of("tiercel reference, int8, 8/8 cache");
        assertEquals(ours, ran.subList(0, ours.size()));
        assertEquals(List.of("llama.cpp, f32 cache", "llama.cpp, f16 cache", "llama.cpp, f32 cache, whole text",
                "llama.cpp, f16 cache, whole text"), ran.subList(ours.size(), ran.size()));
        checkFp32Grade(result.get("rows"));
        assertEquals(List.of("llama.cpp, q8_0 cache, flash attention", "llama.cpp, q4_0 cache, flash attention"),
                notRun);
        assertTrue(DecodeTestData.greedyText().startsWith(result.get("rows").get(0).get("text").asText()));
        assertTrue(Files.readString(directory.resolve("made/here/decode.hlog")).contains("Tag=llama.cpp:f32:cache,"));
    }

    /** A file that llama.cpp cannot read, and steps of a tiny network. */
    @Test
    void shouldMeasureABundleAndSingleStepsWithoutAPeer() throws IOException {
        final Path bundle = directory.resolve("random.safetensors");
        Files.write(bundle, new BenchBundles(
                RandomNetwork.of(DecodeShape.parse("1x16/2x8/24/40/32/8").network(), 1), 32, 8)
                .bytes(WeightFormat.INT8, "c2/4"));
        final Path json = directory.resolve("decode.json");
        assertEquals(ExitCode.OK, run("--model", bundle.toString(), "--tokens", "40", "--runs", "1", "--warm-up-runs",
                "0", "--shape", "2x16/2x8/24/40/32/8", "--steps", "20", "--json", json.toString()), err.toString());

        final JsonNode result = new ObjectMapper().readTree(json.toFile());
        for (final JsonNode row : result.get("rows")) {
            assertTrue(row.get("isTextEqual").asBoolean(), row + ": the backends compute the same bits");
            assertEquals(40, row.get("text").asText().split(" ").length, "numbers, without a tokenizer");
            assertEquals(39, row.get("answerUs").get("count").asInt());
        }
        assertEquals("2x16/2x8/24/40/32/8", result.get("shape").asText());
        assertEquals(2, result.get("shapeRows").size());
        for (final JsonNode row : result.get("shapeRows")) {
            assertEquals(20, row.get("stepUs").get("count").asInt());
            assertEquals(20, row.get("tokenUs").get("count").asInt());
            assertEquals(isCpuThere(), row.get("floorUs").isNumber());
            assertTrue(out.contains("\n" + row.get("contender").asText() + " "), out);
        }
        assertTrue(Files.readString(directory.resolve("decode.hlog")).contains(":step,"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "|--model",
        "--shape 4x128|--shape=4x128",
        "--shape 1x16/2x8/24/40/32/32|window=32",
        "--shape 1x16/2x7/24/40/32/8|headSize=7",
        "--shape 64x1024/16x64/4096/512/256/64|parameters=",
        "--shape --steps 9|--steps=9",
        "--model /nowhere/none.gguf|--model=/nowhere/none.gguf",
        "--model /proc|--model=/proc",
        "--model /proc/version --tokens 1|--tokens=1",
        "--model /proc/version --tokens 511|--tokens=511",
        "--model /proc/version --runs 0|--runs=0",
        "--model /proc/version --runs 10001|--runs=10001",
        "--model /proc/version --warm-up-runs -1|--warm-up-runs=-1",
        "--model /proc/version --prompt-tokens 1,-1|token=-1",
        "--model /proc/version --prompt-tokens x|'x'",
        "--model /proc/version --json /proc/version/none|--json=/proc/version/none",
        "--model /proc/version --hlog /proc/version/none|--hlog=/proc/version/none",
        "--model /proc/version --nonsense|--nonsense",
    })
    void shouldSayInOneLineWhatIsWrongAndExitWithTwo(final String arguments, final String expected) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run(arguments == null ? new String[0] : arguments.split(" ")),
                err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains(expected), err.toString());
        assertEquals("", out, "nothing is printed or measured before the arguments are known to be good");
    }

    @Test
    void shouldSayInOneLineThatAFileIsNoModel() {
        assertEquals(ExitCode.BAD_ARGUMENTS, run("--model", "/proc/version"));
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains("/proc/version: neither a GGUF file, "), err.toString());
    }

    /** Nothing is lost that would be seen in a short text: the rounding alone is another. */
    private static void checkFp32Grade(final JsonNode rows) {
        for (final JsonNode row : rows) {
            if (row.get("contender").asText().equals("tiercel cpu, int16, 16/16 cache")) {
                assertTrue(row.get("isTextEqual").asBoolean(), row.toString());
            }
        }
    }

    private static boolean isCpuThere() {
        return new CpuBackend().probe().available();
    }

    /** Results go to {@code System.out}, which no other test of this process writes to at the same time. */
    private int run(final String... arguments) {
        final CapturedCommand run = CapturedCommand.run(List.of("bench", "decode"), arguments);
        out = run.out();
        err.append(run.err());
        return run.exitCode();
    }
}
