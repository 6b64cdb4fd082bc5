package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LatencyRecorderTest {

    @Test
    void shouldKeepTheFirstRequestsApart() {
        final LatencyRecorder recorder = new LatencyRecorder(2, new long[0]);
        recorder.onLatency(0, 9_000);
        recorder.onLatency(1, 8_000);
        recorder.onLatency(2, 1_000);
        recorder.onLatency(3, 1_000);

        final Histogram all = recorder.intervalHistogram(null);

        assertEquals(4, all.getTotalCount());
        assertEquals(2, recorder.head().getTotalCount());
        assertEquals(2, recorder.tail(all).getTotalCount());
        assertTrue(recorder.tail(all).getValueAtPercentile(100) < 1_100);
    }

    @Test
    void shouldCountAValueAboveTheRangeAsTheLargestOne() {
        final LatencyRecorder recorder = new LatencyRecorder(0, new long[0]);
        recorder.onLatency(0, Long.MAX_VALUE);
        recorder.onLatency(1, -5);
        final Histogram all = recorder.intervalHistogram(null);
        assertEquals(2, all.getTotalCount());
        assertTrue(all.getMaxValue() >= LatencyRecorder.MAX_NS);
        assertEquals(0, all.getMinValue());
    }

    @Test
    void shouldWriteAnIntervalLogThatHdrHistogramReads(@TempDir final Path folder) throws Exception {
        final Path file = folder.resolve("made/here/out.hlog");
        final LatencyRecorder recorder = new LatencyRecorder(0, new long[0]);
        try (LiveReport.IntervalLog log = LiveReport.IntervalLog.create(file, "what: a test")) {
            final LiveReport report = LiveReport.start(recorder, null, log, "roundTrip");
            for (int i = 0; i < 1_000; i++) {
                recorder.onLatency(i, i);
            }
            report.close();
            assertEquals(1_000, recorder.whole().getTotalCount());
        }

        long count = 0;
        try (HistogramLogReader reader = new HistogramLogReader(file.toFile())) {
            while (reader.hasNext()) {
                final EncodableHistogram interval = reader.nextIntervalHistogram();
                assertEquals("roundTrip", interval.getTag());
                count += ((Histogram) interval).getTotalCount();
            }
        }
        assertEquals(1_000, count);
    }

    @Test
    void shouldDrawOverOneLineOnATerminalAndRareLinesElsewhere() {
        final ByteArrayOutputStream terminal = new ByteArrayOutputStream();
        final ProgressBar drawn =
                new ProgressBar(new PrintStream(terminal, true, StandardCharsets.UTF_8), true, "x", 100);
        drawn.draw(50, 1_234, 56_789);
        drawn.clear();
        final String line = terminal.toString(StandardCharsets.UTF_8);
        assertTrue(line.startsWith("\rx [===============               ] 50% 50 answered, p50 1.23 µs, p99 56.79 µs"),
                line);
        assertEquals(-1, line.indexOf('\n'));

        final ByteArrayOutputStream pipe = new ByteArrayOutputStream();
        final ProgressBar plain = new ProgressBar(new PrintStream(pipe, true, StandardCharsets.UTF_8), false, "x", 100);
        for (int i = 0; i < 20; i++) {
            plain.draw(i, 1, 1);
        }
        assertEquals(2, pipe.toString(StandardCharsets.UTF_8).lines().count());
    }
}
