package io.tiercel.tools.replay;

import io.tiercel.replay.markout.MarkoutCurve;
import io.tiercel.replay.markout.MarkoutPoint;
import io.tiercel.replay.markout.Span;
import io.tiercel.replay.report.HtmlReport;
import io.tiercel.replay.report.Plot;
import io.tiercel.replay.report.Plots;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** A markout as a page: a curve with its error for each horizon, and the table that the terminal has. */
final class MarkoutHtml {

    private static final double STANDARD_ERRORS = 1.96;
    private static final double NS_PER_US = 1e3;

    private MarkoutHtml() {
    }

    static HtmlReport report(final MarkoutRun run) {
        final HtmlReport report = new HtmlReport("Markout on " + run.alignment().tape().tapeName());
        MarkoutReport.introduction(run).lines().forEach(report::paragraph);
        report.paragraph("An answer's value is the move of the price in its direction, from when it can be acted on to "
                +
                "the horizon, which is counted from the event. Dashed beside it the interval that holds the mean 95 " +
                "times of 100.");
        for (final MarkoutCurve curve : run.curves()) {
            report.section("horizon " + MarkoutReport.named(curve.horizon()));
            if (curve.answerCount() > 0) {
                report.plot(plot(curve, run.latency().getMean() / NS_PER_US))
                        .paragraph(MarkoutReport.worth(curve) + ".");
            }
            report.table(MarkoutReport.header(curve), MarkoutReport.rows(curve));
        }
        return report;
    }

    private static Plot plot(final MarkoutCurve curve, final double latencyUs) {
        final boolean isByEvents = MarkoutReport.isByEvents(curve);
        final List<MarkoutPoint> points = curve.points().stream()
                .filter(point -> isByEvents || point.delay() != null) // 0 has no place on a logarithmic axis
                .toList();
        final double[] xs = points.stream().mapToDouble(point -> x(point.delay(), latencyUs)).toArray();
        final List<Plots.Series> series = new ArrayList<>();
        series.add(series("mean", xs, points, MarkoutPoint::mean));
        series.add(series("high", xs, points, point -> point.mean() + STANDARD_ERRORS * point.meanError()));
        series.add(series("low", xs, points, point -> point.mean() - STANDARD_ERRORS * point.meanError()));
        return Plots.lines("value of an answer, horizon " + MarkoutReport.named(curve.horizon()),
                isByEvents ? "events after the event" : "µs after the event, latency included",
                "basis points", series, isByEvents ? Set.of() : Set.of(Plots.Log.X));
    }

    private static double x(final Span delay, final double latencyUs) {
        return delay == null ? 0
                : delay.clock() == Span.Clock.EVENTS ? delay.amount()
                : latencyUs + delay.amount() / NS_PER_US;
    }

    private static Plots.Series series(
            final String name, final double[] xs, final List<MarkoutPoint> points,
            final ToDoubleFunction<MarkoutPoint> value) {
        return new Plots.Series(name, xs, points.stream().mapToDouble(value).toArray());
    }
}
