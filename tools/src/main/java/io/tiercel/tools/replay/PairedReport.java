package io.tiercel.tools.replay;

import io.tiercel.replay.compare.PairedComparison;
import io.tiercel.replay.compare.PairedQuantile;
import io.tiercel.replay.compare.Verdict;
import io.tiercel.replay.report.HtmlReport;
import io.tiercel.replay.report.Plots;
import io.tiercel.tools.TextTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A comparison in pairs for people: as text, and as a page. */
final class PairedReport {

    private static final List<String> NUMBERS =
            List.of("quantile", "A µs", "B µs", "change", "interval", "confidence", "pairs");
    private static final List<String> WORDS = List.of("verdict", "remark");

    private final CompareReport common;
    private final double threshold;

    /** @param common what it has in common with other comparisons. */
    PairedReport(final CompareReport common, final double threshold) {
        this.common = common;
        this.threshold = threshold;
    }

    String text(final PairedComparison comparison) {
        final TextTable table =
                TextTable.ofNumbersBetween(NUMBERS.toArray(String[]::new), WORDS.toArray(String[]::new));
        rows(comparison).forEach(row -> table.row(row.toArray(String[]::new)));
        return common.head(comparison.setA(), comparison.setB(), comparison.tag(), comparison.unit()) + table +
                "compare: " + result(comparison) + "\n";
    }

    private List<List<String>> rows(final PairedComparison comparison) {
        final double perUs = CompareReport.perUs(comparison.unit());
        final List<List<String>> rows = new ArrayList<>();
        for (final PairedQuantile quantile : comparison.quantiles()) {
            final List<String> row = new ArrayList<>(List.of(quantile.name()));
            if (quantile.verdict() == Verdict.TOO_LITTLE_DATA) {
                row.addAll(List.of("-", "-", "-", "-", "-"));
            } else {
                row.addAll(List.of(CompareReport.micros(quantile.valueA() / perUs),
                        CompareReport.micros(quantile.valueB() / perUs), CompareReport.signed(quantile.change()),
                        CompareReport.signed(quantile.changeLow()) + " .. " +
                                CompareReport.signed(quantile.changeHigh()),
                        CompareReport.percent(1 - Math.min(quantile.slowerChance(), quantile.fasterChance()))));
            }
            row.addAll(List.of(Integer.toString(quantile.pairs()), quantile.verdict().toString(), remark(quantile)));
            rows.add(row);
        }
        return rows;
    }

    private String remark(final PairedQuantile quantile) {
        return switch (quantile.verdict()) {
            case CANNOT_TELL -> pairs(quantile.morePairs()) + " would be needed for " +
                    CompareReport.percent(threshold);
            case TOO_LITTLE_DATA -> "runs are too short for it";
            default -> "";
        };
    }

    private static String pairs(final int count) {
        return String.format(Locale.ROOT, "%,d more pair%s", count, count == 1 ? "" : "s");
    }

    private String result(final PairedComparison comparison) {
        final Verdict verdict = comparison.verdict();
        final String name = verdict.toString().toUpperCase(Locale.ROOT);
        final List<PairedQuantile> meant =
                comparison.quantiles().stream().filter(quantile -> quantile.verdict() == verdict).toList();
        final String names = String.join(", ", meant.stream().map(quantile -> verdict == Verdict.CANNOT_TELL
                ? quantile.name()
                : quantile.name() + " " + CompareReport.signed(quantile.change())).toList());
        return switch (verdict) {
            case CANNOT_TELL -> name + " at " + names + ": " + pairs(comparison.morePairs()) + " would be needed";
            case NO_DIFFERENCE -> name + ", all changes are below " + CompareReport.percent(threshold);
            default -> name + ", " + names;
        };
    }

    HtmlReport html(final PairedComparison comparison) {
        final List<String> header = new ArrayList<>(NUMBERS);
        header.addAll(WORDS);
        final List<Plots.Estimate> estimates = comparison.quantiles().stream()
                .filter(quantile -> Double.isFinite(quantile.changeHigh()) && quantile.pairs() > 0)
                .map(quantile -> new Plots.Estimate(quantile.name(), 100 * quantile.changeLow(),
                        100 * quantile.change(), 100 * quantile.changeHigh()))
                .toList();
        return new HtmlReport("Latency in pairs, " + comparison.setA().name() + " against " +
                comparison.setB().name())
                .section("Verdict")
                .paragraph(result(comparison))
                .table(header, rows(comparison))
                .plot(Plots.estimates("Change within pairs, with intervals", "change, %", estimates));
    }
}
