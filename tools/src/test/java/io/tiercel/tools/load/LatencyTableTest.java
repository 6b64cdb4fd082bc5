package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class LatencyTableTest {

    @Test
    void shouldPrintAlignedMicroseconds() {
        final LatencyTable table = new LatencyTable()
                .add("round trip", new LatencySummary(1_000, 1.234, 2, 3.456, 44, 555.5, 6_666))
                .add("echo", new LatencySummary(10, 0.351, 0.4, 0.5, 0.6, 0.7, 12));

        assertEquals("""
                µs           p50   p90   p99  p99.9  p99.99      max  count
                round trip  1.23  2.00  3.46  44.00  555.50  6666.00   1000
                echo        0.35  0.40  0.50   0.60    0.70    12.00     10
                """, table.toString());
    }

    @Test
    void shouldUseAPointWhenTheLocaleHasAComma() {
        final Locale before = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            assertEquals("1.50", LatencyTable.format(1.5));
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void shouldStateMicrosecondsUnderTheAgreedKeysWhenJson() {
        final Histogram histogram = LatencyRecorder.newHistogram();
        for (int i = 1; i <= 10_000; i++) {
            histogram.recordValue(i);
        }

        final var json = LatencySummary.of(histogram).toJson();

        assertEquals(List.of("p50", "p90", "p99", "p999", "p9999", "max", "count"), List.copyOf(json.keySet()));
        assertEquals(5.0, (double) json.get("p50"), 0.01);
        assertEquals(9.99, (double) json.get("p999"), 0.01);
        assertEquals(10_000L, json.get("count"));
    }

    @Test
    void shouldBeZeroWhenNothingWasMeasured() {
        assertEquals(new LatencySummary(0, 0, 0, 0, 0, 0, 0), LatencySummary.of(LatencyRecorder.newHistogram()));
    }
}
