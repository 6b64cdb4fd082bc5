package io.tiercel.tools.kv;

import io.tiercel.tools.TextTable;
import io.tiercel.tools.load.LatencySummary;
import io.tiercel.tools.load.LatencyTable;
import io.tiercel.tools.transformer.TransformerEvaluation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What was measured, for people and programs. */
final class KvReport {

    private static final int WORD_COLUMNS = 2;
    private static final double BYTES_PER_KB = 1_000;
    private static final double PERCENT = 100;

    private KvReport() {
    }

    /** How the columns are to be read. */
    static String legend() {
        return """
                window: newest tokens in 8 bits; keys/values: bits of a channel behind it, c: coupled, eight bits for \
                several channels;
                16/16: all tokens in 16 bits, no codes; KB: of a session's state; hot: µs of a step, from its begin \
                until its answer is
                there, one session, context full; cold: the same of many sessions in a random order; int8 weights and \
                activations;
                perplexity, top-1: of held-out tokens, and the change against fp32 with an fp32 cache of the same \
                context; int16
                weights and activations, so that it is the cache alone that is judged""";
    }

    /** One line above the table. */
    static String head(final KvResult result) {
        final KvSubject subject = result.subject();
        return String.format(Locale.ROOT,
                "%s: %s; context=%d calibration-tokens=%d predictions=%d; fp32: perplexity %.4f, top-1 %.2f %%",
                subject.title(), subject.data(), subject.context(), result.calibrationTokens(),
                result.exact().predictions(), result.exact().perplexity(), PERCENT * result.exact().accuracy());
    }

    static TextTable table(final KvResult result) {
        final TextTable table = TextTable.ofNumbersAfter(WORD_COLUMNS, "window", "keys/values", "KB", "hot p50", "p99",
                "cold p50", "p99", "perplexity", "change", "top-1", "change");
        for (final KvRow row : result.rows()) {
            if (row.hasRun()) {
                final LatencySummary hot = LatencySummary.of(row.hotNs());
                final LatencySummary cold = LatencySummary.of(row.coldNs());
                table.row(Integer.toString(row.window()), row.title(), text("%.1f", row.stateBytes() / BYTES_PER_KB),
                        LatencyTable.format(hot.p50()), LatencyTable.format(hot.p99()),
                        LatencyTable.format(cold.p50()), LatencyTable.format(cold.p99()),
                        text("%.4f", row.quality().perplexity()),
                        text("%+.2f %%", PERCENT * perplexityChange(row, result.exact())),
                        text("%.2f %%", PERCENT * row.quality().accuracy()),
                        text("%+.2f", PERCENT * accuracyChange(row, result.exact())));
            }
        }
        return table;
    }

    /** A line for each row that did not run, and the notes. */
    static List<String> notes(final KvResult result) {
        final List<String> notes = new ArrayList<>(result.notes());
        result.rows().stream()
                .filter(row -> !row.hasRun())
                .map(row -> "window=" + row.window() + " " + row.title() + "  not run: " + row.notRun())
                .forEach(notes::add);
        return notes;
    }

    static Map<String, Object> json(final KvResult result) {
        final KvSubject subject = result.subject();
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("model", subject.title());
        json.put("data", subject.data());
        json.put("context", subject.context());
        json.put("parameters", subject.model().shape().parameterCount());
        json.put("calibrationTokens", result.calibrationTokens());
        json.put("predictions", result.exact().predictions());
        json.put("fp32", json(result.exact()));
        json.put("notes", result.notes());
        json.put("rows", result.rows().stream().map(row -> json(row, result.exact())).toList());
        return json;
    }

    private static Map<String, Object> json(final KvRow row, final TransformerEvaluation exact) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("window", row.window());
        json.put("keysValues", row.codecs());
        json.put("isRotated", row.isRotated());
        json.put("notRun", row.notRun());
        if (row.hasRun()) {
            json.put("stateBytes", row.stateBytes());
            json.put("hotUs", LatencySummary.of(row.hotNs()).toJson());
            json.put("coldUs", LatencySummary.of(row.coldNs()).toJson());
            json.put("coldSessions", row.coldSessions());
            json.putAll(json(row.quality()));
            json.put("perplexityChange", perplexityChange(row, exact));
            json.put("accuracyChange", accuracyChange(row, exact));
        }
        return json;
    }

    private static Map<String, Object> json(final TransformerEvaluation evaluation) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("perplexity", evaluation.perplexity());
        json.put("accuracy", evaluation.accuracy());
        return json;
    }

    private static double perplexityChange(final KvRow row, final TransformerEvaluation exact) {
        return row.quality().perplexity() / exact.perplexity() - 1;
    }

    private static double accuracyChange(final KvRow row, final TransformerEvaluation exact) {
        return row.quality().accuracy() - exact.accuracy();
    }

    private static String text(final String format, final double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
