package io.tiercel.tools.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareCommandTest {

    private static final String RESAMPLES = "--resamples=300";

    @TempDir
    private Path directory;

    private final SplittableRandom random = new SplittableRandom(1);

    @Test
    void shouldExit1AndNameTheQuantilesWhenTheSecondIsSlower() throws IOException {
        final String setA = log("a", 1_000, 40, "total");
        final String setB = log("b", 1_300, 40, "total");
        final Path html = directory.resolve("report.html");
        final Path png = directory.resolve("png");
        final Path json = directory.resolve("report.json");

        final CommandLineRun run = CommandLineRun.of("replay", "compare", setA, setB, RESAMPLES,
                "--html", html.toString(), "--png", png.toString(), "--json", json.toString());

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode(), run::toString);
        assertTrue(run.out().contains("compare: SLOWER, p50 +"), run.out());
        assertTrue(run.out().contains("too little data"), "p99.9 of 40,000 requests\n" + run.out());
        assertEquals("", run.err());
        final String page = Files.readString(html);
        assertTrue(page.contains("<svg") && page.contains("Latency by percentile"), page);
        assertFalse(page.contains("<script") || page.contains("<link"), "loads something");
        try (Stream<Path> files = Files.list(png)) {
            assertEquals(4, files.count());
        }
        assertEquals("SLOWER", new ObjectMapper().readTree(json.toFile()).get("verdict").asText());
    }

    @Test
    void shouldExit0WhenTheSecondIsFasterOrTheSame() throws IOException {
        final String setA = log("a", 1_300, 40, "total");
        final String setB = log("b", 1_000, 40, "total");

        final CommandLineRun faster = CommandLineRun.of("replay", "compare", setA, setB, RESAMPLES);
        final CommandLineRun same = CommandLineRun.of("replay", "compare", setA, setA, RESAMPLES);

        assertEquals(ExitCode.OK, faster.exitCode(), faster::toString);
        assertTrue(faster.out().contains("compare: FASTER"), faster.out());
        assertEquals(ExitCode.OK, same.exitCode(), same::toString);
        assertTrue(same.out().endsWith("compare: NO DIFFERENCE SEEN\n"), same.out());
        assertEquals(same, CommandLineRun.of("replay", "compare", setA, setA, RESAMPLES));
    }

    @Test
    void shouldNameTheSetFromWhichASeriesIsSlower() throws IOException {
        final List<String> arguments = new ArrayList<>(List.of("replay", "compare", RESAMPLES + "0"));
        for (int run = 0; run < 12; run++) {
            arguments.add(log("run" + run, run < 7 ? 1_000 : 1_200, 12, "total"));
        }
        arguments.addAll(List.of("--html", directory.resolve("series.html").toString()));

        final CommandLineRun run = CommandLineRun.of(arguments.toArray(String[]::new));

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode(), run::toString);
        assertTrue(run.out().contains("change      p50 from " + directory.resolve("run7.hlog") + " on: 1.0"),
                run.out());
        assertTrue(run.out().contains("compare: SLOWER; p50 from "), run.out());
        assertTrue(Files.readString(directory.resolve("series.html")).contains("Quantiles over the series"));
    }

    @Test
    void shouldCompareTheFirstAndTheLastWhenASeriesIsShort() throws IOException {
        final CommandLineRun run = CommandLineRun.of("replay", "compare", RESAMPLES, log("a", 1_000, 20, "total"),
                log("b", 1_000, 20, "total"), log("c", 1_300, 20, "total"));

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode(), run::toString);
        assertTrue(run.out().contains("of fewer than 10 sets no change point can be sure"), run.out());
    }

    @Test
    void shouldRefuseInOneLineWhatCannotBeCompared() throws IOException {
        final String total = log("total", 1_000, 20, "total");
        final String echo = log("echo", 1_000, 20, "echo");
        final String brief = log("brief", 1_000, 3, "total");

        assertRefused("no tag is common to all: " + total + " has total; " + echo + " has echo", total, echo);
        assertRefused("tag=infer is not in set=" + total, total, total, "--tag=infer");
        assertRefused("tag=total has too little data at every quantile", brief, brief);
        assertRefused("set=/nowhere does not exist", total, "/nowhere");
        assertRefused("run=" + brief + " has no intervals with values behind its first 60.0 s", brief, total,
                "--skip=60s");
        assertRefused("sets=1: two are needed to compare", total);
        assertRefused("Invalid value for option '--threshold'", total, total, "--threshold=much");
        assertRefused("--confidence=1.0 is not between 0 and 1", total, total, "--confidence=100%");
        assertRefused("--resamples=5 is not in 200..1000000", total, total, "--resamples=5");
        assertRefused("--in-turns needs --self-test and sets", total, total, "--in-turns");
        assertRefused("runs=1 of set=" + total + " and runs=1 of set=" + total + " are not 5 pairs or more", total,
                total, "--paired");
        assertRefused("sets=3: --paired takes two", total, total, total, "--paired");
        assertRefused("--pairs needs --self-test", total, total, "--paired", "--pairs=9");
        assertRefused("--quantiles=100.0 is not between 0 and 100", total, total, "--quantiles=50,100");
        assertRefused("no two turns of half a second follow each other that have values", total, "--self-test",
                "--in-turns", "--pairs=9");
        assertRefused("--repeats=0 is not in 1..10000", "--self-test", "--repeats=0");
    }

    private static void assertRefused(final String message, final String... arguments) {
        final String[] all = Stream.concat(Stream.of("replay", "compare"), Stream.of(arguments))
                .toArray(String[]::new);
        final CommandLineRun run = CommandLineRun.of(all);
        assertEquals(ExitCode.BAD_ARGUMENTS, run.exitCode(), run::toString);
        assertTrue(run.err().startsWith("tiercel replay compare: " + message), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
    }

    @Test
    void shouldExit4AndSayHowManyMorePairsAreNeededWhenItCannotTell() throws IOException {
        final List<String> setA = new ArrayList<>();
        final List<String> setB = new ArrayList<>();
        for (int pair = 0; pair < 8; pair++) {
            final double level = 1_000 * (1 + random.nextInt(9));
            setA.add(log("a" + pair, level, 8, "total"));
            setB.add(log("b" + pair, 1.2 * level, 8, "total"));
        }
        final String all = String.join(",", setA);
        final String allSlower = String.join(",", setB);
        final Path html = directory.resolve("paired.html");

        final CommandLineRun slower = CommandLineRun.of("replay", "compare", "--paired", all, allSlower,
                "--html", html.toString());
        final CommandLineRun few = CommandLineRun.of("replay", "compare", "--paired",
                String.join(",", setA.subList(0, 5)), String.join(",", setB.subList(0, 5)));
        final CommandLineRun fewOfOne = CommandLineRun.of("replay", "compare", "--paired", "--quantiles=99",
                String.join(",", setA.subList(0, 5)), String.join(",", setB.subList(0, 5)));

        assertEquals(ExitCode.CHECK_FAILED, slower.exitCode(), slower::toString);
        assertTrue(slower.out().contains("compare: SLOWER, p50 +"), slower.out());
        assertTrue(Files.readString(html).contains("Change within pairs"));
        assertEquals(ExitCode.CANNOT_TELL, few.exitCode(), few::toString);
        assertTrue(few.out().contains("CANNOT TELL at p50, p90, p99: 1 more pair would be needed"), few.out());
        assertEquals(ExitCode.CHECK_FAILED, fewOfOne.exitCode(), fewOfOne::toString);
    }

    @Test
    void shouldNotWriteIntoAJournal() throws IOException {
        final Path journal = Files.createDirectory(directory.resolve("journal"));
        JournalFixture.of(1, 20).write(journal);
        final String total = log("total", 1_000, 20, "total");

        assertRefused("--html=" + journal.resolve("r.html") + " lies in the journal " + journal, total, total,
                "--html=" + journal.resolve("r.html"));
        assertRefused("--png=" + journal.resolve("new/png") + " lies in the journal " + journal, total, total,
                "--png=" + journal.resolve("new/png"));
        assertRefused("--json=" + journal.resolve("r.json") + " lies in the journal " + journal, total, total,
                "--json=" + journal.resolve("r.json"));
    }

    @Test
    void shouldCountItsOwnRatesWhenAskedTo() throws IOException {
        final CommandLineRun given = CommandLineRun.of("replay", "compare", "--self-test", RESAMPLES,
                log("a", 1_000, 40, "total"), log("b", 1_000, 40, "total"), log("c", 1_000, 40, "total"));
        final CommandLineRun inTurns = CommandLineRun.of("replay", "compare", "--self-test", "--in-turns", RESAMPLES,
                "--repeats=2", log("long", 1_000, 80, "total", 0.25));
        final CommandLineRun madeUp = CommandLineRun.of("replay", "compare", "--self-test", "--repeats=1", RESAMPLES);

        assertEquals(ExitCode.OK, given.exitCode(), given::toString);
        assertTrue(given.out().contains("0 of 3"), given.out());
        assertEquals(ExitCode.OK, inTurns.exitCode(), inTurns::toString);
        assertTrue(inTurns.out().contains("0 of 2"), inTurns.out());
        assertEquals(ExitCode.OK, madeUp.exitCode(), madeUp::toString);
        assertTrue(madeUp.out().startsWith("made-up runs of 120 intervals of 10,000 requests, seed 1"), madeUp.out());
    }

    /** One-second intervals of 1,000 values around a level. */
    private String log(final String name, final double levelNs, final int intervalCount, final String tag)
            throws IOException {
        return log(name, levelNs, intervalCount, tag, 1);
    }

    private String log(final String name, final double levelNs, final int intervalCount, final String tag,
            final double intervalS) throws IOException {
        final Path file = directory.resolve(name + ".hlog");
        try (PrintStream stream = new PrintStream(Files.newOutputStream(file))) {
            final HistogramLogWriter writer = new HistogramLogWriter(stream);
            writer.outputComment("[histograms are in ns]");
            for (int interval = 0; interval < intervalCount; interval++) {
                final Histogram histogram = new Histogram(3);
                for (int count = 0; count < 1_000; count++) {
                    histogram.recordValue((long) (levelNs * Math.exp(0.1 * random.nextGaussian())));
                }
                histogram.setTag(tag);
                writer.outputIntervalHistogram(interval * intervalS, (interval + 1) * intervalS, histogram, 1_000);
            }
        }
        return file.toString();
    }
}
