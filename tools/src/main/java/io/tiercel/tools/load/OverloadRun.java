package io.tiercel.tools.load;

import io.aeron.Aeron;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.Terminal;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.agrona.concurrent.NanoClock;

/**
 * What becomes of requests, and of the latency of those that are taken, when there are more than can be computed: a
 * run at half of the sustainable rate, then one at several times it. Open loop; a request that finds no room is given
 * up and counted. Every request that was due is accounted for:
 *
 * <pre>
 * due = answered + expired + refused + back-pressured + not offered + silent
 * </pre>
 *
 * <p>Not offered are those that the generator, one thread, did not come to try before its time was up. A silent one is
 * a failure: it was sent, and neither answered nor refused. Latencies are those of answered requests. From sending,
 * they are the appliance's; from the due time, they also have what the generator was late.
 */
final class OverloadRun {

    private static final double HALF = 0.5;
    /** Of the rate that was wanted, below which the report says that it was not reached. */
    private static final double REACHED = 0.97;

    private final LoadPlan plan;
    private final Aeron aeron;
    private final ModelInfo model;
    private final NanoClock clock;
    private final RequestSource source;
    private final PrintStream out;
    private final Map<String, Object> result;

    /** One of the two runs. */
    private record Phase(String name, double rate, Measurement measured, Map<String, Long> rejectsByCode) {

        LoadCounts counts() {
            return measured.counts();
        }
    }

    OverloadRun(
            final LoadPlan plan,
            final Aeron aeron,
            final ModelInfo model,
            final NanoClock clock,
            final RequestSource source,
            final PrintStream out,
            final Map<String, Object> result) {
        this.plan = plan;
        this.aeron = aeron;
        this.model = model;
        this.clock = clock;
        this.source = source;
        this.out = out;
        this.result = result;
    }

    /** Runs both; false if a request was neither answered nor refused, or a connection ended. */
    boolean run(final double sustainableRate) {
        out.printf(Locale.ROOT, "overload: sustainable %d/s (%s); %d ms at half of it, then %d ms at %.1f times it%n",
                Math.round(sustainableRate), plan.findSustainable() ? "found" : "given",
                plan.durationNs() / 1_000_000, plan.durationNs() / 1_000_000, plan.overloadFactor());
        try (LiveReport.IntervalLog log = intervalLog()) {
            final Phase half = measure("half load", "halfLoad", sustainableRate * HALF, log);
            final Phase over = measure("overload", "overload", sustainableRate * plan.overloadFactor(), log);
            report(half, over);
            fill(sustainableRate, half, over);
            return isAccountedFor(half.counts()) && isAccountedFor(over.counts());
        }
    }

    static boolean isAccountedFor(final LoadCounts counts) {
        return counts.lost() == 0 && !counts.disconnected();
    }

    private Phase measure(
            final String name, final String tag, final double wantedRate, final LiveReport.IntervalLog log) {
        final double rate = Math.max(1, Math.min(wantedRate, LoadPlan.MAX_RATE));
        final Schedule schedule = plan.schedule(rate);
        out.println(name + ": " + schedule.describe() + ", " + plan.sessions() + " sessions");
        final ProgressBar bar = new ProgressBar(out, Terminal.isInteractive(), name, 0);
        try (TiercelClient client = TiercelClient.connect(plan.clientContext(aeron))) {
            final ApplianceTarget target = new ApplianceTarget(client, client.model(model.alias()).modelId(), source,
                    plan.budgetNs(), OutputSink.NONE);
            final Measurement measured = new MeasuredRun(clock, target)
                    .maxInFlight(client.maxInFlight())
                    .givesUp()
                    .durationNs(plan.durationNs())
                    .progress(bar)
                    .log(log, tag)
                    .openLoop(schedule);
            if (target.goodbye() != null) {
                out.println("the appliance said goodbye: " + target.goodbye());
            }
            return new Phase(name, rate, measured, target.rejectsByCode());
        }
    }

    private LiveReport.IntervalLog intervalLog() {
        return plan.output() == null
                ? null
                : LiveReport.IntervalLog.create(
                        plan.output(),
                        "tiercel load --overload, model " + model.alias() + " " + model.version(),
                        "nanoseconds from the moment a request was due to its answer; commit " + BuildInfo.commit(),
                        MachineInfo.describe());
    }

    private void report(final Phase half, final Phase over) {
        out.print(new LatencyTable()
                .add("half load, from sending", half.measured().sinceSent())
                .add("half load, from due", half.measured().summary())
                .add("half load, core stalls", half.measured().hiccups().histogram())
                .add("overload, from sending", over.measured().sinceSent())
                .add("overload, from due", over.measured().summary())
                .add("overload, core stalls", over.measured().hiccups().histogram()));
        printCounts(half);
        printCounts(over);
        out.printf(Locale.ROOT,
                "p99 of answered requests under overload is %.1f times that at half load from sending, %.1f from due%n",
                sentRatio(half, over), dueRatio(half, over));
        if (plan.output() != null) {
            out.println("intervals: " + plan.output());
        }
    }

    private void printCounts(final Phase phase) {
        final LoadCounts counts = phase.counts();
        out.printf(Locale.ROOT, "%s: offered %.0f/s, answered %.0f/s%n",
                phase.name(), counts.offeredPerSecond(), counts.answeredPerSecond());
        out.println("  due=" + counts.due() + " answered=" + counts.answered() + " expired=" + counts.expired()
                + " refused=" + counts.rejected() + phase.rejectsByCode() + " back-pressured=" + counts.givenUp()
                + " not-offered=" + counts.unsent() + " silent=" + counts.lost()
                + " unexpected=" + counts.unexpected() + (counts.disconnected() ? " (the connection ended)" : ""));
        if (counts.offeredPerSecond() < REACHED * phase.rate()) {
            out.printf(Locale.ROOT, "  the generator did not reach %.0f/s: it offered %.0f %% of it%n",
                    phase.rate(), 100 * counts.offeredPerSecond() / phase.rate());
        }
    }

    private void fill(final double sustainableRate, final Phase half, final Phase over) {
        result.put("model", model.alias());
        result.put("bundle", model.version());
        result.put("pattern", plan.schedule(over.rate()).describe());
        result.put("sustainablePerSecond", Math.round(sustainableRate));
        result.put("overloadFactor", plan.overloadFactor());
        result.put("sessions", plan.sessions());
        result.put("durationMs", plan.durationNs() / 1_000_000);
        result.put("halfLoad", toJson(half));
        result.put("overload", toJson(over));
        result.put("p99RatioSinceSent", sentRatio(half, over));
        result.put("p99RatioSinceDue", dueRatio(half, over));
    }

    private static Map<String, Object> toJson(final Phase phase) {
        final LoadCounts counts = phase.counts();
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("ratePerSecond", phase.rate());
        json.put("offeredPerSecond", Math.round(counts.offeredPerSecond()));
        json.putAll(counts.toJson());
        json.put("givenUp", counts.givenUp());
        json.put("rejectedByCode", phase.rejectsByCode());
        json.put("sinceSentUs", phase.measured().sinceSent().toJson());
        json.put("sinceDueUs", phase.measured().summary().toJson());
        json.put("coreStallsUs", phase.measured().hiccups().toJson());
        return json;
    }

    private static double sentRatio(final Phase half, final Phase over) {
        return ratio(over.measured().sinceSent().p99(), half.measured().sinceSent().p99());
    }

    private static double dueRatio(final Phase half, final Phase over) {
        return ratio(over.measured().summary().p99(), half.measured().summary().p99());
    }

    private static double ratio(final double value, final double base) {
        return base == 0 ? 0 : value / base;
    }
}
