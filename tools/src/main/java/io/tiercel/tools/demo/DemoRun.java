package io.tiercel.tools.demo;

import io.aeron.Aeron;
import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.transport.EchoAgent;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.ReplayVerifier;
import io.tiercel.tools.AeronConnection;
import io.tiercel.tools.ChildJvm;
import io.tiercel.tools.ChildProcess;
import io.tiercel.tools.CountProgress;
import io.tiercel.tools.ServeCommand;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.load.ApplianceTarget;
import io.tiercel.tools.load.EchoClient;
import io.tiercel.tools.load.FeedRequests;
import io.tiercel.tools.load.MeasuredRun;
import io.tiercel.tools.load.ProgressBar;
import io.tiercel.tools.load.Rehearsal;
import io.tiercel.tools.load.RequestSource;
import io.tiercel.tools.load.Schedules;
import java.io.File;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.agrona.IoUtil;
import org.agrona.concurrent.NanoClock;

/**
 * The phases of the demo, one after another: the appliance in a process of its own, this process made warm, the tape
 * played in parts with the raw echo between them, the appliance's orderly end, its telemetry read, its journal
 * replayed. At no time do more threads spin than the layout has, and one here.
 */
final class DemoRun {

    private static final String CHANNEL = "aeron:ipc";
    private static final long CONNECT_TIMEOUT_NS = 10_000_000_000L;
    private static final long ECHO_PART_NS = 300_000_000L;
    private static final long START_TIMEOUT_MS = 120_000;
    private static final long STOP_TIMEOUT_MS = 60_000;
    private static final long HEAD_COUNT = 1_000;
    private static final int SIGTERM_EXIT_CODE = 143;

    private final DemoPlan plan;
    private final NanoClock clock;
    private final PrintStream out;
    private final RequestSource requests;
    private final Answers answers;
    private final long[] roundTripsNs;
    private final DemoResult result = new DemoResult();

    DemoRun(final DemoPlan plan, final NanoClock clock, final PrintStream out) {
        this.plan = plan;
        this.clock = clock;
        this.out = out;
        this.requests = new FeedRequests(plan.tape());
        this.answers = new Answers(plan.tape(), plan.outputCount());
        this.roundTripsNs = new long[plan.tape().eventCount()];
    }

    DemoResult run() {
        serveAndPlay();
        result.stages = StageLog.read(plan.journal().resolve("telemetry"));
        final ComputeTimes compute = ComputeTimes.read(plan.journal(), plan.tape().eventCount());
        result.foreseenCount = compute.foreseenCount();
        for (final DemoPlan.Part part : plan.parts()) {
            compute.addLessCompute(
                    result.lessCompute, roundTripsNs, answers, part.firstEvent(), part.firstClosedLoopEvent());
            compute.addLessCompute(
                    result.closedLoopLessCompute, roundTripsNs, answers, part.firstClosedLoopEvent(), part.endEvent());
            compute.addByForesight(result.closedLoopForeseen, result.closedLoopComputed, roundTripsNs, answers,
                    part.firstClosedLoopEvent(), part.endEvent());
        }
        return result;
    }

    /** Writes what the answers to the held-out events should have been, after the run. */
    void writeLabels(final Path file) {
        answers.writeLabels(file);
    }

    /** Computes the journal again in a fresh engine. */
    void replay() {
        out.println("replaying the journal in a fresh engine");
        final ReplayOptions options =
                new ReplayOptions().journalDirectory(plan.journal()).backend(plan.replayBackend());
        final boolean isInteractive = Terminal.isInteractive();
        final CountProgress progress = new CountProgress("replay", new PrintWriter(out), isInteractive, clock);
        if (isInteractive) {
            options.progress(progress::show);
        }
        result.replay = new ReplayVerifier(options).verify();
        progress.clear();
    }

    private void serveAndPlay() {
        final String aeronDirectoryName = AeronConnection.directoryName("demo");
        final Path configuration = ServeConfiguration.write(plan, aeronDirectoryName);
        out.println("starting the appliance: tiercel serve --config " + configuration);
        try (ChildProcess appliance = start(
                "serve", List.of("serve", "--config", configuration.toString(), "--until-stdin-closes"))) {
            final String ready = appliance.awaitLine(ServeCommand.READY + " ", START_TIMEOUT_MS);
            result.readyMs = appliance.ageMs();
            readReadyLine(ready);
            out.println("ready after " + result.readyMs + " ms");
            try {
                play(aeronDirectoryName);
            } catch (final TiercelClientException e) {
                throw appliance.failed("cannot be connected to: " + e.getMessage());
            }
            appliance.requireAlive("while the tape was played");
            stop(appliance);
        } finally {
            IoUtil.delete(new File(aeronDirectoryName), true); // still there only if the appliance was killed
        }
    }

    private void play(final String aeronDirectoryName) {
        try (Aeron aeron = AeronConnection.open(aeronDirectoryName);
                EchoClient echo = rehearsedEcho(aeron);
                TiercelClient client = TiercelClient.connect(new ClientContext()
                        .aeron(aeron)
                        .requestChannel(CHANNEL)
                        .responseChannel(CHANNEL)
                        .principal(DemoPlan.PRINCIPAL)
                        .connectTimeoutNs(CONNECT_TIMEOUT_NS))) {
            final ModelInfo model = client.model(DemoPlan.ALIAS);
            result.bundleVersion = model.version();
            final ApplianceTarget target =
                    new ApplianceTarget(client, model.modelId(), requests, 0, answers);
            playParts(client, target, echo);
            result.score = answers.score();
            if (target.firstReject() != null) {
                out.println("first refusal: " + target.firstReject());
            }
        }
    }

    private void playParts(final TiercelClient client, final ApplianceTarget target, final EchoClient echo) {
        final long echoCount = Math.max(1, Math.round(plan.rate() * ECHO_PART_NS / 1e9));
        try (MeasuredRun paced = new MeasuredRun(clock, target)
                .maxInFlight(client.maxInFlight())
                .headCount(HEAD_COUNT)
                .trace(roundTripsNs)
                .progress(new ProgressBar(out, Terminal.isInteractive(), "playing", plan.pacedCount()));
                MeasuredRun closed = new MeasuredRun(clock, target).trace(roundTripsNs);
                MeasuredRun pacedEcho = new MeasuredRun(clock, echo).requests(0, echoCount);
                MeasuredRun closedEcho = new MeasuredRun(clock, echo)) {
            for (final DemoPlan.Part part : plan.parts()) {
                paced.requests(part.firstEvent(), part.pacedCount()).openLoopPart(Schedules.constant(plan.rate()));
                closed.requests(part.firstClosedLoopEvent(), part.closedLoopCount())
                        .closedLoopPart(DemoPlan.PAUSE_NS);
                pacedEcho.openLoopPart(Schedules.constant(plan.rate()));
                closedEcho.requests(0, part.closedLoopCount()).closedLoopPart(DemoPlan.PAUSE_NS);
            }
            result.roundTrip = paced.finish();
            result.closedLoop = closed.finish();
            result.echo = pacedEcho.finish();
            result.echoClosedLoop = closedEcho.finish();
        }
    }

    private EchoClient rehearsedEcho(final Aeron aeron) {
        final EchoClient echo = connectEcho(aeron);
        out.println("rehearsing the client, with a responder in its own process");
        Rehearsal.run(
                aeron, clock, requests, plan.tape().eventCount(), answers, plan.tape().featureCount(),
                plan.outputCount(), echo);
        answers.reset();
        return echo;
    }

    /** The raw echo, which the appliance returns on the streams after its own. */
    private EchoClient connectEcho(final Aeron aeron) {
        final EchoClient echo = EchoClient.connect(
                aeron, CHANNEL, ClientContext.DEFAULT_REQUEST_STREAM_ID + EchoAgent.REQUEST_STREAM_STEP,
                ClientContext.DEFAULT_REQUEST_STREAM_ID + EchoAgent.RESPONSE_STREAM_STEP,
                EchoClient.inferFrameLength(plan.tape().featureCount()), clock, CONNECT_TIMEOUT_NS);
        if (echo == null) {
            throw ToolException.environment("the appliance's echo does not answer");
        }
        return echo;
    }

    private void stop(final ChildProcess appliance) {
        final int exitCode = appliance.terminate(STOP_TIMEOUT_MS);
        boolean isDrained = false;
        for (final String line : appliance.outputLines()) {
            if (line.startsWith(ServeCommand.STOPPED)) {
                out.println("appliance " + line);
                isDrained = line.contains("drained=true");
            }
        }
        if (!isDrained || exitCode != 0 && exitCode != SIGTERM_EXIT_CODE) {
            throw appliance.failed("did not end in order: exit code " + exitCode);
        }
    }

    private ChildProcess start(final String name, final List<String> arguments) {
        return ChildProcess.start(name, ChildJvm.command(arguments), plan.folder().resolve(name + ".log"));
    }

    private void readReadyLine(final String ready) {
        result.layout = word(ready, "layout=(\\S+)").toLowerCase(Locale.ROOT);
        result.backend = word(ready, "model=[^/\\s]+/(\\S+)");
        for (final Backend backend : Backends.all()) {
            if (backend.name().equals(result.backend)) {
                result.kernel = backend.probe().detail();
            }
        }
    }

    private static String word(final String line, final String pattern) {
        final Matcher matcher = Pattern.compile(pattern).matcher(line);
        return matcher.find() ? matcher.group(1) : "unknown";
    }
}
