package io.tiercel.tools.ops;

import io.aeron.Aeron;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.tools.AeronConnection;
import io.tiercel.tools.ChildJvm;
import io.tiercel.tools.ChildProcess;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.load.ApplianceTarget;
import io.tiercel.tools.load.BenchAppliance;
import io.tiercel.tools.load.MeasuredRun;
import io.tiercel.tools.load.Measurement;
import io.tiercel.tools.load.NobodyAsked;
import io.tiercel.tools.load.OutputSink;
import io.tiercel.tools.load.RandomRequests;
import io.tiercel.tools.load.Rehearsal;
import io.tiercel.tools.load.RequestSource;
import io.tiercel.tools.load.Schedules;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.CloseHelper;
import org.agrona.concurrent.NanoClock;

/**
 * An appliance, a client that asks at a steady rate, and an operator's desk in a process of its own, which in turns is
 * not there, reads, is stopped in its tracks, and is killed half-way. Each turn begins with another of them, so that
 * all meet the same moods of the machine.
 */
final class DeskBench {

    private static final int SESSIONS = 16;
    private static final long START_TIMEOUT_MS = 120_000;
    private static final long STOP_TIMEOUT_MS = 60_000;
    private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Plan plan;
    private final NanoClock clock;
    private final PrintStream out;
    private int startedCount;

    /** What is with the desk while a part is played. */
    enum Desk {
        /** There is none. */
        NONE,
        /** It reads ten times a second. */
        READS,
        /** It is stopped (SIGSTOP) with its files mapped. */
        STOPPED,
        /** It reads, and is killed (SIGKILL) half-way. */
        KILLED
    }

    /**
     * @param requestCount of each part; a turn has four.
     * @param folder       for the journal and what the processes say.
     * @param isRehearsed  whether client and appliance are warmed up, as for figures that count.
     */
    record Plan(
            Layout layout, IdleMode idle, double rate, long requestCount, int turns, Path folder, boolean isRehearsed) {
    }

    DeskBench(final Plan plan, final NanoClock clock, final PrintStream out) {
        this.plan = plan;
        this.clock = clock;
        this.out = out;
    }

    Map<Desk, Measurement> run() {
        try (BenchAppliance appliance = BenchAppliance.start(new BenchAppliance.Plan(
                "bench-desk", plan.layout(), plan.idle(), plan.folder(), plan.isRehearsed(), null))) {
            appliance.awaitReady();
            final Map<Desk, Measurement> measured = measure(appliance.aeronDirectoryName());
            appliance.stop("while desks came and went");
            return measured;
        }
    }

    private Map<Desk, Measurement> measure(final String aeronDirectoryName) {
        final Map<Desk, MeasuredRun> runs = new EnumMap<>(Desk.class);
        try (Aeron aeron = AeronConnection.open(aeronDirectoryName);
                TiercelClient client = TiercelClient.connect(new ClientContext().aeron(aeron).principal("bench"))) {
            final ModelInfo model = client.models().get(0);
            final RequestSource source = new RandomRequests(model.featureCount(), SESSIONS, 1);
            if (plan.isRehearsed()) {
                out.println("rehearsing the client, with a responder in its own process");
                Rehearsal.run(aeron, clock, source, Long.MAX_VALUE, OutputSink.NONE, model.featureCount(),
                        model.outputCount(), null);
            }
            final ApplianceTarget target =
                    new ApplianceTarget(client, model.modelId(), source, 0, OutputSink.NONE);
            for (final Desk desk : Desk.values()) {
                runs.put(desk, new MeasuredRun(clock, target).maxInFlight(client.maxInFlight()));
            }
            for (int part = 0; part < plan.turns() * Desk.values().length; part++) {
                final int turn = part / Desk.values().length;
                final Desk desk = Desk.values()[(part + turn) % Desk.values().length];
                out.printf(Locale.ROOT, "turn %d of %d: %d requests, desk: %s%n", turn + 1, plan.turns(),
                        plan.requestCount(), desk.name().toLowerCase(Locale.ROOT));
                play(desk, aeronDirectoryName, runs.get(desk), target);
            }
            final Map<Desk, Measurement> measured = new EnumMap<>(Desk.class);
            runs.forEach((desk, run) -> measured.put(desk, run.finish()));
            return measured;
        } finally {
            CloseHelper.closeAll(runs.values());
        }
    }

    private void play(
            final Desk desk, final String aeronDirectoryName, final MeasuredRun run, final ApplianceTarget target) {
        if (desk == Desk.NONE) {
            play(run, plan.requestCount());
            return;
        }
        final String name = "desk-" + startedCount++;
        try (ChildProcess process = ChildProcess.start(name, ChildJvm.command(List.of("ops", "exporter",
                "--aeron", aeronDirectoryName, "--listen", "0", "--until-stdin-closes")),
                plan.folder().resolve(name + ".log"))) {
            awaitReading(process, target);
            if (desk == Desk.STOPPED) {
                stop(process);
            }
            final long half = plan.requestCount() / 2;
            play(run, half);
            if (desk == Desk.KILLED) {
                process.kill();
            }
            play(run, plan.requestCount() - half);
            if (desk == Desk.STOPPED) {
                process.kill();
            } else if (desk == Desk.READS) {
                process.requireAlive("while it was to read");
                process.terminate(STOP_TIMEOUT_MS);
            }
        }
    }

    private void play(final MeasuredRun run, final long requestCount) {
        run.requests(0, requestCount).openLoopPart(Schedules.constant(plan.rate()));
    }

    /** The client must be heard of meanwhile. */
    private void awaitReading(final ChildProcess desk, final ApplianceTarget target) {
        final long deadlineNs = clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_TIMEOUT_MS);
        while (desk.outputLines().stream().noneMatch(line -> line.startsWith("appliance: status=LIVE"))) {
            target.poll(NobodyAsked.INSTANCE);
            LockSupport.parkNanos(POLL_NS);
            desk.requireAlive("before it read anything");
            if (clock.nanoTime() - deadlineNs > 0) {
                throw desk.failed("did not begin to read in time");
            }
        }
    }

    private static void stop(final ChildProcess process) {
        try {
            final int code = new ProcessBuilder("kill", "-STOP", Long.toString(process.pid())).inheritIO().start()
                    .waitFor();
            if (code != 0) {
                throw ToolException.environment("kill -STOP " + process.pid() + " failed: exit code " + code);
            }
        } catch (final IOException ex) {
            throw ToolException.environment("cannot run kill: " + ex.getMessage(), ex);
        } catch (final InterruptedException ex) {
            Thread.currentThread().interrupt();
            throw ToolException.environment("interrupted", ex);
        }
    }
}
