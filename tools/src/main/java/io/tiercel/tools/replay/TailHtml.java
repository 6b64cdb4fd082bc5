package io.tiercel.tools.replay;

import io.tiercel.replay.report.HtmlReport;
import io.tiercel.replay.report.Plots;
import io.tiercel.replay.report.Plots.Bars;
import io.tiercel.replay.report.Plots.Log;
import io.tiercel.replay.report.Plots.Series;
import io.tiercel.replay.tail.CauseShare;
import io.tiercel.replay.tail.OverTime;
import io.tiercel.replay.tail.SlowRequest;
import io.tiercel.replay.tail.TailAnalysis;
import io.tiercel.replay.tail.TailReport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;

/** A report on the tail as a page: what the text says, and the pictures that go with it. */
final class TailHtml {

    private static final int CURVES = 3;
    private static final int BARS = 20;
    private static final double WORTH_A_CURVE = 0.01;
    private static final double NS_PER_US = 1e3;

    private TailHtml() {
    }

    /** @param summary the lines above the tables. */
    static HtmlReport of(
            final String summary, final TailReport report, final TailAnalysis analysis, final OverTime overTime,
            final int rows) {
        final HtmlReport page = new HtmlReport("Why the slow requests were slow").preformatted(summary)
                .section("Causes")
                .paragraph("Each nanosecond that a request took beyond the median one is given to one cause at most. "
                        + "The last column is the percentile of all requests, if none had lost anything to the cause.")
                .table(TailText.causeHeader(report), TailText.causeRows(report))
                .plot(Plots.percentileCurve("time from arrival to answer, as it was and without a cause",
                        curves(report, analysis)))
                .section("Over time")
                .paragraph("The slowest request of each moment, beside what the machine did then.")
                .plot(Plots.lines("slowest request and what the machine took away", "s since the first arrival",
                        "µs", series(overTime), Set.of(Log.Y)))
                .section("Slowest requests");
        if (!report.slowest().isEmpty()) {
            page.plot(Plots.stackedBars("where the time of the slowest went, as listed below", "µs", ranks(report),
                    legs(report)));
        }
        return page.table(TailText.requestHeader(),
                report.slowest().stream().limit(rows).map(TailText::requestRow).toList());
    }

    private static Map<String, Histogram> curves(final TailReport report, final TailAnalysis analysis) {
        final Map<String, Histogram> curves = new LinkedHashMap<>();
        curves.put("as it was", analysis.times());
        report.causes().stream().filter(share -> share.share() >= WORTH_A_CURVE).map(CauseShare::cause)
                .filter(cause -> !cause.isUnexplained()).limit(CURVES)
                .forEach(cause -> curves.put("without " + cause.words(), analysis.timesWithout(cause)));
        return curves;
    }

    private static List<Series> series(final OverTime overTime) {
        final List<Series> series = new ArrayList<>();
        add(series, "slowest request", overTime.seconds(), overTime.slowestUs());
        add(series, "longest stall of a thread", overTime.seconds(), overTime.longestStallUs());
        add(series, "longest pause of the JVM", overTime.seconds(), overTime.longestPauseUs());
        return series;
    }

    private static void add(
            final List<Series> series, final String name, final double[] seconds, final double[] values) {
        if (Arrays.stream(values).anyMatch(value -> !Double.isNaN(value))) {
            series.add(new Series(name, seconds, values));
        }
    }

    private static List<String> ranks(final TailReport report) {
        return IntStream.rangeClosed(1, Math.min(BARS, report.slowest().size())).mapToObj(Integer::toString).toList();
    }

    private static List<Bars> legs(final TailReport report) {
        return List.of(
                bars(report, "journal", SlowRequest.Legs::journalNs),
                bars(report, "waiting", SlowRequest.Legs::waitingNs),
                bars(report, "compute", SlowRequest.Legs::computeNs),
                bars(report, "egress", SlowRequest.Legs::egressNs));
    }

    private static Bars bars(
            final TailReport report, final String name, final ToLongFunction<SlowRequest.Legs> leg) {
        return new Bars(name, report.slowest().stream().limit(BARS)
                .mapToDouble(each -> leg.applyAsLong(each.legs()) / NS_PER_US).toArray());
    }
}
