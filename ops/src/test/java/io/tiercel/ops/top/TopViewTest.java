package io.tiercel.ops.top;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.ops.MadeUpAppliance;
import io.tiercel.ops.MadeUpCounters;
import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.ops.desk.DeskStatus;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.jline.utils.AttributedString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TopViewTest {

    private static final long NOW_MS = 3_723_000;

    @TempDir
    private Path directory;

    @Test
    void shouldShowAllOfItOnASmallTerminal() throws IOException {
        final List<String> frame = draw(80, 24, "bitstamp");
        assertEquals("tiercel desk-1  LIVE  up 01:02:03  pid 42  paired  01:02:03 UTC", frame.get(0));
        assertContains(frame, "phase serving  unfinished 7/256  clients 1/64  sessions 4,000/4,096");
        assertContains(frame, "requests 250/s");
        assertContains(frame, "journal 1.00 MiB  free 4.00 GiB");
        assertContains(frame, "foreseen hits 75.0 %  saved each 12.0 µs");
        assertContains(frame, "bitstamp  010101010101  lstm  cpu  95 %");
        assertContains(frame, "  total           100    2.51   2.51   2.51   2.51    2.51   2.51   2.51   2.51");
        assertContains(frame, "  infer             0       -      -      -      -       -      -      -      -");
        assertContains(frame, "idle io           100");
        assertContains(frame, "00:00:05.000  device lost, another backend goes on for model 3");
    }

    @Test
    void shouldKeepToTheTerminalAndKeepTotalsWhateverItsSize() throws IOException {
        final String[] many = new String[30];
        for (int model = 0; model < many.length; model++) {
            many[model] = "model-" + model;
        }
        final List<String> small = draw(40, 45, many);
        assertTrue(small.size() <= 45);
        assertTrue(small.stream().allMatch(line -> line.length() <= 40));
        assertContains(small, "model-29");
        assertFalse(small.stream().anyMatch(line -> line.contains("egress")));
        assertContains(small, "device lost");
        assertEquals(3, draw(20, 3, many).size());
        final List<String> wide = draw(200, 60, "bitstamp");
        assertContains(wide, "last 5 minutes, µs");
        assertContains(wide, "desk-7  session 1  since 00:00:00");
    }

    @Test
    void shouldSayWhyThereIsNothing() {
        try (DeskFeed feed = new DeskFeed(directory, () -> NOW_MS)) {
            final DeskStatus status = feed.poll();
            final List<AttributedString> frame = new TopView(feed.state()).draw(status, NOW_MS, 200, 24);
            assertEquals(2, frame.size());
            assertTrue(frame.get(1).toString().contains("telemetry.dat"), frame::toString);
        }
    }

    private List<String> draw(final int columns, final int rows, final String... aliases) throws IOException {
        final Path there = directory.resolve(columns + "x" + rows);
        Files.createDirectory(there);
        try (MadeUpAppliance appliance = new MadeUpAppliance(there, "desk-1", NOW_MS);
                MadeUpCounters counters = new MadeUpCounters(there);
                DeskFeed feed = new DeskFeed(there, () -> NOW_MS)) {
            feed.poll();
            final var requests = counters.counter(7_000, "tiercel requests: taken");
            counters.counter(7_001, "tiercel sessions: in memory").set(4_000);
            counters.counter(7_002, "tiercel journal-free-bytes: bytes").set(4L << 30);
            final var hits = counters.counter(7_003, "tiercel foreseen-hits: hits");
            final var misses = counters.counter(7_004, "tiercel foreseen-misses: misses");
            final var savedNs = counters.counter(7_005, "tiercel foreseen-saved-ns: saved");
            counters.ready();
            feed.poll();
            appliance.facts(aliases);
            appliance.intervalEnd(-1_000, 0, Phase.SERVING);
            feed.poll();
            requests.set(250);
            hits.set(75);
            misses.set(25);
            savedNs.set(75 * 12_000);
            feed.poll();
            final Histogram histogramNs = new Histogram(2);
            histogramNs.recordValueWithCount(2_500, 100);
            appliance.histogram(Series.TOTAL, 0, "", histogramNs);
            appliance.histogram(Series.HICCUP, 65_535, "io", histogramNs);
            appliance.event(EventKind.DEVICE_LOST, 5_000_000_000L, 0, "");
            appliance.intervalEnd(0, 1_000, Phase.SERVING);
            return new TopView(feed.state()).draw(feed.poll(), NOW_MS, columns, rows).stream()
                    .map(AttributedString::toString).toList();
        }
    }

    private static void assertContains(final List<String> frame, final String words) {
        assertTrue(frame.stream().anyMatch(line -> line.contains(words)),
                () -> "no '" + words + "' in\n" + String.join("\n", frame));
    }
}
