package io.tiercel.tools.replay;

import io.tiercel.replay.compare.CompareException;
import io.tiercel.replay.compare.CompareOptions;
import io.tiercel.replay.compare.CompareRates;
import io.tiercel.replay.compare.Comparison;
import io.tiercel.replay.compare.Finding;
import io.tiercel.replay.compare.IntervalReader;
import io.tiercel.replay.compare.IntervalSet;
import io.tiercel.replay.compare.PairedComparator;
import io.tiercel.replay.compare.PairedComparison;
import io.tiercel.replay.compare.RunPairs;
import io.tiercel.replay.compare.SeriesComparator;
import io.tiercel.replay.compare.SeriesComparison;
import io.tiercel.replay.compare.SetComparator;
import io.tiercel.replay.compare.SyntheticRuns;
import io.tiercel.replay.compare.Verdict;
import io.tiercel.tools.DurationConverter;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.ToolException;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.function.IntFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tiercel replay compare}: whether latency regressed, with a verdict and an exit code for a build. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        description = {
            "Says whether latency regressed from one set of runs to another, at p50, p90, p99 and p99.9.",
            "Two sets: a verdict for each quantile. More, oldest first: where the series changes. What counts is " +
                    "blocks of time, not requests, as a stall makes hundreds of requests late at once."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:no regression",
            "1:a regression: surely slower, and by more than the threshold",
            "2:bad arguments, or sets that cannot be compared",
            "3:the machine or a file failed",
            "4:with --paired, it cannot be told: the runs are too noisy for so few pairs"
        })
public final class CompareCommand implements Callable<Integer> {

    private static final int SYNTHETIC_INTERVALS = 120;
    private static final int SYNTHETIC_REQUESTS = 10_000;
    private static final int MIN_RESAMPLES = 200;
    private static final int MAX_RESAMPLES = 1_000_000;
    private static final int MAX_REPEATS = 10_000;
    private static final int MAX_PAIRS = 1_000;

    @Parameters(paramLabel = "SET", arity = "0..*",
            description = "A run or several, separated by commas: an .hlog file, a folder of them, or a journal's " +
                    "directory, whose outcomes are read.")
    private List<String> sets = List.of();

    @Option(names = "--tag", paramLabel = "TAG",
            description = "Which of the histograms: a stage, or what else they are tagged with. Default: total, or " +
                    "the only one that all sets have.")
    private String tag;

    @Option(names = "--threshold", defaultValue = "5%", paramLabel = "SHARE", converter = PercentConverter.class,
            description = "Smallest change that matters. Default: ${DEFAULT-VALUE}.")
    private double threshold;

    @Option(names = "--confidence", defaultValue = "95%", paramLabel = "SHARE", converter = PercentConverter.class,
            description = "How sure a verdict has to be, over all quantiles together. Default: ${DEFAULT-VALUE}.")
    private double confidence;

    @Option(names = "--skip", defaultValue = "0", paramLabel = "TIME", converter = DurationConverter.class,
            description = "Leaves out the beginning of each run. Default: ${DEFAULT-VALUE}.")
    private Duration skip;

    @Option(names = "--interval", defaultValue = "100ms", paramLabel = "TIME", converter = DurationConverter.class,
            description = "Length of the intervals that a journal is cut into. Default: ${DEFAULT-VALUE}.")
    private Duration interval;

    @Option(names = "--resamples", defaultValue = "" + CompareOptions.DEFAULT_RESAMPLES, paramLabel = "N",
            description = "How often blocks are drawn again, and shuffled. Default: ${DEFAULT-VALUE}.")
    private int resamples;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "SEED",
            description = "Of all that is drawn by chance: the same seed, the same report. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--quantiles", split = ",", defaultValue = "50,90,99,99.9", paramLabel = "P",
            hideParamSyntax = true,
            description = "Which percentiles. The fewer, the smaller a change each can show. " +
                    "Default: ${DEFAULT-VALUE}.")
    private List<Double> percentiles;

    @Option(names = "--paired",
            description = "The runs of the two sets were taken in turns (A B A B ...): the first of A is compared " +
                    "with the first of B and so on, so what the machine does for longer than that disturbs less. At " +
                    "least five pairs. With --self-test: each given set with the one after it.")
    private boolean isPaired;

    @Option(names = "--pairs", defaultValue = "0", paramLabel = "N",
            description = "With --self-test and --paired or --in-turns: so many pairs in each comparison, drawn from " +
                    "all there are. Says how many are needed.")
    private int pairCount;

    @Option(names = "--self-test",
            description = "Counts instead how often equal runs are called different, and how often a slowdown of " +
                    "10 %% above p98 is found: on pairs of made-up runs, or, if sets are given, which must be of the " +
                    "same thing, on each pair of them.")
    private boolean isSelfTest;

    @Option(names = "--in-turns",
            description = "With --self-test: the equal runs are each given set, dealt out to two, half a second in " +
                    "turns, and compared in pairs. Says what can be told apart in runs such as these.")
    private boolean isInTurns;

    @Option(names = "--repeats", defaultValue = "20", paramLabel = "N",
            description = "Pairs for --self-test, made up or dealt out. Default: ${DEFAULT-VALUE}.")
    private int repeats;

    @Mixin
    private ReportArguments report;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all figures here.")
    private Path json;

    @Spec
    private CommandSpec spec;

    private PrintWriter out;

    @Override
    public Integer call() {
        checkArguments();
        out = spec.commandLine().getOut();
        try {
            if (isSelfTest) {
                return countRates();
            }
            final List<IntervalSet> read = read();
            if (isPaired) {
                return compareInPairs(read);
            }
            return read.size() == 2 ? comparePair(read) : compareSeries(read);
        } catch (final CompareException e) {
            throw ToolException.badArgument(e.getMessage());
        }
    }

    private void checkArguments() {
        if (isInTurns && (!isSelfTest || sets.isEmpty())) {
            throw ToolException.badArgument("--in-turns needs --self-test and sets");
        }
        if (sets.size() < 2 && !isInTurns && !(isSelfTest && sets.isEmpty() && !isPaired)) {
            throw ToolException.badArgument("sets=" + sets.size() + ": two are needed to compare");
        }
        if (isPaired && !isSelfTest && sets.size() != 2) {
            throw ToolException.badArgument("sets=" + sets.size() + ": --paired takes two, of several runs each");
        }
        if (pairCount != 0 && !(isSelfTest && (isPaired || isInTurns))) {
            throw ToolException.badArgument("--pairs needs --self-test and --paired or --in-turns");
        }
        if (pairCount != 0 && (pairCount < PairedComparator.MIN_PAIRS || pairCount > MAX_PAIRS)) {
            throw ToolException.badArgument(
                    "--pairs=" + pairCount + " is not in " + PairedComparator.MIN_PAIRS + ".." + MAX_PAIRS);
        }
        for (final double percentile : percentiles) {
            if (!(percentile > 0 && percentile < 100)) {
                throw ToolException.badArgument("--quantiles=" + percentile + " is not between 0 and 100");
            }
        }
        if (repeats < 1 || repeats > MAX_REPEATS) {
            throw ToolException.badArgument("--repeats=" + repeats + " is not in 1.." + MAX_REPEATS);
        }
        if (!(confidence > 0 && confidence < 1)) {
            throw ToolException.badArgument("--confidence=" + confidence + " is not between 0 and 1");
        }
        if (resamples < MIN_RESAMPLES || resamples > MAX_RESAMPLES) {
            throw ToolException.badArgument(
                    "--resamples=" + resamples + " is not in " + MIN_RESAMPLES + ".." + MAX_RESAMPLES);
        }
        if (interval.compareTo(Duration.ofMillis(1)) < 0) {
            throw ToolException.badArgument("--interval=" + interval.toNanos() + "ns is below 1ms");
        }
        report.check();
        Json.checkWritable("--json", json);
        ReportArguments.checkOutsideOfJournals("--json", json);
    }

    private CompareOptions options() {
        final List<Double> quantiles = percentiles.stream().distinct().sorted()
                .map(percentile -> BigDecimal.valueOf(percentile).movePointLeft(2).doubleValue()).toList();
        return new CompareOptions(tag, quantiles, threshold, 1 - confidence, resamples,
                new SplittableRandom(seed));
    }

    private List<IntervalSet> read() {
        final IntervalReader reader = new IntervalReader(interval.toNanos(), skip.toNanos() / 1e9);
        final List<IntervalSet> read = new ArrayList<>();
        for (final String set : sets) {
            read.add(reader.read(set, paths(set)));
        }
        return read;
    }

    private static List<Path> paths(final String set) {
        return Files.exists(Path.of(set))
                ? List.of(Path.of(set))
                : Arrays.stream(set.split(",")).filter(path -> !path.isBlank()).map(Path::of).toList();
    }

    private int comparePair(final List<IntervalSet> read) {
        final Comparison comparison = new SetComparator(options()).compare(read.get(0), read.get(1));
        final CompareReport text = new CompareReport(threshold, confidence, seed);
        out.print(text.text(comparison));
        out.flush();
        if (report.isWanted()) {
            report.write(text.html(comparison), out);
        }
        if (json != null) {
            Json.write(json, CompareJson.of(comparison));
        }
        return exitCode(comparison.verdict(), comparison.tag());
    }

    private int compareInPairs(final List<IntervalSet> read) {
        final PairedComparison comparison = new PairedComparator(options()).compare(read.get(0), read.get(1));
        final PairedReport text = new PairedReport(new CompareReport(threshold, confidence, seed), threshold);
        out.print(text.text(comparison));
        out.flush();
        if (report.isWanted()) {
            report.write(text.html(comparison), out);
        }
        if (json != null) {
            Json.write(json, CompareJson.of(comparison));
        }
        return comparison.verdict() == Verdict.CANNOT_TELL
                ? ExitCode.CANNOT_TELL
                : exitCode(comparison.verdict(), comparison.tag());
    }

    private int compareSeries(final List<IntervalSet> read) {
        final SeriesComparison series = new SeriesComparator(options()).compare(read);
        final Comparison ends = new SetComparator(options()).compare(read.get(0), read.get(read.size() - 1));
        final CompareReport text = new CompareReport(threshold, confidence, seed);
        out.print(text.text(series, ends));
        out.flush();
        if (report.isWanted()) {
            report.write(text.html(series, ends), out);
        }
        if (json != null) {
            Json.write(json, CompareJson.of(series, ends));
        }
        return series.verdict() == Verdict.TOO_LITTLE_DATA
                ? exitCode(ends.verdict(), ends.tag())
                : exitCode(series.verdict(), ends.tag());
    }

    private static int exitCode(final Verdict verdict, final String tag) {
        if (verdict == Verdict.TOO_LITTLE_DATA) {
            throw new CompareException("tag=" + tag + " has too little data at every quantile: longer " +
                    "runs, or shorter intervals, are needed");
        }
        return verdict == Verdict.SLOWER ? ExitCode.CHECK_FAILED : ExitCode.OK;
    }

    private static List<List<IntervalSet>> pairs(final List<IntervalSet> sets) {
        final List<List<IntervalSet>> pairs = new ArrayList<>();
        for (int first = 0; first < sets.size(); first++) {
            for (int second = first + 1; second < sets.size(); second++) {
                pairs.add(List.of(sets.get(first), sets.get(second)));
            }
        }
        return pairs;
    }

    private int countRates() {
        final BiFunction<IntervalSet, IntervalSet, Finding> comparison = isPaired || isInTurns
                ? new PairedComparator(options())::compare
                : new SetComparator(options())::compare;
        final CompareRates rates;
        if (sets.isEmpty()) {
            final SyntheticRuns runs =
                    new SyntheticRuns(new SplittableRandom(seed), SYNTHETIC_INTERVALS, SYNTHETIC_REQUESTS);
            out.printf("made-up runs of %d intervals of %,d requests, seed %d%n", SYNTHETIC_INTERVALS,
                    SYNTHETIC_REQUESTS, seed);
            rates = CompareRates.count(comparison, repeats, repeat -> List.of(runs.next("A"), runs.next("B")));
        } else if (isPaired || isInTurns) {
            rates = CompareRates.count(comparison, repeats, equalPairs(read()));
        } else {
            final List<List<IntervalSet>> pairs = pairs(read());
            out.printf("%d sets, each pair of them, seed %d%n", sets.size(), seed);
            rates = CompareRates.count(comparison, pairs.size(), pairs::get);
        }
        out.print(CompareReport.text(rates));
        out.flush();
        return ExitCode.OK;
    }

    private IntFunction<List<IntervalSet>> equalPairs(final List<IntervalSet> read) {
        final SplittableRandom random = new SplittableRandom(seed);
        final RunPairs all = isInTurns ? RunPairs.inTurns(read, tag) : RunPairs.neighbours(read);
        out.printf("%d sets, %s: %d pairs%s, seed %d%n", read.size(), isInTurns
                ? "dealt out in turns of half a second"
                : "each with the one after it", all.count(),
                pairCount > 0 ? ", " + pairCount + " drawn from all" : isInTurns ? ", one set at a time" : "", seed);
        if (pairCount == 0 && isInTurns) {
            return repeat -> RunPairs.inTurns(List.of(read.get(repeat % read.size())), tag).dealt(random);
        }
        return repeat -> pairCount == 0 ? all.dealt(random) : all.drawn(pairCount, random);
    }
}
