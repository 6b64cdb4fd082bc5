package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The first command that a newcomer types, on the tape's beginning. Its threads spin, so it is kept short. */
@Timeout(120)
class DemoSystemTest {

    private static final int EVENT_COUNT = 2000;
    private static final List<String> PERCENTILES = List.of("p50", "p90", "p99", "p999", "p9999", "max");

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @Test
    void shouldAnswerReplayAndReportWhenTheTapeIsPlayed() throws IOException {
        final Path json = bench.directory().resolve("demo.json");
        final Path journal = bench.directory().resolve("journal");
        final TiercelProcess demo = bench.run("demo", "--events", Integer.toString(EVENT_COUNT),
                "--journal", journal.toString(), "--json", json.toString(), "--replay-backend", "reference");
        assertEquals(0, demo.awaitExit(), demo::toString);
        assertEquals(List.of(), demo.err(), demo::toString);
        assertEquals(
                "replay: " + EVENT_COUNT + " of " + EVENT_COUNT
                        + " outcomes bit-identical, computed by backend reference",
                demo.awaitLine("replay: "));

        final JsonNode report = new ObjectMapper().readTree(json.toFile());
        for (final String count : List.of("answered", "replayed", "identical")) {
            assertEquals(EVENT_COUNT, report.path(count).asLong(-1), count);
        }
        for (final String key : List.of("accuracy", "majority", "bundle", "backend", "layout", "journal", "commit")) {
            assertTrue(report.has(key), key);
        }
        assertEquals(journal.toString(), report.get("journal").asText());
        assertEquals(64, report.get("bundle").asText().length(), "the bundle is named by its SHA-256");
        assertLatencies("roundTripUs", report.path("roundTripUs"));
        assertLatencies("echoUs", report.path("echoUs"));
        assertFalse(report.path("stagesUs").isEmpty());
        report.get("stagesUs").properties().forEach(stage -> assertLatencies(stage.getKey(), stage.getValue()));

        try (var entries = Files.list(bench.home())) {
            assertEquals(List.of(), entries.toList(), "the demo leaves nothing in the working directory");
        }
    }

    private static void assertLatencies(final String name, final JsonNode latencies) {
        double last = 0;
        for (final String percentile : PERCENTILES) {
            assertTrue(latencies.path(percentile).isNumber(), name + "." + percentile);
            assertTrue(latencies.get(percentile).asDouble() >= last, name + " is in order\n" + latencies);
            last = latencies.get(percentile).asDouble();
        }
    }
}
