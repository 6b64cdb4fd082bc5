package io.tiercel.tools.kv;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.TextTable;
import io.tiercel.tools.load.LatencySummary;
import io.tiercel.tools.load.LatencyTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * Measures what it takes to have many sessions with the same past, and what a step of one of them then takes, for each
 * {@link Beginning}, by turns. One thread, the caller's.
 */
final class ForkBench {

    static final int TURNS = 5;

    private static final double BYTES_PER_KB = 1_000;

    private final Bundle bundle;
    private final int sessionCount;
    private final int tokenCount;
    private final long seed;
    private final NanoClock clock;

    /**
     * @param beginNs of each session but the first.
     * @param stepNs  cold, of each session.
     * @param ownBytes of a session's state that no other one has too, when all have made their steps.
     * @param commonBytes of the pages that sessions have in common, each once.
     */
    record Row(Beginning beginning, Histogram beginNs, Histogram stepNs, long ownBytes, long commonBytes) {
    }

    /** @param tokenCount of the warm-up. */
    ForkBench(
            final Bundle bundle, final int sessionCount, final int tokenCount, final long seed, final NanoClock clock) {
        this.bundle = bundle;
        this.sessionCount = sessionCount;
        this.tokenCount = tokenCount;
        this.seed = seed;
        this.clock = clock;
    }

    List<Row> measure(final StatusLine status) {
        final Map<Beginning, Row> rows = new LinkedHashMap<>();
        try {
            for (int turn = 0; turn < TURNS; turn++) {
                for (final Beginning beginning : Beginning.values()) {
                    status.show(beginning.title() + ": turn " + (turn + 1) + " of " + TURNS);
                    rows.merge(beginning, measure(beginning, turn), ForkBench::merge);
                }
            }
        } finally {
            status.clear();
        }
        return new ArrayList<>(rows.values());
    }

    private Row measure(final Beginning beginning, final int turn) {
        final SplittableRandom random = new SplittableRandom(seed + turn);
        final int[] tokens = random.ints(tokenCount, 0, bundle.manifest().shape().get("vocabulary")).toArray();
        try (StepTimes times = new StepTimes(bundle, sessionCount, tokens, tokenCount, clock)) {
            final Histogram beginNs = times.begin(beginning);
            final Histogram stepNs = times.cold(random);
            return new Row(beginning, beginNs, stepNs, times.ownBytes() / sessionCount, times.commonBytes());
        }
    }

    private static Row merge(final Row one, final Row other) {
        one.beginNs.add(other.beginNs);
        one.stepNs.add(other.stepNs);
        return one;
    }

    /** How the columns are to be read. */
    static String legend() {
        return """
                begin: µs until a session stands behind the warm-up; step: µs of a step, from its begin until its \
                answer is there, of all
                sessions in a random order; own: KB of a state that no other session has too; common: KB of the pages \
                that sessions
                have in common, all of them together""";
    }

    static TextTable table(final List<Row> rows) {
        final TextTable table = TextTable.ofNumbers("sessions", "begin p50", "p99", "max", "step p50", "p99", "p99.9",
                "max", "own KB", "common KB");
        for (final Row row : rows) {
            final LatencySummary begin = LatencySummary.of(row.beginNs);
            final LatencySummary step = LatencySummary.of(row.stepNs);
            table.row(row.beginning.title(), LatencyTable.format(begin.p50()), LatencyTable.format(begin.p99()),
                    LatencyTable.format(begin.max()), LatencyTable.format(step.p50()),
                    LatencyTable.format(step.p99()), LatencyTable.format(step.p999()),
                    LatencyTable.format(step.max()), kilobytes(row.ownBytes), kilobytes(row.commonBytes));
        }
        return table;
    }

    static List<Map<String, Object>> json(final List<Row> rows) {
        return rows.stream().map(ForkBench::json).toList();
    }

    private static Map<String, Object> json(final Row row) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("beginning", row.beginning.title());
        json.put("beginUs", LatencySummary.of(row.beginNs).toJson());
        json.put("stepUs", LatencySummary.of(row.stepNs).toJson());
        json.put("ownBytes", row.ownBytes);
        json.put("commonBytes", row.commonBytes);
        return json;
    }

    private static String kilobytes(final long bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / BYTES_PER_KB);
    }
}
