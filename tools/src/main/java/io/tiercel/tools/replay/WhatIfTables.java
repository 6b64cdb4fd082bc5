package io.tiercel.tools.replay;

import io.tiercel.replay.whatif.Changes;
import io.tiercel.replay.whatif.Quality;
import io.tiercel.replay.whatif.SessionName;
import io.tiercel.replay.whatif.WhatIfReport;
import io.tiercel.replay.whatif.WhatIfReport.Measure;
import io.tiercel.replay.whatif.WhatIfReport.Result;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** A what-if's results as tables, for a terminal and for a page. */
final class WhatIfTables {

    /** A header and rows of as many cells. */
    record Table(String title, List<String> header, List<List<String>> rows) {
    }

    /** What the journal's model is called, which is no candidate. */
    static final String OWN_NAME = "the journal's own";

    private static final String NONE = "-";
    private static final long HOUR_SECONDS = 3_600;
    private static final double NS_PER_US = 1e3;

    private final WhatIfReport report;
    private final Measure measure;

    WhatIfTables(final WhatIfReport report) {
        this.report = report;
        this.measure = report.journaled().measure();
    }

    /** A row for each subject. */
    Table summary() {
        final List<String> header = new ArrayList<>(List.of("model", "answers", "changed %", decisions()));
        header.addAll(List.of("mean change", "p50", "p99", "max"));
        switch (measure) {
            case CLASSES -> header.addAll(List.of("accuracy %", "balanced %", "cross-entropy"));
            case VALUES -> header.add("mean error");
            case TOKENS -> header.addAll(List.of("perplexity", "top-1 %"));
            default -> {
            }
        }
        header.addAll(List.of("step p50 µs", "p99 µs"));
        return new Table("", header, report.subjects().stream().map(this::row).toList());
    }

    private String decisions() {
        return report.namesTokens() ? "other token %" : "other class %";
    }

    private List<String> row(final Result result) {
        final Changes changes = result.changes();
        final List<String> row = new ArrayList<>(List.of(
                result == report.journaled() ? OWN_NAME : result.name(),
                Long.toString(changes.answerCount()),
                percent(changes.changedShare()),
                changes.decisionCount() == 0 ? NONE : percent(changes.changedDecisionShare()),
                number(changes.mean()),
                number(result.changeAtPercentile(50)),
                number(result.changeAtPercentile(99)),
                number(changes.largest())));
        addQuality(row, result.quality());
        row.add(microseconds(result, 50));
        row.add(microseconds(result, 99));
        return row;
    }

    private void addQuality(final List<String> row, final Quality quality) {
        switch (measure) {
            case CLASSES -> row.addAll(List.of(percent(quality.accuracy()), percent(quality.balancedAccuracy()),
                    decimals(quality.crossEntropy(), 4)));
            case VALUES -> row.add(number(quality.meanError()));
            case TOKENS -> row.addAll(List.of(decimals(quality.perplexity(), 3), percent(quality.accuracy())));
            default -> {
            }
        }
    }

    /** Of each hour and candidate the answers that decide otherwise, or, of values, the mean change. */
    Table byHour() {
        final TreeSet<Long> hours = new TreeSet<>();
        report.candidates().forEach(candidate -> hours.addAll(candidate.byHour().keySet()));
        final List<List<String>> rows = new ArrayList<>();
        for (final long hour : hours) {
            final List<String> row = new ArrayList<>();
            row.add(hourText(hour));
            row.add(Long.toString(report.candidates().get(0).byHour().getOrDefault(hour, new Changes()).answerCount()));
            for (final Result candidate : report.candidates()) {
                row.add(headline(candidate.byHour().get(hour)));
            }
            rows.add(row);
        }
        final List<String> header = new ArrayList<>(List.of("hour (UTC)", "answers"));
        report.candidates().forEach(candidate -> header.add(candidate.name()));
        return new Table("by hour, " + headlineName(), header, rows);
    }

    /** Sessions whose answers a candidate changes most. */
    Table worstSessions(final int limit) {
        final List<List<String>> rows = new ArrayList<>();
        for (final Result candidate : report.candidates()) {
            for (final Map.Entry<SessionName, Changes> session : candidate.worstSessions(limit)) {
                final Changes changes = session.getValue();
                rows.add(List.of(candidate.name(), session.getKey().toString(), Long.toString(changes.answerCount()),
                        changes.decisionCount() == 0 ? NONE : percent(changes.changedDecisionShare()),
                        number(changes.mean()), number(changes.largest())));
            }
        }
        return new Table("sessions that change most",
                List.of("model", "session (principal/key)", "answers", decisions(), "mean change", "max"), rows);
    }

    boolean hasDecisions() {
        return report.journaled().changes().decisionCount() > 0;
    }

    /** What stands for a candidate's difference where there is room for one number. */
    String headlineName() {
        return hasDecisions() ? decisions() : "mean change";
    }

    private String headline(final Changes changes) {
        if (changes == null) {
            return NONE;
        }
        return hasDecisions() ? percent(changes.changedDecisionShare()) : number(changes.mean());
    }

    static String hourText(final long hour) {
        return Instant.ofEpochSecond(hour * HOUR_SECONDS).toString().substring(0, 13).replace('T', ' ');
    }

    private static String microseconds(final Result result, final double percentile) {
        return result.stepNs().getTotalCount() == 0
                ? NONE
                : decimals(result.stepNs().getValueAtPercentile(percentile) / NS_PER_US, 2);
    }

    private static String percent(final double share) {
        return decimals(100 * share, 2);
    }

    private static String number(final double value) {
        return value == 0 ? "0" : String.format(Locale.ROOT, "%.3g", value);
    }

    private static String decimals(final double value, final int count) {
        return Double.isNaN(value) ? NONE : String.format(Locale.ROOT, "%." + count + "f", value);
    }
}
