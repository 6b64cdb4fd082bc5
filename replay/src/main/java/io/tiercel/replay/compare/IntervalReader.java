package io.tiercel.replay.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Reads a set: each path is a run, or a folder of runs. A folder with a {@code journal.yaml} is a journal, whose
 * outcomes are read; in any other one each {@code .hlog} file is a run.
 */
public final class IntervalReader {

    private static final String JOURNAL_MARK = "journal.yaml";

    private final long journalIntervalNs;
    private final double skippedS;

    /**
     * @param journalIntervalNs how journals are cut.
     * @param skippedS          what is left out at the beginning of each run.
     */
    public IntervalReader(final long journalIntervalNs, final double skippedS) {
        this.journalIntervalNs = journalIntervalNs;
        this.skippedS = skippedS;
    }

    /** @throws CompareException if there is nothing that can be read. */
    public IntervalSet read(final String name, final List<Path> paths) {
        final List<IntervalRun> runs = new ArrayList<>();
        paths.forEach(path -> addRuns(runs, path));
        for (final IntervalRun run : runs) {
            if (run.byTag().isEmpty()) {
                throw new CompareException("run=" + run.name() + " has no intervals with values" +
                        (skippedS > 0 ? " behind its first " + skippedS + " s" : ""));
            }
        }
        checkUnits(runs);
        return new IntervalSet(name, runs);
    }

    private void addRuns(final List<IntervalRun> runs, final Path path) {
        if (!Files.exists(path)) {
            throw new CompareException("set=" + path + " does not exist");
        }
        if (!Files.isDirectory(path)) {
            runs.add(skipped(HistogramLogs.read(path)));
        } else if (Files.exists(path.resolve(JOURNAL_MARK))) {
            runs.add(skipped(JournalIntervals.read(path, journalIntervalNs)));
        } else {
            logs(path).forEach(file -> runs.add(skipped(HistogramLogs.read(file))));
        }
    }

    private static List<Path> logs(final Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            final List<Path> logs =
                    files.filter(file -> file.toString().endsWith(HistogramLogs.SUFFIX)).sorted().toList();
            if (logs.isEmpty()) {
                throw new CompareException("set=" + directory + " is neither a journal nor holds .hlog files");
            }
            return logs;
        } catch (final IOException e) {
            throw new CompareException("set=" + directory + " cannot be read: " + e.getMessage(), e);
        }
    }

    private IntervalRun skipped(final IntervalRun run) {
        if (skippedS <= 0) {
            return run;
        }
        final Map<String, List<Interval>> kept = new TreeMap<>();
        run.byTag().forEach((tag, intervals) -> {
            final List<Interval> later =
                    intervals.stream().filter(interval -> interval.beginS() >= skippedS).toList();
            if (!later.isEmpty()) {
                kept.put(tag, later);
            }
        });
        return new IntervalRun(run.name(), run.unit(), run.beginEpochS(), kept);
    }

    /** @throws CompareException if two runs state different units. */
    static void checkUnits(final List<IntervalRun> runs) {
        IntervalRun first = null;
        for (final IntervalRun run : runs) {
            if (run.unit() == null) {
                continue;
            }
            if (first != null && !first.unit().equals(run.unit())) {
                throw new CompareException("units differ: " + first.name() + " is in " + first.unit() + ", " +
                        run.name() + " in " + run.unit());
            }
            first = run;
        }
    }
}
