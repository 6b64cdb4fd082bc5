package io.tiercel.tools.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.nativecuda.cuda.TestDriver;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The benchmark in small, over a driver for tests, whose figures say nothing. */
@Timeout(120)
class GpuBenchCommandTest {

    private static final String TRANSFORMER = "1x8/1x8/5/7/12/3";

    @TempDir
    private Path directory;

    @BeforeEach
    void needGpu() throws IOException, InterruptedException {
        TestDriver.needGpu("tiercel bench gpu");
    }

    @AfterAll
    static void removeGpu() {
        TestDriver.removeGpu();
    }

    @Test
    void shouldHaveARowForEachBackendAndSayWhatDoesNotFit() throws IOException {
        final Path json = directory.resolve("gpu.json");
        TestDriver.reset(2, 4 << 10, TestDriver.MEMORY_BYTES);
        final CapturedCommand command =
                run("--shapes", "1x4/1,1x8/4096", "--transformers", TRANSFORMER, "--arrivals", "100000", "--seconds",
                        "0.001", "--sanitizer", "/nowhere", "--json", json.toString());
        assertEquals(ExitCode.OK, command.exitCode(), command::err);
        assertTrue(command.out().contains("gpu: Emulated GPU"), command.out());
        assertTrue(command.out().contains("1x8/4096 int8, backend cuda: no row: "), command.out());
        final List<String> rows = new ArrayList<>();
        for (final JsonNode row : new ObjectMapper().readTree(json.toFile()).get("rows")) {
            rows.add(row.get("shape").asText() + ' ' + row.get("backend").asText() + ' ' + row.get("weights").asText());
            assertTrue(row.get("p50Us").asDouble() > 0, row::toString);
        }
        assertTrue(rows.containsAll(List.of("1x4/1 cuda int8", "1x4/1 cuda int4", TRANSFORMER + " cuda int8",
                TRANSFORMER + " cuda int4")), rows::toString);
        assertFalse(rows.contains("1x8/4096 cuda int8"), rows::toString);
        for (final JsonNode row : new ObjectMapper().readTree(json.toFile()).get("paced")) {
            assertEquals(100_000, row.get("stepsPerSecond").asInt());
            assertEquals(100, row.get("us").get("count").asInt());
        }
        final JsonNode result = new ObjectMapper().readTree(json.toFile());
        final List<String> ways = new ArrayList<>();
        for (final JsonNode way : result.get("ways")) {
            ways.add(way.get("shape").asText() + ' ' + way.get("way").asText());
            assertTrue(way.get("us").get("p99").asDouble() > 0, way::toString);
        }
        assertEquals(List.of("1x4/1 ping-pong", "1x4/1 resident, blocks=1 threads=32", "1x4/1 graphs",
                TRANSFORMER + " resident, blocks=1",
                TRANSFORMER + " graphs", TRANSFORMER + " resident, blocks=1", TRANSFORMER + " graphs"), ways);
        assertTrue(command.out().contains("1x8/4096 int8, resident: no row: "), command.out());
        assertEquals(7, result.get("published").size());
        assertTrue(command.out().contains("160K: mean 3.5, p99 4.3 (NVIDIA dl-lowlat-infer"), command.out());
        assertEquals("not run: no /nowhere here", result.get("sanitizers").get("racecheck").asText());
        assertTrue(TestDriver.isClean());
    }

    /** What a sanitizer says is its exit code. */
    @Test
    void shouldSayWhatTheSanitizerHasFound() throws IOException {
        final Path script = Files.writeString(directory.resolve("sanitizer"),
                "#!/bin/sh\necho \"tool $2 ran\"\n[ $2 = memcheck ]\n");
        assertTrue(script.toFile().setExecutable(true));
        final List<String> lines = new ArrayList<>();
        ComputeSanitizer.run(lines::add, script);
        assertEquals(List.of("compute-sanitizer memcheck: nothing found",
                "compute-sanitizer racecheck: exit code 1: tool racecheck ran"), lines);
    }

    @Test
    void shouldCompareAndMeasureNothingWhenThatIsAskedFor() {
        // Of more, teams of more blocks would be tried out too, which takes long by the emulation.
        TestDriver.reset(2, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
        TestDriver.allowClusters(1);
        final CapturedCommand command = run("--shapes", "1x8/1", "--transformers", TRANSFORMER, "--check-only");
        assertEquals(ExitCode.OK, command.exitCode(), command::err);
        assertTrue(command.out().contains("equal to the reference: [1x8/1], transformers [" + TRANSFORMER + "]"),
                command.out());
        assertFalse(command.out().contains("p50"), command.out());
    }

    @Test
    void shouldSayThatItIsNotRunWhenThereIsNoGpu() {
        TestDriver.removeGpu();
        final Path json = directory.resolve("gpu.json");
        final CapturedCommand command = run("--json", json.toString());
        assertEquals(ExitCode.ENVIRONMENT, command.exitCode());
        assertTrue(command.out().contains("not run: the driver has no GPU to offer"), command.out());
        assertFalse(Files.exists(json));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bitstamp-int8", "no-such", "1x2/3"})
    void shouldRefuseWhatIsNoTransformer(final String name) {
        final CapturedCommand command = run("--transformers", name);
        assertEquals(ExitCode.BAD_ARGUMENTS, command.exitCode());
        assertTrue(command.err().contains("--transformers=" + name + " is neither a shape"), command.err());
    }

    @Test
    void shouldRefuseArrivalsThatCannotBe() {
        final CapturedCommand command = run("--arrivals", "-1");
        assertEquals(ExitCode.BAD_ARGUMENTS, command.exitCode());
        assertTrue(command.err().contains("--arrivals=-1 is not in 0..1000000"), command.err());
    }

    private static CapturedCommand run(final String... arguments) {
        return CapturedCommand.run(List.of("bench", "gpu"), arguments);
    }
}
