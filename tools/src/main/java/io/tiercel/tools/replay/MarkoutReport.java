package io.tiercel.tools.replay;

import io.tiercel.replay.markout.MarkoutCurve;
import io.tiercel.replay.markout.MarkoutPoint;
import io.tiercel.replay.markout.MarkoutStep;
import io.tiercel.replay.markout.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a markout has to say, as text and as JSON. */
final class MarkoutReport {

    private static final int FEW_BLOCKS = 30;
    private static final double NS_PER_US = 1e3;
    private static final String ROW = "%-10s %10s %8s %12s %6s %9s %17s %9s  %s";

    private MarkoutReport() {
    }

    static String text(final MarkoutRun run) {
        final StringBuilder text = new StringBuilder(introduction(run));
        for (final MarkoutCurve curve : run.curves()) {
            append(text, curve);
        }
        return text.toString();
    }

    /** What was held against what, in lines. */
    static String introduction(final MarkoutRun run) {
        final StringBuilder text = new StringBuilder();
        final TapeAlignment alignment = run.alignment();
        line(text, "markout of model %s on %s", alignment.modelVersion().substring(0, 16),
                alignment.tape().tapeName());
        line(text, "%,d requests line up with the tape's first %,d events, bit for bit",
                alignment.count(), alignment.count());
        line(text, "%,d answers to %s, of which %,d name a direction", run.scoredCount(),
                run.isHeldOutOnly() ? "held-out events" : "events, held out or not", run.directedCount());
        if (run.directedCount() > 0) {
            line(text, "latency of these, µs: p50 %.2f, p99 %.2f, max %.2f",
                    run.latency().getValueAtPercentile(50) / NS_PER_US,
                    run.latency().getValueAtPercentile(99) / NS_PER_US, run.latency().getMaxValue() / NS_PER_US);
        }
        return text.toString();
    }

    private static void append(final StringBuilder text, final MarkoutCurve curve) {
        text.append('\n');
        if (curve.answerCount() == 0) {
            line(text, "horizon %s: no answer whose horizon lies within the tape", named(curve.horizon()));
            return;
        }
        line(text, "horizon %s after the event: %,d answers%s", named(curve.horizon()), curve.answerCount(),
                curve.blockCount() < FEW_BLOCKS
                        ? ", whose horizons overlap so far that they are but " + curve.blockCount() +
                                " pieces: take the errors with care"
                        : "");
        line(text, ROW, header(curve).toArray());
        rows(curve).forEach(row -> line(text, ROW, row.toArray()));
        line(text, "%s", worth(curve));
    }

    static List<String> header(final MarkoutCurve curve) {
        return List.of("delay", "mean, bp", "±", "hit rate, %", "±", "moved, %",
                "lost, bp per " + (isByEvents(curve) ? "event" : "µs"), "±", "");
    }

    static List<List<String>> rows(final MarkoutCurve curve) {
        final List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < curve.points().size(); i++) {
            final MarkoutPoint point = curve.points().get(i);
            final MarkoutStep step = i == 0 ? null : curve.steps().get(i - 1);
            rows.add(List.of(
                    delay(point.delay()),
                    number("%.4f", point.mean()), number("%.4f", point.meanError()),
                    number("%.2f", 100 * point.hitRate()), number("%.2f", 100 * point.hitRateError()),
                    number("%.1f", 100 * point.movedShare()),
                    step == null ? "" : number("%.3g", step.perUnit()),
                    step == null ? "" : number("%.2g", step.perUnitError()),
                    step == null || step.isDistinguishable() ? "" : "not distinguishable from 0"));
        }
        return rows;
    }

    /** What one more unit of delay costs, at the least delay at which that can be told. */
    static String worth(final MarkoutCurve curve) {
        final String unit = isByEvents(curve) ? "an event" : "a µs";
        final int first = isByEvents(curve) ? 0 : 1; // no appliance answers at once
        for (int i = first; i < curve.steps().size(); i++) {
            final MarkoutStep step = curve.steps().get(i);
            if (step.isDistinguishable()) {
                return String.format(Locale.ROOT, "%s is worth %.3g ± %.2g bp from %s to %s%s", unit, step.perUnit(),
                        step.perUnitError(), delay(step.from()), delay(step.to()),
                        i == first ? "" : "; below that nothing that is distinguishable from 0");
            }
        }
        return unit + " is worth nothing that is distinguishable from 0, at none of these delays";
    }

    static boolean isByEvents(final MarkoutCurve curve) {
        return curve.points().get(curve.points().size() - 1).delay() != null
                && curve.points().get(curve.points().size() - 1).delay().clock() == Span.Clock.EVENTS;
    }

    private static String number(final String format, final double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "-";
    }

    private static String delay(final Span delay) {
        return delay == null ? "at once" : delay.amount() == 0 ? "latency" : "+" + delay;
    }

    static String named(final Span span) {
        return span + (span.clock() == Span.Clock.EVENTS ? " events" : "");
    }

    private static void line(final StringBuilder text, final String format, final Object... values) {
        text.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
    }

    static Map<String, Object> json(final MarkoutRun run) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("modelVersion", run.alignment().modelVersion());
        json.put("tape", run.alignment().tape().tapeName());
        json.put("requests", run.alignment().count());
        json.put("heldOutOnly", run.isHeldOutOnly());
        json.put("answers", run.scoredCount());
        json.put("directed", run.directedCount());
        json.put("latencyP50Ns", run.latency().getValueAtPercentile(50));
        json.put("latencyP99Ns", run.latency().getValueAtPercentile(99));
        json.put("latencyMaxNs", run.latency().getMaxValue());
        json.put("curves", run.curves().stream().map(MarkoutReport::json).toList());
        return json;
    }

    private static Map<String, Object> json(final MarkoutCurve curve) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("horizon", curve.horizon().toString());
        json.put("answers", curve.answerCount());
        json.put("blockLength", curve.blockLength());
        final List<Map<String, Object>> points = new ArrayList<>();
        for (int i = 0; i < curve.points().size(); i++) {
            points.add(json(curve.points().get(i), i == 0 ? null : curve.steps().get(i - 1)));
        }
        json.put("points", points);
        return json;
    }

    private static Map<String, Object> json(final MarkoutPoint point, final MarkoutStep step) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("delay", delay(point.delay()));
        json.put("meanBp", finite(point.mean()));
        json.put("meanErrorBp", finite(point.meanError()));
        json.put("hitRate", finite(point.hitRate()));
        json.put("hitRateError", finite(point.hitRateError()));
        json.put("movedShare", finite(point.movedShare()));
        if (step != null) {
            json.put("lostBp", finite(step.lost()));
            json.put("lostErrorBp", finite(step.lostError()));
            json.put("lostPerUnitBp", finite(step.perUnit()));
            json.put("lostPerUnitErrorBp", finite(step.perUnitError()));
            json.put("distinguishable", step.isDistinguishable());
        }
        return json;
    }

    /** JSON has no word for a rate of nothing. */
    private static Double finite(final double value) {
        return Double.isFinite(value) ? value : null;
    }
}
