package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The crash harness, a short run of it: so that it cannot rot, and because it is the best test there is. */
@Timeout(120)
class ChaosSystemTest {

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @Test
    void shouldLoseNothingWhenTheApplianceIsKilledAgainAndAgain() throws IOException {
        final Path json = bench.directory().resolve("chaos.json");
        final TiercelProcess chaos = bench.run("chaos", "--rounds", "2", "--rate", "400", "--snapshot-interval",
                "200ms", "--model", bench.model(6).toString(), "--dir", bench.directory().resolve("chaos").toString(),
                "--json", json.toString());
        assertEquals(ExitCode.OK, chaos.awaitExit(), chaos::toString);
        chaos.awaitLine("chaos: nothing lost, nothing twice");
        final JsonNode result = new ObjectMapper().readTree(Files.readString(json));
        assertEquals(0, result.get("lost").asInt());
        assertEquals(0, result.get("twice").asInt());
        assertEquals(result.get("sent").asLong(),
                result.get("acknowledged").asLong() + result.get("refused").asLong());
        assertTrue(result.get("recoveries").size() >= 2, result::toString);
        assertTrue(result.get("snapshotsVerified").asInt() >= 1, result::toString);
    }
}
