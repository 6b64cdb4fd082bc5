package io.tiercel.tools.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.CommittedModels;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The benchmark in small, so that it keeps running. No time is judged here. */
@Timeout(120)
class ForkBenchCommandTest {

    @TempDir
    private Path directory;

    private final StringWriter err = new StringWriter();
    private String out;

    /** The default model's context is two pages and a window; it slides, so that one page is being written. */
    @Test
    void shouldShareWhatTheOthersHaveEachForItself() throws IOException {
        final Path json = directory.resolve("fork.json");
        assertEquals(ExitCode.OK, run("--sessions", "4", "--json", json.toString()), err.toString());
        final JsonNode result = new ObjectMapper().readTree(json.toFile());
        assertTrue(out.contains(result.get("commit").asText()), out);
        final JsonNode rows = result.get("rows");
        assertEquals(Beginning.values().length, rows.size());
        for (final JsonNode row : rows) {
            assertTrue(out.contains(row.get("beginning").asText()), out);
        }
        final long own = rows.get(0).get("ownBytes").asLong();
        assertEquals(own, rows.get(1).get("ownBytes").asLong());
        final JsonNode shared = rows.get(2);
        assertTrue(shared.get("commonBytes").asLong() > 0, shared.toString());
        assertEquals(own, shared.get("ownBytes").asLong() + shared.get("commonBytes").asLong());
        assertEquals(0, rows.get(0).get("commonBytes").asLong());
        assertEquals(0, rows.get(1).get("commonBytes").asLong());
    }

    @ParameterizedTest
    @CsvSource({"--sessions,1", "--tokens,0", "--model,none"})
    void shouldRefuseInOneLineWhenAnArgumentIsBad(final String option, final String value) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run(option, value));
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains(option + "=" + value), err.toString());
        assertFalse(err.toString().contains("Exception"), err.toString());
    }

    @Test
    void shouldRefuseInOneLineWhenTheModelPredictsNoTokens() throws IOException {
        final Path lstm = CommittedModels.extract(CommittedModels.open("bitstamp-int8"), directory);
        assertNotEquals(ExitCode.OK, run("--model", lstm.toString()));
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains("family=lstm"), err.toString());
        assertFalse(err.toString().contains("Exception"), err.toString());
    }

    private int run(final String... arguments) {
        final CapturedCommand run = CapturedCommand.run(List.of("bench", "fork"), arguments);
        out = run.out();
        err.append(run.err());
        return run.exitCode();
    }
}
