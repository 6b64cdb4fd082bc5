package io.tiercel.tools.load;

import io.tiercel.tools.TextTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.AbstractHistogram;

/** Latencies by name, printed as one aligned table in microseconds. */
public final class LatencyTable {

    private record Row(String name, LatencySummary summary) {
    }

    private final List<Row> rows = new ArrayList<>();

    public LatencyTable add(final String name, final LatencySummary summary) {
        rows.add(new Row(name, summary));
        return this;
    }

    /** Adds a histogram of nanoseconds. */
    public LatencyTable add(final String name, final AbstractHistogram histogramNs) {
        return add(name, LatencySummary.of(histogramNs));
    }

    @Override
    public String toString() {
        final TextTable table = TextTable.ofNumbers("µs", "p50", "p90", "p99", "p99.9", "p99.99", "max", "count");
        for (final Row row : rows) {
            final LatencySummary us = row.summary();
            table.row(row.name(), format(us.p50()), format(us.p90()), format(us.p99()), format(us.p999()),
                    format(us.p9999()), format(us.max()), Long.toString(us.count()));
        }
        return table.toString();
    }

    /** Microseconds as every table prints them: two decimals, never the comma of a locale. */
    public static String format(final double us) {
        return String.format(Locale.ROOT, "%.2f", us);
    }
}
