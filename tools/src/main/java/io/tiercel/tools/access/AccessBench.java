package io.tiercel.tools.access;

import io.aeron.Aeron;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.tools.AeronConnection;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.ChildJvm;
import io.tiercel.tools.ChildProcess;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.load.ApplianceTarget;
import io.tiercel.tools.load.BenchAppliance;
import io.tiercel.tools.load.LiveReport;
import io.tiercel.tools.load.MeasuredRun;
import io.tiercel.tools.load.NobodyAsked;
import io.tiercel.tools.load.OutputSink;
import io.tiercel.tools.load.RandomRequests;
import io.tiercel.tools.load.Rehearsal;
import io.tiercel.tools.load.RequestSource;
import io.tiercel.tools.load.Schedules;
import io.tiercel.tools.ops.KeyCommand;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.agrona.IoUtil;
import org.agrona.concurrent.NanoClock;
import picocli.CommandLine;

/**
 * An appliance with keys, one client inside that asks at a steady rate, and strangers who knock, each of the three in
 * a process of its own. Parts in quiet, with strangers next door, who take as much from the machine, and under attack
 * take turns, the first one of a turn too, so that all meet the same moods of the machine.
 */
final class AccessBench {

    private static final String PRINCIPAL = "inside";
    private static final int SESSIONS = 16;
    private static final long START_TIMEOUT_MS = 120_000;
    /** Until then next to nothing is compiled any more. */
    private static final long REHEARSED_STRANGERS = 4_000;
    /** Beyond what the strangers of a part take at their rate. */
    private static final long STRANGERS_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(60);
    /** From when the last one has gone until the appliance has taken note of each. */
    private static final long HEARD_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final AccessPlan plan;
    private final NanoClock clock;
    private final PrintStream out;
    private final Path keys;
    private final Path key;
    private StrangerCounts strangerCounts = StrangerCounts.NONE;
    private StrangerCounts rehearsedCounts = StrangerCounts.NONE;
    private int doneCount;

    AccessBench(final AccessPlan plan, final NanoClock clock, final PrintStream out) {
        this.plan = plan;
        this.clock = clock;
        this.out = out;
        keys = plan.folder().resolve("keys");
        key = plan.folder().resolve("inside.key");
    }

    AccessReport run() {
        makeKey();
        try (BenchAppliance appliance = BenchAppliance.start(new BenchAppliance.Plan(
                "bench-access", plan.layout(), plan.idle(), plan.folder(), plan.isRehearsed(), keys));
                ChildProcess strangers = ChildProcess.start("strangers", ChildJvm.command(Strangers.class,
                        List.of(appliance.aeronDirectoryName(), PRINCIPAL, key.toString(),
                                StrangersHouse.nextDoorDirectory().toString())),
                        plan.folder().resolve("strangers.log"))) {
            appliance.awaitReady();
            strangers.awaitLine(Strangers.READY, START_TIMEOUT_MS);
            final AccessReport report = measure(appliance.aeronDirectoryName(), strangers);
            appliance.stop("while strangers knocked");
            return report;
        } finally {
            IoUtil.delete(StrangersHouse.nextDoorDirectory(), true); // still there only if the strangers were ended
        }
    }

    private AccessReport measure(final String aeronDirectoryName, final ChildProcess strangers) {
        try (Aeron aeron = AeronConnection.open(aeronDirectoryName);
                TiercelClient client = TiercelClient.connect(
                        new ClientContext().aeron(aeron).principal(PRINCIPAL).keyFile(key.toString()));
                LiveReport.IntervalLog log = intervalLog()) {
            final ModelInfo model = client.models().get(0);
            final RequestSource source = new RandomRequests(model.featureCount(), SESSIONS, 1);
            if (plan.isRehearsed()) {
                out.println("rehearsing the client, with a responder in its own process");
                Rehearsal.run(aeron, clock, source, Long.MAX_VALUE, OutputSink.NONE, model.featureCount(),
                        model.outputCount(), null);
            }
            final ApplianceTarget target =
                    new ApplianceTarget(client, model.modelId(), source, 0, OutputSink.NONE);
            if (plan.isRehearsed()) {
                rehearseStrangers(target, strangers);
            }
            try (MeasuredRun quiet = measuredRun(client, target, log, "quiet");
                    MeasuredRun nextDoor = measuredRun(client, target, log, Strangers.NEXT_DOOR);
                    MeasuredRun attacked = measuredRun(client, target, log, "attack")) {
                for (int turn = 0; turn < plan.turns(); turn++) {
                    takeTurn(turn, List.of(
                            part -> play(quiet, part),
                            part -> playNextDoor(nextDoor, part, target, strangers),
                            part -> playAttacked(attacked, part, target, strangers)));
                }
                awaitDenied(aeron, target);
                return new AccessReport(plan, quiet.finish(), nextDoor.finish(), attacked.finish(), strangerCounts,
                        rehearsedCounts,
                        counter(aeron, CounterId.CLIENTS_WELCOMED), counter(aeron, CounterId.ACCESS_DENIED));
            }
        }
    }

    /** A stranger that has gone may not have been heard yet; what the appliance never hears, the report shows. */
    private void awaitDenied(final Aeron aeron, final ApplianceTarget target) {
        final long deadlineNs = clock.nanoTime() + HEARD_TIMEOUT_NS;
        while (counter(aeron, CounterId.ACCESS_DENIED) < strangerCounts.knocked() + rehearsedCounts.knocked() &&
                clock.nanoTime() - deadlineNs < 0) {
            target.poll(NobodyAsked.INSTANCE);
            LockSupport.parkNanos(POLL_NS);
        }
    }

    private MeasuredRun measuredRun(
            final TiercelClient client, final ApplianceTarget target, final LiveReport.IntervalLog log,
            final String tag) {
        return new MeasuredRun(clock, target).maxInFlight(client.maxInFlight()).log(log, tag);
    }

    /**
     * What is done at a door is done for the first time in the life of these processes, and a compiler that has no core
     * of its own takes that of those who are measured.
     */
    private void rehearseStrangers(final ApplianceTarget target, final ChildProcess strangers) {
        out.println("rehearsing the strangers: " + REHEARSED_STRANGERS + " next door, and at the door");
        final String command = REHEARSED_STRANGERS + " " + AccessPlan.MAX_STRANGER_RATE;
        strangers.tell(command + " " + Strangers.NEXT_DOOR);
        awaitStrangers(REHEARSED_STRANGERS, target, strangers);
        strangers.tell(command);
        rehearsedCounts = awaitStrangers(REHEARSED_STRANGERS, target, strangers);
    }

    /** Each turn begins with another part. */
    private void takeTurn(final int turn, final List<IntConsumer> parts) {
        out.printf(Locale.ROOT,
                "turn %d of %d: %d requests each in quiet, with %d strangers next door, and at the door%n",
                turn + 1, plan.turns(), plan.requestsOf(turn), plan.strangersOf(turn));
        for (int i = 0; i < parts.size(); i++) {
            parts.get((turn + i) % parts.size()).accept(turn);
        }
    }

    private void playNextDoor(
            final MeasuredRun run, final int turn, final ApplianceTarget target, final ChildProcess strangers) {
        strangers.tell(plan.strangersOf(turn) + " " + plan.strangerRate() + " " + Strangers.NEXT_DOOR);
        play(run, turn);
        awaitStrangers(plan.strangersOf(turn), target, strangers);
    }

    private void playAttacked(
            final MeasuredRun run, final int turn, final ApplianceTarget target, final ChildProcess strangers) {
        strangers.tell(plan.strangersOf(turn) + " " + plan.strangerRate());
        play(run, turn);
        strangerCounts = strangerCounts.plus(awaitStrangers(plan.strangersOf(turn), target, strangers));
    }

    private void play(final MeasuredRun run, final int turn) {
        run.requests(0, plan.requestsOf(turn)).openLoopPart(Schedules.constant(plan.rate()));
    }

    /** The one inside must be heard of meanwhile. */
    private StrangerCounts awaitStrangers(
            final long count, final ApplianceTarget target, final ChildProcess strangers) {
        final long deadlineNs = clock.nanoTime() + STRANGERS_TIMEOUT_NS + (long) (count / plan.strangerRate() * 1e9);
        List<String> now = doneLines(strangers);
        while (now.size() == doneCount) {
            target.poll(NobodyAsked.INSTANCE);
            LockSupport.parkNanos(POLL_NS);
            strangers.requireAlive("while it was to knock");
            if (clock.nanoTime() - deadlineNs > 0) {
                throw strangers.failed("was not done in time");
            }
            now = doneLines(strangers);
        }
        return StrangerCounts.parse(now.get(doneCount++));
    }

    private static List<String> doneLines(final ChildProcess strangers) {
        return strangers.outputLines().stream().filter(line -> line.startsWith(Strangers.DONE)).toList();
    }

    private static long counter(final Aeron aeron, final CounterId id) {
        final long[] value = {0};
        aeron.countersReader().forEach((counterId, typeId, keyBuffer, label) -> {
            if (typeId == id.typeId()) {
                value[0] = aeron.countersReader().getCounterValue(counterId);
            }
        });
        return value[0];
    }

    private void makeKey() {
        final StringWriter said = new StringWriter();
        final int exitCode = new CommandLine(new KeyCommand())
                .setOut(new PrintWriter(said, true))
                .setErr(new PrintWriter(said, true))
                .execute(PRINCIPAL, "--keys", keys.toString(), "--client", key.toString());
        if (exitCode != ExitCode.OK) {
            throw ToolException.environment("no key was made: " + said);
        }
    }

    private LiveReport.IntervalLog intervalLog() {
        return plan.output() == null
                ? null
                : LiveReport.IntervalLog.create(plan.output(),
                        "tiercel bench access: " + plan.rate() + "/s, quiet and attack by turns",
                        "nanoseconds from the moment a request was due to its answer; commit " + BuildInfo.commit(),
                        MachineInfo.describe());
    }
}
