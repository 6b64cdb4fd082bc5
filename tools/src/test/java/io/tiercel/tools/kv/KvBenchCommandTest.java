package io.tiercel.tools.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.llama.CanonicalFile;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.RandomLlama;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The benchmark in small, so that it keeps running. No figure is judged here. */
@Timeout(120)
class KvBenchCommandTest {

    @TempDir
    private Path directory;

    private final StringWriter err = new StringWriter();
    private Path model;
    private String out;

    @BeforeEach
    void writeModel() throws IOException {
        final LlamaShape shape = new LlamaShape(16, 2, 2, 1, 8, 20, 12, 40, 0, 0, 10_000, 1e-5f, true);
        model = directory.resolve("random.safetensors");
        CanonicalFile.write(new LlamaModel(RandomLlama.weights(shape, 3), null, "random"), model);
    }

    @Test
    void shouldPrintAndWriteARowForEachCodecAndWindow() throws IOException {
        final Path json = directory.resolve("kv.json");
        assertEquals(ExitCode.OK, run("--model", model.toString(), "--kv", "8/8,4/2,c1/1", "--windows", "0,8",
                "--rotated", "--steps", "30", "--sessions", "5", "--json", json.toString()), err.toString());
        final JsonNode result = new ObjectMapper().readTree(json.toFile());
        assertTrue(out.contains(result.get("commit").asText()), out);
        final JsonNode rows = result.get("models").get(0).get("rows");
        // All in 16 bits; three codecs for each of two windows; the two uniform ones rotated.
        assertEquals(1 + 2 * 3 + 2, rows.size(), rows.toString());
        for (final JsonNode row : rows) {
            assertTrue(row.get("notRun").isNull(), row.toString());
            assertEquals(5, row.get("coldSessions").asInt());
            assertTrue(row.get("stateBytes").asInt() > 0);
            assertTrue(row.get("perplexity").asDouble() > 1);
            assertTrue(out.contains(row.get("keysValues").asText()), out);
        }
        assertTrue(Math.abs(rows.get(0).get("perplexityChange").asDouble()) < 1e-3, rows.get(0).toString());
    }

    /** Two sessions, of both of which the last part is judged; a window that leaves nothing to code is left out. */
    @Test
    void shouldMeasureOnTokensOfAFile() throws IOException {
        final StringBuilder csv = new StringBuilder("session,token\n");
        for (int i = 0; i < 200; i++) {
            csv.append(i % 2).append(',').append(i % 7).append('\n');
        }
        final Path tokens = Files.writeString(directory.resolve("tokens.csv"), csv);
        assertEquals(ExitCode.OK, run("--model", model.toString(), "--tokens", tokens.toString(), "--kv", "4/4",
                "--windows", "8,16", "--context", "16", "--steps", "5", "--sessions", "2"), err.toString());
        assertTrue(out.contains("calibration-tokens=140 predictions=58; fp32: "), out);
        assertTrue(out.contains("\n8       4/4 "), out);
        assertTrue(out.contains("window=16 left out: it holds the context of 16"), out);
    }

    /** Of two sessions the second one's end, and of text others. */
    @Test
    void shouldLeaveHeldOutTokensAloneWhenItValidates() throws IOException {
        final StringBuilder csv = new StringBuilder("session,token,split\n");
        for (int i = 0; i < 200; i++) {
            csv.append(i < 100 ? "a," : "b,").append(i % 7).append(",train\n").append("c,1,test\n");
        }
        final Path tokens = Files.writeString(directory.resolve("tokens.csv"), csv);
        assertEquals(ExitCode.OK, run("--model", model.toString(), "--tokens", tokens.toString(), "--kv", "4/4",
                "--windows", "8", "--context", "16", "--steps", "5", "--sessions", "2", "--validation"),
                err.toString());
        assertTrue(out.contains("calibration-tokens=170 predictions=29; fp32: "), out);
        assertEquals(ExitCode.OK, run("--model", model.toString(), "--kv", "4/4", "--windows", "8", "--steps", "5",
                "--sessions", "2", "--validation"), err.toString());
        assertTrue(out.contains("validation: text that the network draws itself"), out);
    }

    @ParameterizedTest
    @CsvSource({"--kv,3/3,kv=3/3", "--windows,-1,--windows=-1", "--sessions,0,--sessions=0",
        "--lobster,none,--lobster"})
    void shouldRefuseInOneLineWhenAnArgumentIsBad(final String option, final String value, final String named) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run("--model", model.toString(), option, value));
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains(named), err.toString());
        assertFalse(err.toString().contains("Exception"), err.toString());
    }

    private int run(final String... arguments) {
        final CapturedCommand run = CapturedCommand.run(List.of("bench", "kv"), arguments);
        out = run.out();
        err.append(run.err());
        return run.exitCode();
    }
}
