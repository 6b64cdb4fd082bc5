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

    @Test
    void shouldAccountForEveryRequestWhenAnApplianceIsOverloaded() throws IOException {
        final TiercelProcess appliance = bench.serve(bench.config(bench.model(10))
                .more("overload:\n  policy: shed\n  unfinished: 2\n"));
        final Path json = bench.directory().resolve("overload.json");
        final TiercelProcess load = bench.run("load", "--aeron-dir", bench.aeronDirectory().toString(),
                "--overload", "--rate", "2000", "--duration", "1s", "--pattern", "burst", "--burst-size", "32",
                "--json", json.toString());
        assertEquals(0, load.awaitExit(), load::toString);

        final JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertEquals(3.0, report.path("overloadFactor").asDouble());
        long answeredCount = 0;
        for (final String phase : new String[] {"halfLoad", "overload"}) {
            final JsonNode counts = report.path(phase);
            long sum = 0;
            for (final String key : new String[] {"answered", "expired", "rejected", "givenUp", "unsent"}) {
                sum += counts.path(key).asLong();
            }
            assertEquals(counts.path("due").asLong(), sum, load::toString);
            assertEquals(0, counts.path("lost").asLong());
            assertTrue(counts.path("rejectedByCode").path("OVERLOADED").asLong() > 0, load::toString);
            assertEquals(counts.path("rejected").asLong(), counts.path("rejectedByCode").path("OVERLOADED").asLong());
            assertEquals(counts.path("answered").asLong(), counts.path("sinceSentUs").path("count").asLong());
            answeredCount += counts.path("answered").asLong();
        }
        assertEquals(0, appliance.terminate(), appliance::toString);
        final String stopped = appliance.awaitLine("stopped: ");
        assertTrue(stopped.startsWith("stopped: taken="), stopped);
        assertTrue(answeredCount > 0);
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
