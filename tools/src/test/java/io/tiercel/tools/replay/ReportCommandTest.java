package io.tiercel.tools.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportCommandTest {

    private static final long FIRST_INGRESS_MS = 1_700_000_000_000L;

    @TempDir
    private Path directory;
    private Path journal;

    @BeforeEach
    void writeJournal() throws IOException {
        journal = Files.createDirectory(directory.resolve("journal"));
        JournalFixture.of(5, 120).write(journal);
    }

    @Test
    void shouldShowStagesModelsAndClientsAndLeaveTheJournalAsItIs() throws IOException {
        final Map<String, Long> before = filesOf(journal);
        final Path html = directory.resolve("report.html");
        final Path png = directory.resolve("png");

        final CommandLineRun run = report("--html", html.toString(), "--png", png.toString());

        assertEquals(ExitCode.OK, run.exitCode(), run::toString);
        assertTrue(run.out().contains("outcomes    120, sequences 0 to 119, from 2023-11-14T22:13:20."), run.out());
        assertTrue(run.out().contains("total    2.60  2.60"), run.out());
        assertTrue(run.out().contains("no telemetry beside the journal"), run.out());
        assertTrue(Files.readString(html).contains("What the time was spent on"));
        try (Stream<Path> files = Files.list(png)) {
            assertEquals(6, files.count());
        }
        assertEquals(before, filesOf(journal));
    }

    @Test
    void shouldShowTheHiccupsOfTheSameTimeWhenTelemetryIsThere() throws IOException {
        writeTelemetry(FIRST_INGRESS_MS);
        final CommandLineRun same = report("--html", directory.resolve("report.html").toString());
        writeTelemetry(FIRST_INGRESS_MS - 86_400_000);
        final CommandLineRun other = report();
        Files.writeString(journal.resolve("telemetry/stages.hlog"), "nonsense\n");
        final CommandLineRun broken = report();

        assertTrue(same.out().contains("io      20.02"), same.out());
        assertTrue(Files.readString(directory.resolve("report.html")).contains("Longest hiccup of each interval"));
        assertTrue(other.out().contains("the telemetry is of another time"), other.out());
        assertTrue(broken.out().contains("telemetry not used: file="), broken.out());
        assertEquals(ExitCode.OK, broken.exitCode());
    }

    @Test
    void shouldReadOnlyTheRange() {
        final CommandLineRun run = report("--from", "30", "--to", "49");

        assertEquals(ExitCode.OK, run.exitCode(), run::toString);
        assertTrue(run.out().contains("outcomes    20, sequences 30 to 49"), run.out());
    }

    @Test
    void shouldRefuseInOneLineWhatItCannotShow() {
        assertFailed(ExitCode.BAD_ARGUMENTS, "--journal=" + journal + " has no outcome from 500 to its end",
                report("--from", "500"));
        assertFailed(ExitCode.BAD_ARGUMENTS, "--to=3 is below --from=4", report("--from", "4", "--to", "3"));
        assertFailed(ExitCode.BAD_ARGUMENTS, "--html=" + journal.resolve("r.html") + " lies in the journal " + journal,
                report("--html", journal.resolve("r.html").toString()));
        assertFailed(ExitCode.BAD_ARGUMENTS, "--journal=/nowhere is not a directory",
                CommandLineRun.of("replay", "report", "--journal", "/nowhere"));
    }

    @Test
    void shouldExit1WhenTheJournalIsDamaged() {
        final JournalFixture fixture = JournalFixture.of(5, 120);
        JournalFixture.corruptOnDisk(journal.resolve("outcomes"), fixture.outcomes.get(33));

        assertFailed(ExitCode.CHECK_FAILED, "bad checksum in outcomes at sequence 33", report());
    }

    private static void assertFailed(final int exitCode, final String message, final CommandLineRun run) {
        assertEquals(exitCode, run.exitCode(), run::toString);
        assertTrue(run.err().startsWith("tiercel replay report: " + message), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertFalse(run.out().contains("Stages"), run.out());
    }

    private CommandLineRun report(final String... more) {
        return CommandLineRun.of(Stream.concat(
                Stream.of("replay", "report", "--journal", journal.toString()), Stream.of(more))
                .toArray(String[]::new));
    }

    private void writeTelemetry(final long startMs) throws IOException {
        final Path folder = Files.createDirectories(journal.resolve("telemetry"));
        try (PrintStream stream = new PrintStream(Files.newOutputStream(folder.resolve("stages.hlog")))) {
            final HistogramLogWriter writer = new HistogramLogWriter(stream);
            writer.outputStartTime(startMs);
            final Histogram histogram = new Histogram(3);
            histogram.recordValue(20_000);
            histogram.setTag("hiccup-io");
            writer.outputIntervalHistogram(0, 1, histogram, 1_000);
        }
    }

    private static Map<String, Long> filesOf(final Path folder) throws IOException {
        final Map<String, Long> files = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (final Path path : paths.toList()) {
                files.put(path.toString(), Files.getLastModifiedTime(path).toMillis());
            }
        }
        return files;
    }
}
