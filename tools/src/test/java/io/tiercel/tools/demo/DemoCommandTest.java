package io.tiercel.tools.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.tools.ChildJvm;
import io.tiercel.tools.market.TradeFeatures;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole demo in processes of its own, small, with a random model. */
@Timeout(300)
class DemoCommandTest {

    private static final int EVENTS = 600;
    private static final long TIMEOUT_SECONDS = 240;

    @TempDir
    private Path folder;

    @Test
    void shouldAnswerAndReplayEveryEventAndEndItsChildren() throws Exception {
        final Path model = RandomModels.lstm(3).features(new TradeFeatures().names().size()).write(folder);
        final Path labels = folder.resolve("labels.csv");
        final JsonNode json = play(model.toString(), "--labels", labels.toString());
        assertTrue(json.get("majority").isNumber());
        final List<String> lines = Files.readAllLines(labels);
        assertEquals("sequence,label", lines.get(0));
        assertEquals(json.get("heldOut").asInt(), lines.size() - 1);
    }

    @Test
    void shouldFindTheNextEventMoreOftenThanTheFrequentOnesWhenTokensArePlayed() throws Exception {
        final JsonNode json = play("transformer");
        assertEquals(EVENTS / 4, json.get("heldOut").asInt(), "the last of four instruments is held out");
        assertTrue(json.get("namedAccuracy").asDouble() > 1.5 * json.get("unigramNamedAccuracy").asDouble(),
                json::toString);
        assertTrue(json.get("directionAccuracy").isNumber());
    }

    private JsonNode play(final String model, final String... more) throws Exception {
        final Path journal = folder.resolve("journal");
        final Path json = folder.resolve("demo.json");
        final Path log = folder.resolve("demo.log");
        final List<String> arguments = new ArrayList<>(List.of(
                "demo", "--events", Integer.toString(EVENTS), "--rate", "500",
                "--model", model, "--journal", journal.toString(), "--json", json.toString()));
        arguments.addAll(List.of(more));
        final Process demo = new ProcessBuilder(ChildJvm.command(arguments))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertTrue(demo.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS), () -> "demo did not end:\n" + read(log));
            assertEquals(0, demo.exitValue(), () -> read(log) + "\nserve:\n" + read(journal.resolve("demo/serve.log")));
            assertTrue(read(log).contains("replay: " + EVENTS + " of " + EVENTS + " outcomes bit-identical"),
                    read(log));
            final JsonNode results = new ObjectMapper().readTree(json.toFile());
            checkJson(results);
            return results;
        } finally {
            demo.descendants().forEach(ProcessHandle::destroyForcibly);
            demo.destroyForcibly();
        }
    }

    private static void checkJson(final JsonNode json) {
        for (final String key : List.of("answered", "replayed", "identical")) {
            assertEquals(EVENTS, json.get(key).asInt(), key);
        }
        for (final String key : List.of("roundTripUs", "echoUs")) {
            checkLatency(json.get(key), key);
        }
        for (final String stage : List.of("journal", "queue", "infer", "egress", "total")) {
            checkLatency(json.get("stagesUs").get(stage), stage);
        }
        for (final String key : List.of("bundle", "backend", "layout", "journal", "commit")) {
            assertTrue(json.get(key).isTextual() && !json.get(key).asText().isEmpty(), key);
        }
        assertTrue(json.get("accuracy").isNumber());
    }

    private static void checkLatency(final JsonNode latency, final String name) {
        for (final String key : List.of("p50", "p90", "p99", "p999", "p9999", "max")) {
            assertTrue(latency.get(key).isNumber(), name + "." + key);
        }
        assertTrue(latency.get("p50").asDouble() > 0, name);
    }

    private static String read(final Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : file + " is not there";
        } catch (final java.io.IOException e) {
            return file + ": " + e;
        }
    }
}
