package io.tiercel.tools.replay;

import io.tiercel.replay.report.HtmlReport;
import io.tiercel.replay.report.Plot;
import io.tiercel.replay.report.Plots;
import io.tiercel.replay.whatif.Changes;
import io.tiercel.replay.whatif.Quality;
import io.tiercel.replay.whatif.WhatIfReport;
import io.tiercel.replay.whatif.WhatIfReport.Measure;
import io.tiercel.replay.whatif.WhatIfReport.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoubleBinaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;

/** A what-if as one HTML page, with plots. */
final class WhatIfPage {

    private static final int SESSION_LIMIT = 20;
    private static final double PERCENT = 100;

    private final WhatIfReport report;
    private final WhatIfTables tables;

    private WhatIfPage(final WhatIfReport report) {
        this.report = report;
        this.tables = new WhatIfTables(report);
    }

    static HtmlReport of(final WhatIfReport report) {
        return new WhatIfPage(report).page();
    }

    private HtmlReport page() {
        final HtmlReport page = new HtmlReport("what if: " + report.journalDirectory().getFileName());
        page.section("What was compared").preformatted(String.join("\n", WhatIfText.facts(report)));
        page.section("Models");
        append(page, tables.summary());
        page.plot(differences());
        if (report.journaled().measure() != Measure.NONE) {
            page.plot(quality());
        }
        page.plot(Plots.percentileCurve("a step, in turns in one process", steps()));
        page.section("Sizes of the changes").paragraph("Absolute changes of " + (report.namesTokens()
                ? "the likeliest token's probability."
                : "each output.")).plot(changeSizes());
        page.section("By hour");
        append(page, tables.byHour());
        if (hours().size() > 1) {
            page.plot(byHour());
        }
        page.section("By session");
        append(page, tables.worstSessions(SESSION_LIMIT));
        return page.plot(bySession());
    }

    private void append(final HtmlReport page, final WhatIfTables.Table table) {
        page.table(table.header(), table.rows());
    }

    private Plot differences() {
        return Plots.bars("how many answers differ", tables.headlineName(), names(report.candidates()),
                List.of(new Plots.Bars(tables.headlineName(),
                        report.candidates().stream().mapToDouble(one -> headline(one.changes())).toArray())));
    }

    /** Beside the journal's own: the figures themselves differ in their last digits, and stand in the table. */
    private Plot quality() {
        return switch (report.journaled().measure()) {
            case CLASSES -> Plots.bars("quality on the labels, less that of the journal's own", "percentage points",
                    names(report.candidates()), List.of(
                            new Plots.Bars("accuracy",
                                    beside(one -> PERCENT * one.accuracy(), (value, own) -> value - own)),
                            new Plots.Bars("balanced accuracy",
                                    beside(one -> PERCENT * one.balancedAccuracy(), (value, own) -> value - own))));
            case TOKENS -> relative("perplexity of the tokens that came next", Quality::perplexity);
            default -> relative("mean error on the labels", Quality::meanError);
        };
    }

    private Plot relative(final String name, final ToDoubleFunction<Quality> figure) {
        return Plots.bars(name + ", beside the journal's own", "%", names(report.candidates()), List.of(
                new Plots.Bars(name, beside(figure, (value, own) -> PERCENT * (value / own - 1)))));
    }

    private double[] beside(final ToDoubleFunction<Quality> figure, final DoubleBinaryOperator difference) {
        final double own = figure.applyAsDouble(report.journaled().quality());
        return report.candidates().stream()
                .mapToDouble(one -> difference.applyAsDouble(figure.applyAsDouble(one.quality()), own))
                .toArray();
    }

    private Map<String, Histogram> steps() {
        final Map<String, Histogram> steps = new LinkedHashMap<>();
        report.subjects().stream().filter(one -> one.stepNs().getTotalCount() > 0)
                .forEach(one -> steps.put(name(one), one.stepNs()));
        return steps;
    }

    private Plot changeSizes() {
        final double[] percentiles = IntStream.rangeClosed(1, 99).asDoubleStream().toArray();
        final List<Plots.Series> series = report.candidates().stream()
                .map(one -> new Plots.Series(one.name(), percentiles,
                        Arrays.stream(percentiles).map(one::changeAtPercentile).toArray()))
                .toList();
        return Plots.lines("absolute change by percentile", "percentile", "change", series, Set.of(Plots.Log.Y));
    }

    private TreeSet<Long> hours() {
        final TreeSet<Long> hours = new TreeSet<>();
        report.candidates().forEach(one -> hours.addAll(one.byHour().keySet()));
        return hours;
    }

    private Plot byHour() {
        final double[] hours = hours().stream().mapToDouble(Long::doubleValue).toArray();
        final double[] since = Arrays.stream(hours).map(hour -> hour - hours[0]).toArray();
        final List<Plots.Series> series = report.candidates().stream()
                .map(one -> new Plots.Series(one.name(), since, Arrays.stream(hours)
                        .map(hour -> headline(one.byHour().getOrDefault((long) hour, new Changes()))).toArray()))
                .toList();
        return Plots.lines("by hour", "hours since " + WhatIfTables.hourText((long) hours[0]) + " UTC",
                tables.headlineName(), series, Set.of());
    }

    /** Sessions in the order of how much a candidate changes them, each candidate in its own. */
    private Plot bySession() {
        final List<Plots.Series> series = new ArrayList<>();
        for (final Result one : report.candidates()) {
            final double[] shares = one.worstSessions(Integer.MAX_VALUE).stream()
                    .mapToDouble(session -> headline(session.getValue())).toArray();
            final double[] ranks = IntStream.rangeClosed(1, shares.length)
                    .mapToDouble(rank -> PERCENT * rank / shares.length).toArray();
            series.add(new Plots.Series(one.name(), ranks, shares));
        }
        return Plots.lines("sessions, those that change most first", "% of the sessions", tables.headlineName(), series,
                Set.of());
    }

    private double headline(final Changes changes) {
        return tables.hasDecisions() ? PERCENT * changes.changedDecisionShare() : changes.mean();
    }

    private List<String> names(final List<Result> results) {
        return results.stream().map(this::name).toList();
    }

    private String name(final Result result) {
        return result == report.journaled() ? WhatIfTables.OWN_NAME : result.name();
    }
}
