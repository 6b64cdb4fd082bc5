package io.tiercel.tools.load;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.tools.AeronConnection;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.DurationConverter;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.ToolException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel load}: open-loop load against a running appliance, and the raw echo beside it. */
@Command(
        name = "load",
        mixinStandardHelpOptions = true,
        description = {
            "Loads a running appliance and measures it.",
            "Open loop: requests are sent when they are due, and timed from then, whatever became of the earlier ones. "
                    + "Ends by itself. One spinning thread."})
public final class LoadCommand implements Callable<Integer> {

    private static final long DURATION_NS = 10_000_000_000L;
    private static final long OVERLOAD_DURATION_NS = 60_000_000_000L;

    /** How requests arrive. */
    enum Pattern {
        CONSTANT, BURST, ONE_HERTZ, POISSON;

        static Pattern of(final String text) {
            switch (text) {
                case "constant":
                    return CONSTANT;
                case "burst":
                    return BURST;
                case "1hz":
                    return ONE_HERTZ;
                case "poisson":
                    return POISSON;
                default:
                    throw ToolException.badArgument(
                            "--pattern=" + text + " is not one of constant, burst, 1hz, poisson");
            }
        }
    }

    @Option(names = "--aeron-dir", paramLabel = "DIR",
            description = "Directory of the appliance's media driver. Default: Aeron's own.")
    private String aeronDirectoryName = CommonContext.getAeronDirectoryName();

    @Option(names = "--request-channel", defaultValue = ClientContext.DEFAULT_CHANNEL, paramLabel = "CHANNEL",
            description = "Aeron channel of the appliance. Default: ${DEFAULT-VALUE}.")
    private String requestChannel;

    @Option(names = "--request-stream", defaultValue = "" + ClientContext.DEFAULT_REQUEST_STREAM_ID, paramLabel = "ID",
            description = "Aeron stream of the appliance. Default: ${DEFAULT-VALUE}.")
    private int requestStreamId;

    @Option(names = "--principal", defaultValue = "load", paramLabel = "NAME",
            description = "Who connects. Default: ${DEFAULT-VALUE}.")
    private String principal;

    @Option(names = "--key", paramLabel = "FILE",
            description = "The principal's key, as ops key made it, where the appliance asks for one.")
    private Path keyFile;

    @Option(names = "--model", paramLabel = "ALIAS", description = "Model to ask. Default: the appliance's first.")
    private String modelAlias;

    @Option(names = "--rate", defaultValue = "10000", paramLabel = "R",
            description = "Requests a second. Default: ${DEFAULT-VALUE}.")
    private double rate;

    @Option(names = "--sessions", defaultValue = "16", paramLabel = "S",
            description = "Sessions, taken in turn. Default: ${DEFAULT-VALUE}.")
    private int sessions;

    @Option(names = "--duration", paramLabel = "TIME", converter = DurationConverter.class,
            description = "How long requests are sent. Default: 10s, with --overload 60s for each of its two runs.")
    private Duration duration;

    @Option(names = "--pattern", defaultValue = "constant", paramLabel = "PATTERN",
            description = "How requests arrive: constant, burst (--burst-size at once), 1hz (--burst-size once a "
                    + "second, whatever the rate), poisson. Default: ${DEFAULT-VALUE}.")
    private String patternName;

    @Option(names = "--burst-size", paramLabel = "N",
            description = "Requests at one instant. Default: 16 for burst, 1 for 1hz.")
    private Integer burstSize;

    @Option(names = "--budget", defaultValue = "0", paramLabel = "TIME", converter = DurationConverter.class,
            description = "Time from arrival after which an answer is of no use; 0: none. Default: ${DEFAULT-VALUE}.")
    private Duration budget;

    @Option(names = "--features", defaultValue = "random", paramLabel = "SOURCE",
            description = "What is sent: random (features or tokens, for any model), or tape (the Bitstamp tape's "
                    + "features, or its events for the bitstamp-events model). Default: ${DEFAULT-VALUE}.")
    private String features;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "SEED",
            description = "Of random features and Poisson arrivals. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--find-sustainable",
            description = "First looks for the highest rate that is sustained (from --rate, doubling, then halving the "
                    + "interval), then runs at half of it.")
    private boolean findSustainable;

    @Option(names = "--overload", arity = "0..1", fallbackValue = "3", paramLabel = "FACTOR",
            description = "Measures overload: runs at half of the sustainable rate (what --find-sustainable finds, or "
                    + "else --rate), then at FACTOR times it (3 if none is given). A request that finds no room is "
                    + "given up and counted.")
    private Double overload;

    @Option(names = "--output", paramLabel = "FILE", description = "Writes interval histograms here (.hlog).")
    private Path output;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Override
    public Integer call() {
        checkArguments();
        final LoadPlan plan = new LoadPlan(
                aeronDirectoryName, requestChannel, requestStreamId, principal, keyFile, modelAlias,
                rate, sessions, durationNs(), Pattern.of(patternName), burstSizeOf(Pattern.of(patternName)),
                budget.toNanos(), "tape".equals(features), seed, findSustainable,
                overload == null ? 0 : overload, output);
        final Map<String, Object> result = new LinkedHashMap<>();
        final boolean isGood = run(plan, result);
        if (json != null) {
            Json.write(json, result);
        }
        return isGood ? ExitCode.OK : ExitCode.CHECK_FAILED;
    }

    private static boolean run(final LoadPlan plan, final Map<String, Object> result) {
        System.out.println("tiercel load, commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        result.put("commit", BuildInfo.commit());
        result.put("machine", MachineInfo.describe());
        result.put("jvm", MachineInfo.runtime());
        try (Aeron aeron = AeronConnection.open(plan.aeronDirectoryName())) {
            final ModelInfo model = look(plan, aeron);
            return new LoadRun(plan, aeron, model, SystemNanoClock.INSTANCE, System.out, result).run();
        } catch (final TiercelClientException e) {
            throw ToolException.environment("cannot connect to the appliance at aeron-dir=" + plan.aeronDirectoryName()
                    + " stream=" + plan.requestStreamId() + ": " + e.getMessage(), e);
        }
    }

    /** A short connection, to learn what the appliance serves before anything is sized. */
    private static ModelInfo look(final LoadPlan plan, final Aeron aeron) {
        try (TiercelClient client = TiercelClient.connect(plan.clientContext(aeron))) {
            System.out.println("connected: aeron-dir=" + plan.aeronDirectoryName() + " client=" + client.clientId()
                    + " max-in-flight=" + client.maxInFlight() + " max-sessions=" + client.maxSessions());
            if (plan.sessions() > client.maxSessions()) {
                throw ToolException.badArgument(
                        "--sessions=" + plan.sessions() + " is above the appliance's " + client.maxSessions());
            }
            final ModelInfo model = plan.modelAlias() == null
                    ? client.models().get(0)
                    : modelNamed(client, plan.modelAlias());
            System.out.println("model: " + model.alias() + " version=" + model.version().substring(0, 16)
                    + " features=" + model.featureCount() + " outputs=" + model.outputCount()
                    + (model.hasTokens() ? " vocabulary=" + model.vocabularySize() : "")
                    + (model.contextTokens() > 0 ? " context=" + model.contextTokens() : ""));
            return model;
        }
    }

    private static ModelInfo modelNamed(final TiercelClient client, final String alias) {
        for (final ModelInfo model : client.models()) {
            if (model.alias().equals(alias)) {
                return model;
            }
        }
        throw ToolException.badArgument("--model=" + alias + " is not served; there are: "
                + client.models().stream().map(ModelInfo::alias).toList());
    }

    private void checkArguments() {
        final Pattern pattern = Pattern.of(patternName);
        if (!(rate >= 1 && rate <= LoadPlan.MAX_RATE)) {
            throw ToolException.badArgument("--rate=" + rate + " is not in 1.." + (long) LoadPlan.MAX_RATE);
        }
        if (sessions < 1) {
            throw ToolException.badArgument("--sessions=" + sessions + " is below 1");
        }
        if (durationNs() == 0) {
            throw ToolException.badArgument("--duration=0 is no time to measure in");
        }
        if (burstSizeOf(pattern) < 1 || burstSizeOf(pattern) > LoadPlan.MAX_BURST) {
            throw ToolException.badArgument("--burst-size=" + burstSize + " is not in 1.." + LoadPlan.MAX_BURST);
        }
        if (!"random".equals(features) && !"tape".equals(features)) {
            throw ToolException.badArgument("--features=" + features + " is not one of random, tape");
        }
        if (findSustainable && pattern == Pattern.ONE_HERTZ) {
            throw ToolException.badArgument("--find-sustainable needs a pattern with a rate, not 1hz");
        }
        if (overload != null && !(overload > 0 && overload <= LoadPlan.MAX_OVERLOAD)) {
            throw ToolException.badArgument("--overload=" + overload + " is not above 0 and at most "
                    + (int) LoadPlan.MAX_OVERLOAD);
        }
        if (overload != null && pattern == Pattern.ONE_HERTZ) {
            throw ToolException.badArgument("--overload needs a pattern with a rate, not 1hz");
        }
        Json.checkWritable("--json", json);
        Json.checkWritable("--output", output);
    }

    private long durationNs() {
        if (duration != null) {
            return duration.toNanos();
        }
        return overload == null ? DURATION_NS : OVERLOAD_DURATION_NS;
    }

    private int burstSizeOf(final Pattern pattern) {
        if (burstSize != null) {
            return burstSize;
        }
        return pattern == Pattern.BURST ? 16 : 1;
    }
}
