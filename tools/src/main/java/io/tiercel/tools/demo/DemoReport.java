package io.tiercel.tools.demo;

import io.tiercel.replay.ReplayReport;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.load.LatencySummary;
import io.tiercel.tools.load.LatencyTable;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** What the demo prints at its end, and the same as JSON. */
final class DemoReport {

    private static final long STALL_NS = 1_000_000;
    private static final String HOT = ", " + DemoPlan.PAUSE_NS / 1_000 + " µs after the last answer";

    private final DemoPlan plan;
    private final DemoResult result;

    DemoReport(final DemoPlan plan, final DemoResult result) {
        this.plan = plan;
        this.result = result;
    }

    void print(final PrintStream out) {
        out.println();
        out.printf(Locale.ROOT, "answered: %d of %d requests%s%n", result.answered(), plan.tape().eventCount(),
                troubles());
        printPrediction(out);
        if (plan.foreseenTokens() > 0) {
            out.printf(Locale.ROOT,
                    "answers before the question: %d of %d steps were computed before they were asked for" +
                            " (%.1f %%)%n",
                    result.foreseenCount, result.answered(), 100 * foreseenShare());
        }
        out.println();
        out.print(table());
        printNotes(out);
        out.println();
        out.printf(Locale.ROOT,
                "ready: %d ms from process start; p99 of the first 1,000 requests %s µs, of the rest %s µs%n",
                result.readyMs, format(headP99()), format(tailP99()));
        out.printf("model: %s, %s; backend %s%s%n", plan.bundle().getFileName(), result.bundleVersion.substring(0, 16),
                result.backend, result.kernel.isEmpty() ? "" : " (" + result.kernel + ")");
        out.println("layout: " + result.layout + "; durability: " +
                plan.durability().name().toLowerCase(Locale.ROOT) + "; machine: " + MachineInfo.describe());
        out.println("jvm: " + MachineInfo.runtime() + "; commit: " + BuildInfo.commit());
        out.println("journal: " + plan.journal());
    }

    void printReplay(final PrintStream out) {
        final ReplayReport replay = result.replay;
        out.printf(Locale.ROOT, "replay: %s, computed by %s%n",
                replay.agreement(Math.max(replay.comparedCount(), result.answered())),
                replay.models().isEmpty() ? "nobody" : "backend " + replay.models().get(0).backend());
        if (replay.divergence() != null) {
            out.println("first difference: " + replay.divergence());
        }
        if (replay.damage() != null) {
            out.println("journal damaged: " + replay.damage());
        }
    }

    Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("answered", result.answered());
        json.put("sent", result.sent());
        json.put("events", plan.tape().eventCount());
        json.put("replayed", result.replay.comparedCount());
        json.put("identical", result.replay.identicalCount());
        json.put("withinTolerance", result.replay.toleratedCount());
        json.put("largestDistance", result.replay.largestDistance());
        json.put("foreseen", result.foreseenCount);
        json.putAll(result.score.toJson());
        json.put("roundTripUs", result.roundTrip.summary().toJson());
        json.put("echoUs", result.echo.summary().toJson());
        json.put("roundTripClosedLoopUs", result.closedLoop.summary().toJson());
        json.put("foreseenClosedLoopUs", LatencySummary.of(result.closedLoopForeseen).toJson());
        json.put("notForeseenClosedLoopUs", LatencySummary.of(result.closedLoopComputed).toJson());
        json.put("echoClosedLoopUs", result.echoClosedLoop.summary().toJson());
        json.put("stagesUs", summaries(result.stages.stages()));
        json.put("closedLoopPauseUs", DemoPlan.PAUSE_NS / 1_000);
        json.put("lessComputeUs", LatencySummary.of(result.lessCompute).toJson());
        json.put("lessComputeClosedLoopUs", LatencySummary.of(result.closedLoopLessCompute).toJson());
        json.put("lessComputeToEchoP50", ratio(p50(result.lessCompute), p50(result.echo.latencies())));
        json.put("lessComputeToEchoClosedLoopP50",
                ratio(p50(result.closedLoopLessCompute), p50(result.echoClosedLoop.latencies())));
        json.put("first1000P99Us", headP99());
        json.put("steadyP99Us", tailP99());
        json.put("coreStallsUs", result.roundTrip.hiccups().toJson());
        json.put("echoCoreStallsUs", result.echo.hiccups().toJson());
        json.put("applianceStallsUs", summaries(result.stages.hiccups()));
        json.put("readyMs", result.readyMs);
        putWhatAndWhere(json);
        return json;
    }

    private void putWhatAndWhere(final Map<String, Object> json) {
        json.put("input", plan.tape().tapeName());
        json.put("sessions", plan.tape().sessionCount());
        json.put("ratePerSecond", plan.rate());
        json.put("bundle", result.bundleVersion);
        json.put("bundleFile", plan.bundle().toString());
        json.put("backend", result.backend);
        json.put("kernel", result.kernel);
        json.put("layout", result.layout);
        json.put("durability", plan.durability().name().toLowerCase(Locale.ROOT));
        json.put("journal", plan.journal().toString());
        json.put("machine", MachineInfo.describe());
        json.put("jvm", MachineInfo.runtime());
        json.put("commit", BuildInfo.commit());
    }

    private String troubles() {
        final String paced = result.roundTrip.counts().allAnswered() ? "" : "; paced: " + result.roundTrip.counts();
        return paced + (result.closedLoop.counts().allAnswered() ? "" : "; closed loop: " + result.closedLoop.counts());
    }

    private void printPrediction(final PrintStream out) {
        if (result.score.count() == 0) {
            out.println("prediction: none of these events is held out, so there is nothing to score");
            return;
        }
        out.print(result.score.text());
    }

    private LatencyTable table() {
        final String paced = String.format(Locale.ROOT, ", %d/s from due times", Math.round(plan.rate()));
        final LatencyTable table = new LatencyTable()
                .add("round trip" + paced, result.roundTrip.latencies())
                .add("  less the model's compute", result.lessCompute)
                .add("raw echo" + paced, result.echo.latencies())
                .add("round trip" + HOT, result.closedLoop.latencies())
                .add("  less the model's compute", result.closedLoopLessCompute);
        if (plan.foreseenTokens() > 0) {
            table.add("  of a step that was foreseen", result.closedLoopForeseen)
                    .add("  of a step that was not", result.closedLoopComputed);
        }
        table.add("raw echo" + HOT, result.echoClosedLoop.latencies());
        result.stages.stages().forEach((stage, histogram) -> table.add("stage " + stage, histogram));
        return table.add("stalls of the client's core", result.roundTrip.hiccups().histogram());
    }

    private void printNotes(final PrintStream out) {
        out.printf(Locale.ROOT,
                "less the model's compute, the round trip's p50 is %.1f times the raw echo's from due times, %.1f "
                        + "times%s%n",
                ratio(p50(result.lessCompute), p50(result.echo.latencies())),
                ratio(p50(result.closedLoopLessCompute), p50(result.echoClosedLoop.latencies())), HOT);
        out.println("client's core: " + result.roundTrip.hiccups());
        result.stages.hiccups().forEach((role, histogram) -> out.printf(Locale.ROOT,
                "appliance's core (%s): %d stalls over 1 ms, the longest %s µs%n", role, stallCount(histogram),
                format(histogram.getMaxValue() / 1_000.0)));
    }

    private static long stallCount(final Histogram histogram) {
        return histogram.getMaxValue() < STALL_NS
                ? 0
                : histogram.getCountBetweenValues(STALL_NS, histogram.getMaxValue());
    }

    private static double p50(final Histogram histogramNs) {
        return histogramNs.getValueAtPercentile(50) / 1_000.0;
    }

    private double foreseenShare() {
        return ratio(result.foreseenCount, result.answered());
    }

    private double headP99() {
        return result.roundTrip.recorder().head().getValueAtPercentile(99) / 1_000.0;
    }

    private double tailP99() {
        return result.roundTrip.recorder().tail(result.roundTrip.latencies()).getValueAtPercentile(99) / 1_000.0;
    }

    private static Map<String, Object> summaries(final Map<String, Histogram> histograms) {
        final Map<String, Object> json = new LinkedHashMap<>();
        histograms.forEach((name, histogram) -> json.put(name, LatencySummary.of(histogram).toJson()));
        return json;
    }

    private static double ratio(final double value, final double base) {
        return base == 0 ? 0 : value / base;
    }

    private static String format(final double us) {
        return LatencyTable.format(us);
    }
}
