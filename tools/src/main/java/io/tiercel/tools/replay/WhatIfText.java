package io.tiercel.tools.replay;

import io.tiercel.replay.whatif.WhatIfReport;
import io.tiercel.replay.whatif.WhatIfReport.Measure;
import io.tiercel.replay.whatif.WhatIfReport.Result;
import io.tiercel.tools.TextTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A what-if for a terminal. */
final class WhatIfText {

    private static final int SESSION_LIMIT = 5;
    private static final int SESSION_LIMIT_OF_MANY = 2;
    private static final int MANY_CANDIDATES = 2;

    private WhatIfText() {
    }

    static String of(final WhatIfReport report) {
        final WhatIfTables tables = new WhatIfTables(report);
        final StringBuilder text = new StringBuilder();
        facts(report).forEach(fact -> text.append(fact).append('\n'));
        text.append('\n');
        append(text, tables.summary(), 1);
        append(text, tables.byHour(), 1);
        append(text, tables.worstSessions(
                report.candidates().size() > MANY_CANDIDATES ? SESSION_LIMIT_OF_MANY : SESSION_LIMIT), 2);
        return text.toString();
    }

    /** What the tables are about, a line each. */
    static List<String> facts(final WhatIfReport report) {
        final Result journaled = report.journaled();
        final List<String> facts = new ArrayList<>();
        facts.add("journal  " + report.journalDirectory());
        facts.add(String.format(Locale.ROOT, "model    %s, backend %s: %,d requests, answers from sequence %d to %d",
                journaled.version(), journaled.backend(), report.requestCount(), report.fromSequence(),
                report.lastSequence()));
        if (report.otherCount() > 0) {
            facts.add(String.format(Locale.ROOT,
                    "others   %,d requests of other models are left out (--model-version)", report.otherCount()));
        }
        if (report.baseSequence() >= 0) {
            facts.add("began at snapshot sequence " + report.baseSequence() +
                    ", as older requests have been removed: all sessions begin anew there");
        }
        if (journaled.measure() == Measure.CLASSES || journaled.measure() == Measure.VALUES) {
            facts.add(String.format(Locale.ROOT, "labels   of %,d requests", report.labelledCount()));
        }
        for (final Result result : report.subjects()) {
            if (result.refusedCount() > 0) {
                facts.add(String.format(Locale.ROOT, "no room  %,d requests found no room in a session of %s",
                        result.refusedCount(), result.name()));
            }
        }
        return facts;
    }

    private static void append(final StringBuilder text, final WhatIfTables.Table table, final int wordColumns) {
        if (!table.title().isEmpty()) {
            text.append('\n').append(table.title()).append('\n');
        }
        final TextTable lines = TextTable.ofNumbersAfter(wordColumns, table.header().toArray(String[]::new));
        table.rows().forEach(row -> lines.row(row.toArray(String[]::new)));
        text.append(lines);
    }
}
