package io.tiercel.tools.load;

import io.aeron.Aeron;
import io.tiercel.appliance.transport.EchoAgent;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Map;
import org.agrona.concurrent.NanoClock;

/** The phases of {@code tiercel load}: rehearsal, echo, search for the sustainable rate, the run itself, the report. */
final class LoadRun {

    private static final long ECHO_CONNECT_TIMEOUT_NS = 500_000_000L;
    private static final long ECHO_NS = 3_000_000_000L;
    private static final long UNLOADED_NS = 300_000_000L;
    private static final long UNLOADED_PAUSE_NS = 10_000L;
    static final long TRIAL_NS = 1_000_000_000L;
    /** A stall of the machine at the end of a trial is no backlog. */
    static final long GRACE_NS = 50_000_000L;
    private static final double EXPLODED = 20;
    private static final double MAX_REFUSED = 0.01;

    private final LoadPlan plan;
    private final Aeron aeron;
    private final ModelInfo model;
    private final NanoClock clock;
    private final PrintStream out;
    private final Map<String, Object> result;
    private final RequestSource source;

    LoadRun(
            final LoadPlan plan,
            final Aeron aeron,
            final ModelInfo model,
            final NanoClock clock,
            final PrintStream out,
            final Map<String, Object> result) {
        this.plan = plan;
        this.aeron = aeron;
        this.model = model;
        this.clock = clock;
        this.out = out;
        this.result = result;
        this.source = LoadSources.of(plan, model);
    }

    /** Runs everything; false if a request was lost or the connection ended. */
    boolean run() {
        try (EchoClient echo = connectEcho()) {
            Rehearsal.run(
                    aeron, clock, source, Long.MAX_VALUE, OutputSink.NONE, model.featureCount(), model.outputCount(),
                    echo);
            if (plan.overloadFactor() > 0) {
                final double sustainable = plan.findSustainable() ? sustainable() : plan.rate();
                return new OverloadRun(plan, aeron, model, clock, source, out, result).run(sustainable);
            }
            final double rate = plan.findSustainable() ? halfOfSustainable() : plan.rate();
            final Measurement echoed = echo == null
                    ? null
                    : new MeasuredRun(clock, echo)
                            .durationNs(Math.min(plan.durationNs(), ECHO_NS))
                            .openLoop(plan.schedule(rate));
            return report(rate, echoed, measure(rate));
        }
    }

    private double halfOfSustainable() {
        final double sustainable = sustainable();
        out.printf(Locale.ROOT, "sustainable: %d/s; running at half of it%n", Math.round(sustainable));
        return Math.max(1, sustainable / 2);
    }

    private double sustainable() {
        final double sustainable = findSustainable();
        result.put("sustainablePerSecond", Math.round(sustainable));
        if (sustainable == 0) {
            throw new ToolException(ExitCode.CHECK_FAILED, "not even one request a second is sustained");
        }
        return sustainable;
    }

    /** The echo through the appliance's own streams; null if the appliance has it switched off. */
    private EchoClient connectEcho() {
        return EchoClient.connect(
                aeron, plan.requestChannel(), plan.requestStreamId() + EchoAgent.REQUEST_STREAM_STEP,
                plan.requestStreamId() + EchoAgent.RESPONSE_STREAM_STEP,
                EchoClient.inferFrameLength(model.featureCount()), clock, ECHO_CONNECT_TIMEOUT_NS);
    }

    private double findSustainable() {
        try (TiercelClient client = connect()) {
            if (client.overload() == Overload.SHED) {
                out.println("the appliance sheds, after each stall of this machine too, so less is found than can be " +
                        "computed: find the rate with overload.policy: backpressure, and give it as --rate");
            }
            final ApplianceTarget target = target(client);
            final double unloadedP50 = new MeasuredRun(clock, target)
                    .durationNs(UNLOADED_NS)
                    .closedLoop(UNLOADED_PAUSE_NS)
                    .summary()
                    .p50();
            return SustainableRateSearch.find(
                    plan.rate(), LoadPlan.MAX_RATE, rate -> sustains(client, target, rate, unloadedP50));
        }
    }

    /** Tried twice: a busy machine is not a limit of the appliance. */
    private boolean sustains(
            final TiercelClient client, final ApplianceTarget target, final double rate, final double unloadedP50) {
        for (int attempt = 0; attempt < 2; attempt++) {
            final Measurement trial = new MeasuredRun(clock, target)
                    .maxInFlight(client.maxInFlight())
                    .durationNs(TRIAL_NS)
                    .openLoop(plan.schedule(rate));
            final LatencySummary latency = trial.summary();
            final LoadCounts counts = trial.counts();
            final boolean isSustained = keepsUp(counts, latency.p50(), unloadedP50, plan.burstSize());
            out.printf(Locale.ROOT, "  trial %9d/s: p50 %8.2f  p99 %8.2f  back-pressured=%d unanswered=%d  %s%n",
                    Math.round(rate), latency.p50(), latency.p99(), counts.backPressured(),
                    counts.due() - counts.answered(), isSustained ? "sustained" : "not sustained");
            if (isSustained) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether a trial's requests were answered as fast as they came: all of them, the last soon after it was due, and
     * half of them without a queue that grows. The tail has no say, because on a busy machine it is the machine's; nor
     * has one request in a hundred that is refused, because an appliance that sheds does so after a stall, too.
     */
    static boolean keepsUp(
            final LoadCounts counts, final double p50Us, final double unloadedP50Us, final int burstSize) {
        return counts.answered() + counts.rejected() == counts.due()
                && counts.rejected() <= counts.due() * MAX_REFUSED
                && counts.unexpected() == 0
                && !counts.disconnected()
                && counts.elapsedNs() <= TRIAL_NS + GRACE_NS
                && p50Us <= EXPLODED * unloadedP50Us * burstSize;
    }

    private Measurement measure(final double rate) {
        final Schedule schedule = plan.schedule(rate);
        out.println("load: " + schedule.describe() + ", " + plan.sessions() + " sessions, for "
                + plan.durationNs() / 1_000_000 + " ms");
        final double mean = plan.pattern() == LoadCommand.Pattern.ONE_HERTZ ? plan.burstSize() : rate;
        final long expected = Math.max(1, (long) (mean * plan.durationNs() / 1e9));
        final ProgressBar bar = new ProgressBar(out, Terminal.isInteractive(), "load", expected);
        try (TiercelClient client = connect(); LiveReport.IntervalLog log = intervalLog(schedule)) {
            final ApplianceTarget target = target(client);
            final Measurement measurement = new MeasuredRun(clock, target)
                    .maxInFlight(client.maxInFlight())
                    .durationNs(plan.durationNs())
                    .progress(bar)
                    .log(log, "roundTrip")
                    .openLoop(schedule);
            if (target.firstReject() != null) {
                out.println("first refusal: " + target.firstReject());
                out.println("refused by code: " + target.rejectsByCode());
            }
            if (target.goodbye() != null) {
                out.println("the appliance said goodbye: " + target.goodbye());
            }
            return measurement;
        }
    }

    private LiveReport.IntervalLog intervalLog(final Schedule schedule) {
        return plan.output() == null
                ? null
                : LiveReport.IntervalLog.create(
                        plan.output(),
                        "tiercel load: " + schedule.describe() + ", model " + model.alias() + " " + model.version(),
                        "nanoseconds from the moment a request was due to its answer; commit " + BuildInfo.commit(),
                        MachineInfo.describe());
    }

    private boolean report(final double rate, final Measurement echo, final Measurement measured) {
        final LatencySummary roundTrip = measured.summary();
        final LatencyTable table = new LatencyTable().add("round trip", roundTrip);
        if (echo != null) {
            table.add("raw echo", echo.summary());
        }
        table.add("core stalls", measured.hiccups().histogram());
        out.print(table);
        out.println("core stalls: what a request that needs only the measuring core would have waited; "
                + measured.hiccups());
        out.println(measured.counts());
        printRatios(roundTrip, echo, measured.counts());
        fill(rate, echo, measured, roundTrip);
        if (plan.output() != null) {
            out.println("intervals: " + plan.output());
        }
        return measured.counts().lost() == 0 && !measured.counts().disconnected();
    }

    private void printRatios(final LatencySummary roundTrip, final Measurement echo, final LoadCounts counts) {
        out.printf(Locale.ROOT, "p99 is %.1f times p50; answered %.0f/s%n",
                ratio(roundTrip.p99(), roundTrip.p50()), counts.answeredPerSecond());
        if (echo == null) {
            out.println("raw echo: off; set diagnostics.echo: true in the appliance's configuration to compare");
        } else {
            out.printf(Locale.ROOT, "round trip is %.1f times the raw echo of the same length at p50, %.1f at p99%n",
                    ratio(roundTrip.p50(), echo.summary().p50()), ratio(roundTrip.p99(), echo.summary().p99()));
        }
    }

    private void fill(
            final double rate, final Measurement echo, final Measurement measured, final LatencySummary roundTrip) {
        result.put("model", model.alias());
        result.put("bundle", model.version());
        result.put("pattern", plan.schedule(rate).describe());
        result.put("ratePerSecond", rate);
        result.put("sessions", plan.sessions());
        result.put("durationMs", plan.durationNs() / 1_000_000);
        result.putAll(measured.counts().toJson());
        result.put("roundTripUs", roundTrip.toJson());
        result.put("echoUs", echo == null ? null : echo.summary().toJson());
        result.put("coreStallsUs", measured.hiccups().toJson());
        result.put("p99OverP50", ratio(roundTrip.p99(), roundTrip.p50()));
    }

    private static double ratio(final double value, final double base) {
        return base == 0 ? 0 : value / base;
    }

    private TiercelClient connect() {
        final ClientContext context = plan.clientContext(aeron);
        return TiercelClient.connect(context);
    }

    private ApplianceTarget target(final TiercelClient client) {
        return new ApplianceTarget(client, client.model(model.alias()).modelId(), source, plan.budgetNs(),
                OutputSink.NONE);
    }
}
