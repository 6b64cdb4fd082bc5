package io.tiercel.tools.replay;

import io.tiercel.replay.compare.CompareException;
import io.tiercel.replay.compare.Interval;
import io.tiercel.replay.compare.IntervalReader;
import io.tiercel.replay.compare.IntervalRun;
import io.tiercel.replay.latency.JournalLatency;
import io.tiercel.replay.report.Plots;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/**
 * The hiccups of an appliance's threads while a journal was written: idle cycles that took long, because a thread had
 * no core or waited for something. Out of the telemetry that the appliance writes beside the journal; where that is
 * not, or cannot be read, there are none, and a line says why.
 *
 * @param byRole  in ns, by the thread's role.
 * @param longest of each interval, µs, over seconds since the journal's first request.
 * @param note    why there is nothing; empty if there is.
 */
record HiccupTracks(Map<String, Histogram> byRole, List<Plots.Series> longest, String note) {

    private static final String PREFIX = "hiccup-";
    private static final String FOLDER = "telemetry";
    private static final int DEPTH = 3;

    private static final HiccupTracks NONE =
            new HiccupTracks(Map.of(), List.of(), "no " + FOLDER + " beside the journal");

    static HiccupTracks read(final Path journal, final JournalLatency latency) {
        final Path folder = journal.resolve(FOLDER);
        if (!Files.isDirectory(folder)) {
            return NONE;
        }
        final HiccupTracks tracks = new HiccupTracks(new TreeMap<>(), new ArrayList<>(), "");
        try (Stream<Path> paths = Files.walk(folder, DEPTH)) {
            final List<Path> files = paths.filter(path -> path.toString().endsWith(".hlog")).sorted().toList();
            if (files.isEmpty()) {
                return NONE;
            }
            for (final Path file : files) {
                new IntervalReader(1, 0).read(file.toString(), List.of(file)).runs()
                        .forEach(run -> tracks.add(run, latency));
            }
        } catch (final IOException | CompareException e) {
            return new HiccupTracks(Map.of(), List.of(), "telemetry not used: " + e.getMessage());
        }
        return tracks.byRole.isEmpty()
                ? new HiccupTracks(Map.of(), List.of(), "the telemetry is of another time than the journal's requests")
                : tracks;
    }

    private void add(final IntervalRun run, final JournalLatency latency) {
        final double beginS = run.beginEpochS() - latency.firstNs() / 1e9;
        for (final String tag : run.byTag().keySet()) {
            if (tag.startsWith(PREFIX)) {
                final List<Interval> meanwhile = run.intervals(tag).stream().filter(interval -> beginS +
                        interval.beginS() + interval.lengthS() >= 0 && beginS + interval.beginS()
                                <= latency
                                        .durationS())
                        .toList();
                if (!meanwhile.isEmpty()) {
                    add(tag.substring(PREFIX.length()), meanwhile, beginS);
                }
            }
        }
    }

    private void add(final String role, final List<Interval> intervals, final double beginS) {
        final Histogram all = byRole.computeIfAbsent(role, ignored -> {
            final Histogram histogram = new Histogram(3);
            histogram.setAutoResize(true);
            return histogram;
        });
        intervals.forEach(interval -> interval.values().addTo(all));
        longest.add(new Plots.Series("longest of " + role,
                intervals.stream().mapToDouble(
                        interval -> Math.max(0, beginS + interval.beginS() + interval.lengthS() / 2)).toArray(),
                intervals.stream().mapToDouble(interval -> interval.values().max() / 1e3).toArray()));
    }
}
