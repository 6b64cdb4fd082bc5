package io.tiercel.tools.replay;

import io.tiercel.replay.compare.CompareOptions;
import io.tiercel.replay.compare.CompareRates;
import io.tiercel.replay.compare.Comparison;
import io.tiercel.replay.compare.Interval;
import io.tiercel.replay.compare.IntervalSet;
import io.tiercel.replay.compare.QuantileComparison;
import io.tiercel.replay.compare.SeriesChange;
import io.tiercel.replay.compare.SeriesComparison;
import io.tiercel.replay.compare.Verdict;
import io.tiercel.replay.report.HtmlReport;
import io.tiercel.replay.report.Plot;
import io.tiercel.replay.report.Plots;
import io.tiercel.tools.TextTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** A comparison for people: as text, and as a page with plots. */
final class CompareReport {

    private static final double P99 = 99;
    private static final double GAP_INTERVALS = 1.5;
    private static final List<String> HEADER = List.of("quantile", "A µs", "B µs", "change", "95 % interval", "typical",
            "confidence", "blocks", "of s", "verdict", "remark");
    private static final int WORDS_AT_END = 2;
    private static final String EXPLANATION = "change: of the quantile of everything, with its bootstrap interval. " +
            "typical: of a typical moment. confidence: that the sets differ, by the surer of the two, corrected for " +
            "all tests made. blocks: of time, of A and of B, and how many seconds long.";

    private final double threshold;
    private final double confidence;
    private final long seed;

    CompareReport(final double threshold, final double confidence, final long seed) {
        this.threshold = threshold;
        this.confidence = confidence;
        this.seed = seed;
    }

    String text(final Comparison comparison) {
        return head(comparison.setA(), comparison.setB(), comparison.tag(), comparison.unit()) + table(comparison)
                + "compare: " + result(comparison) + "\n";
    }

    String head(final IntervalSet setA, final IntervalSet setB, final String tag, final String unit) {
        return "A           " + describe(setA, tag) + "\n" +
                "B           " + describe(setB, tag) + "\n" +
                "compared    " + compared(tag, unit) + "\n";
    }

    private String compared(final String tag, final String unit) {
        return "tag " + tag + (unit == null ? ", no unit stated, taken as ns" : "") + ", threshold " +
                percent(threshold) + ", confidence " + percent(confidence) + ", seed " + seed;
    }

    private static String describe(final IntervalSet set, final String tag) {
        final List<Interval> intervals = set.intervals(tag);
        final long count = intervals.stream().mapToLong(interval -> interval.values().total()).sum();
        return String.format(Locale.ROOT, "%s: %d run%s, %,d intervals, %,d values", set.name(), set.runs().size(),
                set.runs().size() == 1 ? "" : "s", intervals.size(), count);
    }

    private TextTable table(final Comparison comparison) {
        final TextTable table = TextTable.ofNumbersBetween(HEADER.subList(0, HEADER.size() - WORDS_AT_END)
                .toArray(String[]::new),
                HEADER.subList(HEADER.size() - WORDS_AT_END, HEADER.size())
                        .toArray(String[]::new));
        rows(comparison).forEach(row -> table.row(row.toArray(String[]::new)));
        return table;
    }

    private List<List<String>> rows(final Comparison comparison) {
        final double perUs = perUs(comparison.unit());
        final List<List<String>> rows = new ArrayList<>();
        for (final QuantileComparison quantile : comparison.quantiles()) {
            final var result = quantile.result();
            final List<String> row = new ArrayList<>(List.of(quantile.name()));
            if (result == null) {
                row.addAll(List.of("-", "-", "-", "-", "-", "-"));
            } else {
                row.addAll(List.of(micros(result.valueA() / perUs), micros(result.valueB() / perUs),
                        signed(result.change()), signed(result.changeLow()) + " .. " + signed(result.changeHigh()),
                        signed(result.typicalChange()), percent(quantile.confidence())));
            }
            row.add(quantile.blocksA() + ", " + quantile.blocksB());
            row.add(String.format(Locale.ROOT, "%.1f", quantile.blockLengthS()));
            row.add(quantile.verdict().toString());
            row.add(remark(quantile));
            rows.add(row);
        }
        return rows;
    }

    /** Where no difference was seen, a reader should know how large a one might have been missed. */
    private String remark(final QuantileComparison quantile) {
        if (quantile.verdict() != Verdict.NO_DIFFERENCE || quantile.isWithinRuns()) {
            return quantile.remark();
        }
        if (quantile.confidence() >= confidence) {
            return "surely different, but below the threshold";
        }
        final double known =
                Math.max(Math.abs(quantile.result().changeLow()), Math.abs(quantile.result().changeHigh()));
        return known <= threshold ? "" : "the whole is known to " + percent(Math.ceil(known * 100) / 100) + " only";
    }

    private String result(final Comparison comparison) {
        final List<String> parts = new ArrayList<>();
        for (final QuantileComparison quantile : comparison.quantiles()) {
            if (quantile.verdict() == comparison.verdict() && quantile.result() != null
                    && quantile.verdict() != Verdict.NO_DIFFERENCE) {
                parts.add(quantile.name() + " " + signed(surerChange(quantile)));
            }
        }
        final String name = comparison.verdict().toString().toUpperCase(Locale.ROOT);
        return parts.isEmpty()
                ? name
                : name + ", " + String.join(", ", parts) + ", confidence " + percent(comparison.confidence());
    }

    /** Of the test that the verdict is from. */
    private static double surerChange(final QuantileComparison quantile) {
        return quantile.wholeVerdict() == quantile.verdict()
                ? quantile.result().change()
                : quantile.result().typicalChange();
    }

    String text(final SeriesComparison series, final Comparison ends) {
        final StringBuilder text = new StringBuilder();
        text.append("sets        ").append(series.sets().size()).append(", oldest first\n");
        text.append("compared    ").append(compared(series.tag(), series.unit())).append('\n');
        final TextTable values = TextTable.ofNumbers(seriesHeader(series));
        seriesRows(series).forEach(row -> values.row(row.toArray(String[]::new)));
        text.append(values);
        if (series.changes().isEmpty()) {
            text.append("changes     none seen\n");
        }
        for (final SeriesChange change : series.changes()) {
            text.append("change      ").append(describe(series, change)).append('\n');
        }
        text.append("first and last\n").append(table(ends));
        return text.append("compare: ").append(result(series, ends)).append('\n').toString();
    }

    private static String[] seriesHeader(final SeriesComparison series) {
        final List<String> header = new ArrayList<>(List.of("set"));
        series.quantiles().forEach(quantile -> header.add(CompareOptions.quantileName(quantile) + " µs"));
        return header.toArray(String[]::new);
    }

    private static List<List<String>> seriesRows(final SeriesComparison series) {
        final List<List<String>> rows = new ArrayList<>();
        for (int set = 0; set < series.sets().size(); set++) {
            final List<String> row = new ArrayList<>(List.of(series.sets().get(set).name()));
            for (final double[] values : series.values()) {
                row.add(micros(values[set] / perUs(series.unit())));
            }
            rows.add(row);
        }
        return rows;
    }

    private String describe(final SeriesComparison series, final SeriesChange change) {
        final double perUs = perUs(series.unit());
        return CompareOptions.quantileName(change.quantile()) + " from " +
                series.sets().get(change.firstIndex()).name() + " on: " + micros(change.before() / perUs) + " to " +
                micros(change.after() / perUs) + " µs, " + signed(change.change()) + ", confidence " +
                percent(change.confidence()) + (change.isRelevant() ? "" : ", below the threshold");
    }

    private String result(final SeriesComparison series, final Comparison ends) {
        if (series.verdict() == Verdict.TOO_LITTLE_DATA) {
            return "of fewer than " + SeriesComparison.FEWEST_SETS + " sets no change point can be sure, so the first "
                    + "and the last: " + result(ends);
        }
        final List<SeriesChange> last =
                series.changes().stream().filter(change -> change.isLast() && change.isRelevant()).toList();
        final List<String> parts = last.stream().map(change -> describe(series, change)).toList();
        final String name = series.verdict().toString().toUpperCase(Locale.ROOT);
        return parts.isEmpty() ? name : name + "; " + String.join("; ", parts);
    }

    static String text(final CompareRates rates) {
        final TextTable table = TextTable.ofNumbers("pairs", "called slower", "called faster", "cannot tell", "at p99");
        table.row("equal", of(rates.falseAlarms(), rates), of(rates.falsePraise(), rates),
                of(rates.cannotTell(), rates), "");
        table.row("the second 10 % slower above p98", of(rates.found(), rates), of(rates.missedAsFaster(), rates),
                of(rates.missedAsUntold(), rates), of(rates.foundAtP99(), rates));
        return table.toString();
    }

    private static String of(final int count, final CompareRates rates) {
        return count + " of " + rates.repeats();
    }

    HtmlReport html(final Comparison comparison) {
        final HtmlReport report = new HtmlReport("Latency, " + comparison.setA().name() + " against " +
                comparison.setB().name());
        addPair(report, "Verdict", comparison);
        return report;
    }

    private void addPair(final HtmlReport report, final String section, final Comparison comparison) {
        report.section(section)
                .paragraph(result(comparison))
                .paragraph("A: " + describe(comparison.setA(), comparison.tag()) + ". B: " +
                        describe(comparison.setB(), comparison.tag()) + ". Compared: " +
                        compared(comparison.tag(), comparison.unit()) + ".")
                .table(HEADER, rows(comparison))
                .paragraph(EXPLANATION);
        final List<Plots.Estimate> estimates = new ArrayList<>();
        for (final QuantileComparison quantile : comparison.quantiles()) {
            if (quantile.result() != null) {
                estimates.add(new Plots.Estimate(quantile.name(), 100 * quantile.result().changeLow(),
                        100 * quantile.result().change(), 100 * quantile.result().changeHigh()));
            }
        }
        report.plot(Plots.estimates("Change from A to B with 95 % intervals", "change, %", estimates))
                .section("Percentiles")
                .plot(Plots.percentileCurve("Latency by percentile", pooled(
                        List.of(comparison.setA(), comparison.setB()), List.of("A", "B"), comparison)))
                .section("Over time")
                .plot(overTime("p50 of each interval", comparison, 50))
                .plot(overTime("p99 of each interval", comparison, P99));
    }

    private static Map<String, Histogram> pooled(
            final List<IntervalSet> sets, final List<String> names, final Comparison comparison) {
        final Map<String, Histogram> pooled = new LinkedHashMap<>();
        for (int index = 0; index < sets.size(); index++) {
            pooled.put(names.get(index),
                    inNs(sets.get(index).pooled(comparison.tag()), 1_000 / perUs(comparison.unit())));
        }
        return pooled;
    }

    private static Histogram inNs(final Histogram histogram, final double factor) {
        if (factor == 1) {
            return histogram;
        }
        final Histogram scaled = new Histogram(histogram.getNumberOfSignificantValueDigits());
        scaled.setAutoResize(true);
        histogram.recordedValues().forEach(cell -> scaled.recordValueWithCount(
                Math.round(cell.getValueIteratedTo() * factor), cell.getCountAddedInThisIterationStep()));
        return scaled;
    }

    private static Plot overTime(
            final String title, final Comparison comparison, final double percentile) {
        final List<Plots.Series> series = new ArrayList<>();
        addOverTime(series, "A", comparison.setA(), comparison, percentile);
        addOverTime(series, "B", comparison.setB(), comparison, percentile);
        return Plots.lines(title, "time since the run began, s", "µs", series, Set.of(Plots.Log.Y));
    }

    private static void addOverTime(final List<Plots.Series> series, final String name, final IntervalSet set,
            final Comparison comparison, final double percentile) {
        final double perUs = perUs(comparison.unit());
        for (int run = 0; run < set.runs().size(); run++) {
            series.add(withGaps(set.runs().size() == 1 ? name : name + (run + 1),
                    set.runs().get(run).intervals(comparison.tag()), percentile, perUs));
        }
    }

    /** No line over a stretch in which nothing was recorded. */
    private static Plots.Series withGaps(
            final String name, final List<Interval> intervals, final double percentile, final double perUs) {
        final List<double[]> points = new ArrayList<>();
        double endS = Double.POSITIVE_INFINITY;
        for (final Interval interval : intervals) {
            if (interval.beginS() > endS + GAP_INTERVALS * interval.lengthS()) {
                points.add(new double[] {endS, Double.NaN});
            }
            points.add(new double[] {
                interval.beginS(), interval.values().quantile(percentile / 100) / perUs});
            endS = interval.beginS() + interval.lengthS();
        }
        return new Plots.Series(name, points.stream().mapToDouble(point -> point[0]).toArray(),
                points.stream().mapToDouble(point -> point[1]).toArray());
    }

    HtmlReport html(final SeriesComparison series, final Comparison ends) {
        final HtmlReport report = new HtmlReport("Latency over " + series.sets().size() + " sets");
        report.section("Series").paragraph(result(series, ends)).paragraph(compared(series.tag(), series.unit()))
                .table(List.of(seriesHeader(series)), seriesRows(series));
        if (!series.changes().isEmpty()) {
            report.table(List.of("change"),
                    series.changes().stream().map(change -> List.of(describe(series, change))).toList());
        }
        final Map<Double, String> marks = new TreeMap<>();
        final List<Plots.Series> lines = new ArrayList<>();
        final double[] places = new double[series.sets().size()];
        Arrays.setAll(places, index -> index + 1);
        for (int index = 0; index < series.quantiles().size(); index++) {
            final double perUs = perUs(series.unit());
            lines.add(new Plots.Series(CompareOptions.quantileName(series.quantiles().get(index)), places,
                    Arrays.stream(series.values()[index]).map(value -> value / perUs).toArray()));
        }
        series.changes().forEach(change -> marks.merge(change.firstIndex() + 0.5,
                CompareOptions.quantileName(change.quantile()), (left, right) -> left + ", " + right));
        report.plot(Plots.lines("Quantiles over the series", "set", "µs", lines, Set.of(Plots.Log.Y), marks));
        addPair(report, "First and last", ends);
        return report;
    }

    /** Recorded values in a microsecond. */
    static double perUs(final String unit) {
        return unit == null || unit.equals("ns") ? 1e3 : unit.equals("us") ? 1 : 1e-3;
    }

    static String micros(final double us) {
        return String.format(Locale.ROOT, us < 100 ? "%,.2f" : "%,.0f", us);
    }

    static String signed(final double share) {
        return String.format(Locale.ROOT, "%+.1f%%", 100 * share);
    }

    /** A confidence is never rounded up to certainty. */
    static String percent(final double share) {
        final double floored = Math.floor(share * 1e4 + 1e-6) / 1e2;
        final String text = String.format(Locale.ROOT, "%.2f", floored);
        return text.replaceFirst("\\.?0+$", "") + " %";
    }
}
