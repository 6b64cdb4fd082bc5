package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
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

/** An appliance's day, with a client that dies in the middle of it. */
@Timeout(120)
class ServeSystemTest {

    private static final int SESSION_COUNT = 4;

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @Test
    void shouldGoOnAndReplayWhenAClientIsKilledAndComesBack() throws IOException {
        final ServeConfig config = bench.config(bench.model(1));
        final TiercelProcess appliance = bench.serve(config);

        final TiercelProcess killed = bench.client("desk-1");
        killed.awaitLine("answered=1000 ");
        killed.kill();

        final TiercelProcess other = bench.client("desk-2", "--requests", "1000");
        assertEquals(0, other.awaitExit(), other::toString);
        assertEquals(firstAnswers(killed), firstAnswers(other), "another principal's sessions begin anew");

        final TiercelProcess back = bench.client("desk-1", "--requests", "1000");
        assertEquals(0, back.awaitExit(), back::toString);
        for (int session = 0; session < SESSION_COUNT; session++) {
            assertNotEquals(firstAnswers(killed).get(session), firstAnswers(back).get(session), "its sessions go on");
        }

        assertTrue(appliance.isAlive(), appliance::toString);
        assertEquals(0, appliance.terminate(), appliance::toString);
        final String stopped = appliance.awaitLine("stopped: ");
        assertTrue(stopped.endsWith("drained=true"), stopped);
        assertEquals(List.of(), appliance.err(), "nothing to complain about");

        final long requestCount = SystemClient.valueOf(stopped, "taken=");
        final TiercelProcess replay = verify(config.journal());
        assertEquals(0, replay.awaitExit(), replay::toString);
        assertEquals(
                "replay: " + requestCount + " of " + requestCount + " outcomes bit-identical",
                replay.awaitLine("replay: "));
        assertEquals(List.of(), replay.err());
        assertRowsAreJson(config.journal());
    }

    @Test
    void shouldTouchNeitherNetworkNorHomeWhenServing() throws IOException {
        Workbench.assumeThat(OpenSockets.canBeListed(), "this system does not list sockets in /proc");
        final TiercelProcess appliance = bench.serve(bench.config(bench.model(2)));
        final TiercelProcess client = bench.client("desk-1");
        client.awaitLine("answered=1000 ");

        assertEquals(List.of(), OpenSockets.of(appliance.pid()), "sockets of the appliance");
        assertEquals(List.of(), OpenSockets.of(client.pid()), "sockets of the client");

        client.terminate();
        assertEquals(0, appliance.terminate(), appliance::toString);
        try (var entries = Files.list(bench.home())) {
            assertEquals(List.of(), entries.toList(), "files in the home directory");
        }
    }

    private TiercelProcess verify(final Path journal) {
        return bench.run("replay", "verify", "--journal", journal.toString());
    }

    private void assertRowsAreJson(final Path journal) throws IOException {
        final TiercelProcess dump =
                bench.run("journal", "dump", "--journal", journal.toString(), "--format", "json", "--limit", "5");
        assertEquals(0, dump.awaitExit(), dump::toString);
        assertEquals(5, dump.out().size(), dump::toString);
        for (int sequence = 0; sequence < 5; sequence++) {
            final JsonNode row = new ObjectMapper().readTree(dump.out().get(sequence));
            assertEquals(sequence, row.get("sequence").asLong());
            assertEquals("OK", row.get("outcome").get("status").asText());
            assertEquals(3, row.get("outcome").get("outputs").size());
        }
    }

    private static List<String> firstAnswers(final TiercelProcess client) {
        final List<String> answers = client.out("first session=").stream().sorted().toList();
        assertEquals(SESSION_COUNT, answers.size(), client::toString);
        return answers;
    }
}
