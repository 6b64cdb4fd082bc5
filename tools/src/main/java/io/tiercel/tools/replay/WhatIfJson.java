package io.tiercel.tools.replay;

import io.tiercel.replay.whatif.Changes;
import io.tiercel.replay.whatif.Quality;
import io.tiercel.replay.whatif.WhatIfReport;
import io.tiercel.replay.whatif.WhatIfReport.Measure;
import io.tiercel.replay.whatif.WhatIfReport.Result;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A what-if for programs. */
final class WhatIfJson {

    private static final int SESSION_LIMIT = 1_000;
    private static final double[] PERCENTILES = {50, 90, 99, 99.9};

    private WhatIfJson() {
    }

    static Map<String, Object> of(final WhatIfReport report) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("journal", report.journalDirectory().toString());
        json.put("fromSequence", report.fromSequence());
        json.put("lastSequence", report.lastSequence());
        json.put("baseSequence", report.baseSequence() < 0 ? null : report.baseSequence());
        json.put("requests", report.requestCount());
        json.put("otherModelsRequests", report.otherCount());
        json.put("labelled", report.labelledCount());
        json.put("journaled", result(report.journaled()));
        json.put("candidates", report.candidates().stream().map(WhatIfJson::result).toList());
        return json;
    }

    private static Map<String, Object> result(final Result result) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", result.name());
        json.put("version", result.version());
        json.put("backend", result.backend());
        json.put("noRoom", result.refusedCount());
        json.putAll(changes(result.changes()));
        for (final double percentile : PERCENTILES) {
            json.put("changeP" + name(percentile), result.changeAtPercentile(percentile));
        }
        json.put("quality", quality(result));
        final Map<String, Object> step = new LinkedHashMap<>();
        step.put("count", result.stepNs().getTotalCount());
        for (final double percentile : PERCENTILES) {
            step.put("p" + name(percentile) + "Ns", result.stepNs().getValueAtPercentile(percentile));
        }
        step.put("maxNs", result.stepNs().getMaxValue());
        json.put("step", step);
        final Map<String, Object> hours = new LinkedHashMap<>();
        result.byHour().forEach((hour, changes) -> hours.put(WhatIfTables.hourText(hour), changes(changes)));
        json.put("byHour", hours);
        final List<Object> sessions = new ArrayList<>();
        result.worstSessions(SESSION_LIMIT).forEach(entry -> {
            final Map<String, Object> session = new LinkedHashMap<>();
            session.put("session", entry.getKey().toString());
            session.putAll(changes(entry.getValue()));
            sessions.add(session);
        });
        json.put("sessions", sessions);
        return json;
    }

    private static Map<String, Object> changes(final Changes changes) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("answers", changes.answerCount());
        json.put("changed", changes.changedCount());
        json.put("decisions", changes.decisionCount());
        json.put("changedDecisions", changes.changedDecisionCount());
        json.put("meanChange", changes.mean());
        json.put("maxChange", changes.largest());
        return json;
    }

    private static Map<String, Object> quality(final Result result) {
        final Quality quality = result.quality();
        if (result.measure() == Measure.NONE || quality.count() == 0) {
            return null;
        }
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("count", quality.count());
        if (result.measure() == Measure.VALUES) {
            json.put("meanError", quality.meanError());
            return json;
        }
        json.put("accuracy", quality.accuracy());
        json.put("crossEntropy", quality.crossEntropy());
        if (result.measure() == Measure.TOKENS) {
            json.put("perplexity", quality.perplexity());
        } else {
            json.put("balancedAccuracy", quality.balancedAccuracy());
        }
        return json;
    }

    private static String name(final double percentile) {
        return percentile == Math.rint(percentile) ? Integer.toString((int) percentile) : Double.toString(percentile);
    }
}
