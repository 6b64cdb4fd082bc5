package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The load generator against an appliance in another process. Its thread spins, so it is kept short. */
@Timeout(120)
class LoadSystemTest {

    private static final int REQUEST_COUNT = 500;

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @Test
    void shouldMeasureRoundTripAndEchoAndWriteBothFilesWhenAnApplianceRuns() throws IOException {
        final TiercelProcess appliance =
                bench.serve(bench.config(bench.model(10)).more("diagnostics:\n  echo: true\n"));
        final Path json = bench.directory().resolve("load.json");
        final Path intervals = bench.directory().resolve("load.hlog");
        final TiercelProcess load = bench.run("load", "--aeron-dir", bench.aeronDirectory().toString(),
                "--rate", Integer.toString(REQUEST_COUNT), "--duration", "1s", "--sessions", "4",
                "--json", json.toString(), "--output", intervals.toString());
        assertEquals(0, load.awaitExit(), load::toString);

        final JsonNode report = new ObjectMapper().readTree(json.toFile());
        for (final String key : new String[] {"due", "sent", "answered"}) {
            assertEquals(REQUEST_COUNT, report.path(key).asLong(), key);
        }
        assertEquals(0, report.path("lost").asLong());
        assertEquals(REQUEST_COUNT, report.path("roundTripUs").path("count").asLong());
        assertEquals(REQUEST_COUNT, report.path("echoUs").path("count").asLong(), "the echo loses none");
        assertEquals(REQUEST_COUNT, countOf(intervals));

        assertEquals(0, appliance.terminate(), appliance::toString);
        assertTrue(appliance.awaitLine("stopped: ").startsWith("stopped: taken=" + REQUEST_COUNT + " "),
                appliance::toString);
    }

    private static long countOf(final Path intervals) throws IOException {
        long count = 0;
        try (HistogramLogReader reader = new HistogramLogReader(intervals.toFile())) {
            while (reader.hasNext()) {
                final EncodableHistogram interval = reader.nextIntervalHistogram();
                count += ((Histogram) interval).getTotalCount();
            }
        }
        return count;
    }
}
