package io.tiercel.replay.compare;

import io.tiercel.appliance.journal.JournalException;
import io.tiercel.appliance.telemetry.Stage;
import io.tiercel.replay.DamageException;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.StageTimes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** Interval histograms of the stages out of a journal's outcomes, by the time at which requests came. Only reads. */
final class JournalIntervals {

    private static final long HIGHEST_NS = 60_000_000_000L;
    private static final int DIGITS = 3;
    private static final double NS_PER_S = 1e9;

    private final long intervalNs;
    private final Map<String, List<Interval>> byTag = new TreeMap<>();
    private final Map<Stage, Histogram> current = new EnumMap<>(Stage.class);
    private long firstNs = -1;
    private long index;

    private JournalIntervals(final long intervalNs) {
        this.intervalNs = intervalNs;
    }

    /** @throws CompareException if it cannot be read, or is damaged. */
    static IntervalRun read(final Path directory, final long intervalNs) {
        final JournalIntervals intervals = new JournalIntervals(intervalNs);
        try (JoinedJournal journal = JoinedJournal.open(directory, JoinedJournal.Queues.OUTCOMES)) {
            while (journal.next()) {
                if (StageTimes.isKnown(journal.outcomeFrame())) {
                    intervals.add(journal);
                }
            }
        } catch (final JournalException | DamageException e) {
            throw new CompareException("journal=" + directory + " cannot be read: " + e.getMessage(), e);
        }
        intervals.endInterval();
        return new IntervalRun(
                directory.toString(), "ns", intervals.firstNs / NS_PER_S, intervals.byTag);
    }

    private void add(final JoinedJournal journal) {
        firstNs = firstNs < 0 ? journal.ingressNs() : firstNs;
        final long newIndex = Math.max(index, (journal.ingressNs() - firstNs) / intervalNs);
        if (newIndex > index) {
            endInterval();
            index = newIndex;
        }
        for (final Stage stage : Stage.values()) {
            current.computeIfAbsent(stage, ignored -> new Histogram(HIGHEST_NS, DIGITS))
                    .recordValue(Math.min(HIGHEST_NS, StageTimes.ns(journal.outcomeFrame(), stage)));
        }
    }

    private void endInterval() {
        if (current.isEmpty() || current.get(Stage.TOTAL).getTotalCount() == 0) {
            return;
        }
        current.forEach((stage, histogram) -> byTag.computeIfAbsent(stage.tag(), ignored -> new ArrayList<>())
                .add(new Interval(index * intervalNs / NS_PER_S, intervalNs / NS_PER_S, ValueCounts.of(histogram))));
        current.values().forEach(Histogram::reset);
    }
}
