package io.tiercel.replay.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.replay.JournalFixture;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import org.HdrHistogram.DoubleHistogram;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IntervalReaderTest {

    @TempDir
    private Path directory;
    private Path log;

    @BeforeEach
    void nameLog() {
        log = directory.resolve("a.hlog");
    }

    @Test
    void shouldReadIntervalsByTagWhenALogIsGiven() throws IOException {
        write("histograms are in ns, Interval_Max in us", histogram("total", 1_000), histogram("total", 2_000),
                histogram("infer", 3_000), histogram("total"));

        final IntervalRun run = read(0, log).runs().get(0);

        assertEquals("ns", run.unit());
        assertEquals(1_000, run.beginEpochS());
        assertEquals(Set.of("total", "infer"), run.byTag().keySet());
        assertEquals(2, run.intervals("total").size(), "one without values is none");
        assertEquals(1, run.intervals("total").get(1).beginS(), 1e-9);
        assertEquals(1, run.intervals("total").get(1).lengthS(), 1e-9);
        assertEquals(2_000, run.intervals("total").get(1).values().max(), 1);
    }

    @Test
    void shouldReadEachLogOfAFolderAsARunAndLeaveOutTheirBeginnings() throws IOException {
        write("nanoseconds from due", histogram(null, 1), histogram(null, 2), histogram(null, 3));
        Files.copy(log, directory.resolve("b.hlog"));

        final IntervalSet set = read(1.5, directory);

        assertEquals(2, set.runs().size());
        assertEquals(1, set.runs().get(0).intervals(IntervalRun.NO_TAG).size());
        assertEquals("ns", set.unit());
    }

    @Test
    void shouldLeaveOutALastLineThatIsBeingWritten() throws IOException {
        write("", histogram("total", 1_000));
        Files.writeString(log, "Tag=total,1.000,1.000,0.0", StandardOpenOption.APPEND);

        assertEquals(1, read(0, log).intervals("total").size());
    }

    @Test
    void shouldRefuseInOneLineWhatCannotBeRead() throws IOException {
        write("", histogram("total", 1_000));
        Files.writeString(log, "Tag=total,1.000,1.000,0.001,HISTnonsense\n", StandardOpenOption.APPEND);
        assertRefused("file=" + log + " line=5 is not an interval histogram", log);

        Files.writeString(log, "hello\n");
        assertRefused("file=" + log + " line=1 is not an interval histogram", log);

        Files.writeString(log, "#[nothing]\n");
        assertRefused("run=" + log + " has no intervals with values", log);

        final DoubleHistogram floating = new DoubleHistogram(2);
        floating.recordValue(1.5);
        floating.setTag("total");
        write("", floating);
        assertRefused("file=" + log + " line=4 holds floating-point values", log);

        assertRefused("set=/nowhere does not exist", Path.of("/nowhere"));
        final Path empty = Files.createDirectory(directory.resolve("empty"));
        assertRefused("set=" + empty + " is neither a journal nor holds .hlog files", empty);
    }

    @Test
    void shouldRefuseRunsInDifferentUnits() throws IOException {
        write("histograms are in ns", histogram("total", 1));
        final Path other = directory.resolve("b.hlog");
        Files.move(log, other);
        write("histograms are in us", histogram("total", 1));

        assertRefused("units differ: " + log + " is in us, " + other + " in ns", directory);
    }

    @Test
    void shouldCutAJournalsOutcomesIntoIntervals() {
        final JournalFixture journal = JournalFixture.of(3, 90);
        journal.write(directory);

        final IntervalRun run = new IntervalReader(1_000, 0).read("j", List.of(directory)).runs().get(0);

        assertEquals(Set.of("egress", "infer", "journal", "queue", "total"), run.byTag().keySet());
        assertEquals(90, run.intervals("total").stream()
                .mapToLong(interval -> interval.values().total()).sum());
        assertEquals(2_600, run.intervals("total").get(0).values().max(), 2);
        assertTrue(run.intervals("total").size() > 1);
        assertEquals("ns", run.unit());
    }

    private void assertRefused(final String message, final Path path) {
        assertEquals(message, assertThrows(CompareException.class, () -> read(0, path)).getMessage());
    }

    private static IntervalSet read(final double skippedS, final Path path) {
        return new IntervalReader(1_000_000, skippedS).read("set", List.of(path));
    }

    private static Histogram histogram(final String tag, final long... values) {
        final Histogram histogram = new Histogram(3);
        for (final long value : values) {
            histogram.recordValue(value);
        }
        histogram.setTag(tag);
        return histogram;
    }

    /** Intervals of a second, one after the other, a thousand seconds after the epoch. */
    private void write(final String comment, final EncodableHistogram... histograms) throws IOException {
        try (PrintStream stream = new PrintStream(Files.newOutputStream(log), false, StandardCharsets.US_ASCII)) {
            final HistogramLogWriter writer = new HistogramLogWriter(stream);
            writer.outputComment("[" + comment + "]");
            writer.outputStartTime(1_000_000);
            writer.outputLegend();
            double beginS = 0;
            for (final EncodableHistogram histogram : histograms) {
                writer.outputIntervalHistogram(beginS, beginS + 1, histogram, 1_000);
                beginS++;
            }
        }
    }
}
