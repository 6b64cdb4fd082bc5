package io.tiercel.appliance.telemetry;

import io.tiercel.appliance.sequencer.RequestSlot;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TelemetryWriterTest {

    private static final long INTERVAL_NS = 1_000_000_000L;

    @TempDir
    Path directory;
    private final StageRecorder stages = new StageRecorder(2);
    private final Counters counters = Counters.inMemory();
    private final HiccupRecorder hiccups = new HiccupRecorder(true, counters);
    private final Heard heard = new Heard();
    private long nowMs = 1_700_000_000_000L;

    @Test
    void shouldBeReadableByHdrHistogramWhenIntervalsAreWritten() throws IOException {
        final TelemetryWriter writer = writer(directory.resolve("deep/er"));
        assertEquals(0, writer.doWork());
        stages.record(slot(1_000, 300, 200, 900, 1_500));
        nowMs += 1_000;
        assertEquals(1, writer.doWork());
        assertEquals(0, writer.doWork());
        stages.record(slot(5_000, 400, 200, 700, 2_000));
        stages.record(slot(9_000, 500, 200, 700, 2_500));
        hiccups.onIdleRound(0, 50_000);
        nowMs += 500;
        writer.onClose();

        final List<Histogram> histograms = read(directory.resolve("deep/er/stages.hlog"));
        assertEquals(List.of("journal", "queue", "infer", "egress", "total",
                "journal", "queue", "infer", "egress", "total", "hiccup-io"),
                histograms.stream().map(EncodableHistogram::getTag).toList());
        assertEquals(1, histograms.get(0).getTotalCount());
        assertEquals(300, histograms.get(0).getMaxValue(), 300 / 100);
        assertEquals(200, histograms.get(1).getMaxValue(), 200 / 100);
        assertEquals(700, histograms.get(2).getMaxValue(), 700 / 100);
        assertEquals(600, histograms.get(3).getMaxValue(), 600 / 100);
        assertEquals(1_500, histograms.get(4).getMaxValue(), 15);
        assertEquals(2, histograms.get(9).getTotalCount());
        assertEquals(1_700_000_000_000L, histograms.get(0).getStartTimeStamp());
        assertEquals(1_700_000_001_000L, histograms.get(0).getEndTimeStamp());
        assertEquals(1_700_000_001_500L, histograms.get(9).getEndTimeStamp());
    }

    @Test
    void shouldWriteOnlyTheHeadWhenNothingWasRecorded() throws IOException {
        final TelemetryWriter writer = writer(directory);
        nowMs += 5_000;
        assertEquals(1, writer.doWork());
        writer.onClose();
        assertEquals(List.of(), read(directory.resolve("stages.hlog")));
        assertTrue(Files.readString(directory.resolve("stages.hlog")).contains("[Histogram log format version"));
    }

    @Test
    void shouldKeepValuesWithinItsRangeWhenTheyAreNot() throws IOException {
        final TelemetryWriter writer = writer(directory);
        stages.record(slot(1_000, -5, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2));
        hiccups.onIdleRound(0, Long.MAX_VALUE);
        writer.onClose();
        final List<Histogram> histograms = read(directory.resolve("stages.hlog"));
        assertEquals(0, histograms.get(0).getMaxValue());
        assertEquals(60_000_000_000L, histograms.get(4).getMaxValue(), 600_000_000L);
        assertEquals(1, counters.value(CounterId.STALLS_OVER_1MS));
    }

    @Test
    void shouldRecordNoHiccupWhenItIsOffOrBelowTheFloor() throws IOException {
        final HiccupRecorder off = new HiccupRecorder(false, counters);
        off.onIdleRound(0, 5_000_000);
        hiccups.onIdleRound(1, HiccupRecorder.FLOOR_NS);
        final TelemetryWriter writer = new TelemetryWriter(
                stages, Map.of("io", hiccups, "off", off), directory, INTERVAL_NS, () -> nowMs, heard);
        writer.onClose();
        assertEquals(List.of(), read(directory.resolve("stages.hlog")));
        assertEquals(0, counters.value(CounterId.STALLS_OVER_1MS));
    }

    @Test
    void shouldTellModelsApartAndWriteThemTogetherWhenTwoAreServed() throws IOException {
        final TelemetryWriter writer = writer(directory);
        stages.record(slot(1_000, 300, 200, 900, 1_500));
        final RequestSlot other = slot(2_000, 300, 200, 900, 5_000);
        other.modelIndex = 1;
        stages.record(other);
        stages.record(other);
        hiccups.onIdleRound(0, 50_000);
        writer.onClose();
        assertEquals(List.of("journal/0=1", "journal/1=2", "queue/0=1", "queue/1=2", "infer/0=1", "infer/1=2",
                "egress/0=1", "egress/1=2", "total/0=1", "total/1=2", "io=1", "end"), heard.lines);
        final Histogram total = read(directory.resolve("stages.hlog")).get(4);
        assertEquals(3, total.getTotalCount());
        assertEquals(5_000, total.getMaxValue(), 50);
    }

    /** Notes what it is told. */
    private static final class Heard implements TelemetryWriter.Listener {
        private final List<String> lines = new ArrayList<>();

        @Override
        public void onStage(final Stage stage, final int modelIndex, final Histogram histogramNs) {
            lines.add(stage.tag() + "/" + modelIndex + "=" + histogramNs.getTotalCount());
        }

        @Override
        public void onHiccups(final String thread, final Histogram histogramNs) {
            lines.add(thread + "=" + histogramNs.getTotalCount());
        }

        @Override
        public void onIntervalEnd(final long startMs, final long endMs) {
            lines.add("end");
        }
    }

    private TelemetryWriter writer(final Path target) throws IOException {
        return new TelemetryWriter(stages, Map.of("io", hiccups), target, INTERVAL_NS, () -> nowMs, heard);
    }

    /** A request whose stamps lie so many nanoseconds after its arrival. */
    private static RequestSlot slot(
            final long ingressNs, final long journaledNs, final long startNs, final long endNs, final long egressNs) {
        final RequestSlot slot = new RequestSlot();
        slot.ingressTickNs = ingressNs;
        slot.journaledTickNs = ingressNs + journaledNs;
        slot.inferStartTickNs = ingressNs + startNs;
        slot.inferEndTickNs = ingressNs + endNs;
        slot.egressTickNs = ingressNs + egressNs;
        return slot;
    }

    /** The reader's own {@code hasNext} is true before the end of the head, so the end is its null. */
    private static List<Histogram> read(final Path file) throws IOException {
        final List<Histogram> histograms = new ArrayList<>();
        try (HistogramLogReader reader = new HistogramLogReader(file.toFile())) {
            EncodableHistogram histogram = reader.nextIntervalHistogram();
            while (histogram != null) {
                histograms.add((Histogram) histogram);
                histogram = reader.nextIntervalHistogram();
            }
        }
        return histograms;
    }
}
