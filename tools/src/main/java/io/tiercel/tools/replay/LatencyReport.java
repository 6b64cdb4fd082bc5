package io.tiercel.tools.replay;

import io.tiercel.appliance.telemetry.Stage;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.latency.ClientLatency;
import io.tiercel.replay.latency.JournalLatency;
import io.tiercel.replay.latency.StageShares;
import io.tiercel.replay.report.HtmlReport;
import io.tiercel.replay.report.Plot;
import io.tiercel.replay.report.Plots;
import io.tiercel.tools.TextTable;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;

/** A journal's latency for people: as text, and as a page with plots. */
final class LatencyReport {

    private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99};
    private static final double[] SHARE_PERCENTILES = {50, 90, 99, 99.9};
    private static final int SHOWN_CLIENTS = 20;
    private static final int SHOWN_BATCHES = 16;
    private static final int SHOWN_VERSION = 16;

    private final Path journal;
    private final JournalLatency latency;
    private final HiccupTracks hiccups;

    LatencyReport(final Path journal, final JournalLatency latency, final HiccupTracks hiccups) {
        this.journal = journal;
        this.latency = latency;
        this.hiccups = hiccups;
    }

    /** A table under a name, so that text and page have the same. */
    private record Section(String name, List<String> header, List<List<String>> rows, String note) {
    }

    private List<Section> sections() {
        final List<Section> sections = new ArrayList<>();
        sections.add(new Section("Stages, µs", latencyHeader("stage"), stageRows(),
                "journal, queue and total from arrival; infer is compute alone; egress from the later of journaled " +
                        "and computed"));
        sections.add(new Section("Models, µs", latencyHeader("model"), rows(shortened(latency.models())),
                "from arrival to the response sent, by the bundle's SHA-256"));
        if (latency.timedCount() > 0) {
            sections.add(new Section("What it was spent on, %", shareHeader(), shareRows(),
                    "of the requests that took about as long; the parts follow each other, and the journal's is " +
                            "what it still took after compute"));
        }
        sections.add(new Section("Outcomes", List.of("status", "outcomes", "share"), statusRows(), ""));
        sections.add(new Section("Batches", List.of("batch", "outcomes", "share"), batchRows(), ""));
        sections.add(new Section("Clients", List.of("principal", "requests", "sessions", "p50 µs", "p99 µs", "max µs"),
                clientRows(), latency.clients().size() > SHOWN_CLIENTS
                        ? "the " + SHOWN_CLIENTS + " of " + latency.clients().size() + " with the most requests"
                        : ""));
        sections.add(new Section("Hiccups of the threads, µs", latencyHeader("thread"), rows(hiccups.byRole()),
                hiccups.byRole().isEmpty() ? hiccups.note() : "idle cycles that took long"));
        return sections;
    }

    String text() {
        final StringBuilder text = new StringBuilder();
        text.append("journal     ").append(journal).append('\n');
        text.append("outcomes    ").append(summary()).append('\n');
        for (final Section section : sections()) {
            text.append('\n').append(section.name());
            text.append(section.note().isEmpty() ? "" : ": " + section.note()).append('\n');
            if (!section.rows().isEmpty()) {
                final TextTable table = TextTable.ofNumbers(section.header().toArray(String[]::new));
                section.rows().forEach(row -> table.row(row.toArray(String[]::new)));
                text.append(table);
            }
        }
        return text.toString();
    }

    private String summary() {
        return String.format(Locale.ROOT, "%,d, sequences %d to %d, from %s, %.3f s, %,.0f/s", latency.outcomeCount(),
                latency.firstSequence(), latency.lastSequence(),
                Instant.ofEpochSecond(0, latency.firstNs()), latency.durationS(),
                latency.durationS() > 0 ? latency.outcomeCount() / latency.durationS() : 0);
    }

    private static List<String> latencyHeader(final String first) {
        final List<String> header = new ArrayList<>(List.of(first));
        for (final double percentile : PERCENTILES) {
            header.add(name(percentile));
        }
        header.addAll(List.of("max", "count"));
        return header;
    }

    private static String name(final double percentile) {
        return "p" + (percentile == Math.rint(percentile)
                ? Integer.toString((int) percentile)
                : Double.toString(percentile));
    }

    private List<List<String>> stageRows() {
        return rows(stages());
    }

    private Map<String, Histogram> stages() {
        final Map<String, Histogram> stages = new LinkedHashMap<>();
        for (final Stage stage : Stage.values()) {
            stages.put(stage.tag(), latency.stages().get(stage));
        }
        return stages;
    }

    private static Map<String, Histogram> shortened(final Map<String, Histogram> models) {
        final Map<String, Histogram> shortened = new LinkedHashMap<>();
        models.forEach((version, histogram) -> shortened.put(version.substring(0, SHOWN_VERSION), histogram));
        return shortened;
    }

    private static List<List<String>> rows(final Map<String, Histogram> histograms) {
        final List<List<String>> rows = new ArrayList<>();
        histograms.forEach((name, histogram) -> {
            final List<String> row = new ArrayList<>(List.of(name));
            for (final double percentile : PERCENTILES) {
                row.add(micros(histogram.getValueAtPercentile(percentile)));
            }
            row.add(micros(histogram.getMaxValue()));
            row.add(String.format(Locale.ROOT, "%,d", histogram.getTotalCount()));
            rows.add(row);
        });
        return rows;
    }

    private static List<String> shareHeader() {
        final List<String> header = new ArrayList<>(List.of("at", "total µs"));
        for (final StageShares.Part part : StageShares.Part.values()) {
            header.add(part.toString());
        }
        return header;
    }

    private List<List<String>> shareRows() {
        final List<List<String>> rows = new ArrayList<>();
        for (final double percentile : SHARE_PERCENTILES) {
            final long totalNs = latency.stages().get(Stage.TOTAL).getValueAtPercentile(percentile);
            final List<String> row = new ArrayList<>(List.of(name(percentile), micros(totalNs)));
            for (final double share : latency.shares().sharesAt(totalNs)) {
                row.add(String.format(Locale.ROOT, "%.1f", 100 * share));
            }
            rows.add(row);
        }
        return rows;
    }

    private List<List<String>> statusRows() {
        final List<List<String>> rows = new ArrayList<>();
        for (final Map.Entry<OutcomeStatus, Long> status : latency.statuses().entrySet()) {
            rows.add(List.of(status.getKey().name(), count(status.getValue()), share(status.getValue())));
        }
        return rows;
    }

    private List<List<String>> batchRows() {
        final List<List<String>> rows = new ArrayList<>();
        long others = 0;
        for (final Map.Entry<Integer, Long> batch : latency.batches().entrySet()) {
            if (rows.size() < SHOWN_BATCHES) {
                rows.add(List.of(Integer.toString(batch.getKey()), count(batch.getValue()), share(batch.getValue())));
            } else {
                others += batch.getValue();
            }
        }
        if (others > 0) {
            rows.add(List.of("larger", count(others), share(others)));
        }
        return rows;
    }

    private List<List<String>> clientRows() {
        return latency.clients().entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<Long, ClientLatency> client) -> -client.getValue()
                        .requestCount()))
                .limit(SHOWN_CLIENTS)
                .map(client -> List.of(String.format(Locale.ROOT, "%016x", client.getKey()),
                        count(client.getValue().requestCount()), count(client.getValue().sessionCount()),
                        micros(client.getValue().totalNs().getValueAtPercentile(50)),
                        micros(client.getValue().totalNs().getValueAtPercentile(99)),
                        micros(client.getValue().totalNs().getMaxValue())))
                .toList();
    }

    HtmlReport html() {
        final HtmlReport report = new HtmlReport("Latency of " + journal);
        report.paragraph("Outcomes: " + summary() + ".");
        for (final Section section : sections()) {
            report.section(section.name());
            if (!section.note().isEmpty()) {
                report.paragraph(section.note() + ".");
            }
            if (!section.rows().isEmpty()) {
                report.table(section.header(), section.rows());
            }
            addPlots(report, section.name());
        }
        return report;
    }

    private void addPlots(final HtmlReport report, final String section) {
        switch (section.split("[ ,]")[0]) {
            case "Stages" -> report
                    .plot(Plots.percentileCurve("Latency by stage", stages()))
                    .plot(Plots.heatMap("From arrival to the response sent, over time", latency.totals()))
                    .plot(Plots.lines("Rate over time", "time, s", "requests/s",
                            List.of(latency.arrivals().rates("requests")), Set.of()));
            case "Models" -> report.plot(Plots.percentileCurve("Latency by model", shortened(latency.models())));
            case "What" -> report.plot(sharePlot());
            case "Batches" -> report.plot(Plots.bars("Outcomes by batch size", "outcomes",
                    batchRows().stream().map(row -> row.get(0)).toList(),
                    List.of(new Plots.Bars("outcomes", batchRows().stream()
                            .mapToDouble(row -> Double.parseDouble(row.get(1).replace(",", ""))).toArray()))));
            case "Hiccups" -> addHiccups(report);
            default -> { // a table says it all
            }
        }
    }

    private Plot sharePlot() {
        final double[][] shares = new double[SHARE_PERCENTILES.length][];
        final List<String> categories = new ArrayList<>();
        for (int index = 0; index < shares.length; index++) {
            final long totalNs = latency.stages().get(Stage.TOTAL).getValueAtPercentile(SHARE_PERCENTILES[index]);
            shares[index] = latency.shares().sharesAt(totalNs);
            categories.add(name(SHARE_PERCENTILES[index]) + ", " + micros(totalNs) + " µs");
        }
        final List<Plots.Bars> bars = new ArrayList<>();
        for (final StageShares.Part part : StageShares.Part.values()) {
            bars.add(new Plots.Bars(part.toString(), IntStream.range(0, shares.length)
                    .mapToDouble(index -> 100 * shares[index][part.ordinal()]).toArray()));
        }
        return Plots.stackedBars("What the time was spent on", "share of the total, %", categories, bars);
    }

    private void addHiccups(final HtmlReport report) {
        if (!hiccups.byRole().isEmpty()) {
            report.plot(Plots.percentileCurve("Hiccups by percentile", hiccups.byRole()))
                    .plot(Plots.lines("Longest hiccup of each interval", "time, s", "µs", hiccups.longest(),
                            Set.of(Plots.Log.Y)));
        }
    }

    private static String count(final long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    private String share(final long count) {
        return String.format(Locale.ROOT, "%.2f%%", 100.0 * count / latency.outcomeCount());
    }

    private static String micros(final long ns) {
        return String.format(Locale.ROOT, ns < 100_000 ? "%,.2f" : "%,.0f", ns / 1e3);
    }
}
