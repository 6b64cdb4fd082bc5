package io.tiercel.tools.demo;

import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.NoBackendException;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.CommittedModels;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.FreshDirectory;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.market.EventVocabulary;
import io.tiercel.tools.market.MarketFeed;
import io.tiercel.tools.market.ModelTape;
import io.tiercel.tools.market.PlayedTape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel demo}: the main job from end to end, with its own check. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Plays a real trade tape to an appliance and replays what it journaled.",
            "Starts an appliance in a process of its own, sends one request for each trade, prints how fast and how "
                    + "well it answered, and computes the journal again in a fresh engine. Exits with 0 only if every "
                    + "request was answered and every outcome is bit-identical, or, of a model that is not exact, "
                    + "within its tolerance."})
public final class DemoCommand implements Callable<Integer> {

    /** As {@code foreseen-tokens} of a configuration. */
    private static final int MAX_FORESEEN = 16;
    private static final double MAX_RATE = 1_000_000;
    private static final String TRANSFORMER = "transformer";

    @Option(names = "--input", defaultValue = MarketFeed.BITSTAMP, paramLabel = "FILE",
            description = "What to play: bitstamp, the trade tape that comes with the program, or a LOBSTER zip as "
                    + "downloaded. Default: ${DEFAULT-VALUE}.")
    private String input;

    @Option(names = "--events", defaultValue = "0", paramLabel = "N",
            description = "Plays the first N events. Default: all.")
    private int events;

    @Option(names = "--rate", defaultValue = "10000", paramLabel = "R",
            description = "Requests a second; latencies count from when each was due. Default: ${DEFAULT-VALUE}.")
    private double rate;

    @Option(names = "--sessions", defaultValue = "0", paramLabel = "S",
            description = "Instruments that the trade tape is played as. Default: "
                    + MarketFeed.DEFAULT_SESSION_COUNT + "; a LOBSTER file is 1.")
    private int sessions;

    @Option(names = "--layout", defaultValue = "auto", paramLabel = "LAYOUT",
            description = "compact, paired, dedicated or auto (by the number of cores). Default: ${DEFAULT-VALUE}.")
    private String layout;

    @Option(names = "--durability", defaultValue = "process", paramLabel = "LEVEL",
            description = "What an answered request survives: process, or disk, where each batch is written through "
                    + "before its answers leave. Default: ${DEFAULT-VALUE}.")
    private DurabilityLevel durability;

    @Option(names = "--backend", defaultValue = Backends.AUTO, paramLabel = "NAME",
            description = "What computes the model; see tiercel backends. Default: ${DEFAULT-VALUE}.")
    private String backend;

    @Option(names = "--replay-backend", defaultValue = Backends.AUTO, paramLabel = "NAME",
            description = "What computes the journal again: with another one than --backend, two engines show that "
                    + "they have the same bits. Default: ${DEFAULT-VALUE}.")
    private String replayBackend;

    @Option(names = "--weights", defaultValue = "int8", paramLabel = "KIND",
            description = "Which of the models that come with the program: int8 or int4. Default: ${DEFAULT-VALUE}.")
    private String weights;

    @Option(names = "--model", paramLabel = "BUNDLE|transformer",
            description = "Serves this bundle instead; transformer is the one that comes with the program, reads every "
                    + "event of the tape as a token and predicts the next one.")
    private String model;

    @Option(names = "--foresee", defaultValue = "0", paramLabel = "N",
            description = "Computes the steps of a session's N likeliest next events while nothing else is to do, "
                    + "before they are asked for; for --model=transformer. Default: ${DEFAULT-VALUE}.")
    private int foreseenTokens;

    @Option(names = "--journal", paramLabel = "DIR",
            description = "Directory for the journal, new or empty. Default: journal/demo-TIME.")
    private Path journal;

    @Option(names = "--labels", paramLabel = "FILE",
            description = "Writes the classes of the held-out events here, by sequence, for replay whatif. Not for "
                    + "tokens: there the journal's next tokens are the labels.")
    private Path labels;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Override
    public Integer call() {
        checkArguments();
        final DemoPlan plan = prepare();
        final PlayedTape tape = plan.tape();
        System.out.printf(Locale.ROOT, "playing %d events of %s as %d session%s, %s requests a second%n",
                tape.eventCount(), tape.tapeName(), tape.sessionCount(), tape.sessionCount() == 1 ? "" : "s",
                Long.toString(Math.round(rate)));
        System.out.println("journal: " + plan.journal());
        MachineInfo.printNoteOfSpinningThreads(System.out, plan.layout(), 1);
        final DemoRun run = new DemoRun(plan, SystemNanoClock.INSTANCE, System.out);
        final DemoResult result = run.run();
        final DemoReport report = new DemoReport(plan, result);
        report.print(System.out);
        if (labels != null) {
            run.writeLabels(labels);
        }
        run.replay();
        report.printReplay(System.out);
        if (json != null) {
            Json.write(json, report.toJson());
        }
        return result.holds(tape.eventCount()) ? ExitCode.OK : ExitCode.CHECK_FAILED;
    }

    private void checkArguments() {
        if (events < 0) {
            throw ToolException.badArgument("--events=" + events + " is below 0");
        }
        if (!(rate >= 1 && rate <= MAX_RATE)) {
            throw ToolException.badArgument("--rate=" + rate + " is not in 1.." + (long) MAX_RATE);
        }
        if (foreseenTokens < 0 || foreseenTokens > MAX_FORESEEN) {
            throw ToolException.badArgument("--foresee=" + foreseenTokens + " is not in 0.." + MAX_FORESEEN);
        }
        if (!"int8".equals(weights) && !"int4".equals(weights)) {
            throw ToolException.badArgument("--weights=" + weights + " is not one of int8, int4");
        }
        if (isFile() && !Files.isReadable(Path.of(model))) {
            throw ToolException.badArgument("--model=" + model + " cannot be read");
        }
        parseLayout();
        Json.checkWritable("--json", json);
        Json.checkWritable("--labels", labels);
    }

    private Layout parseLayout() {
        for (final Layout each : Layout.values()) {
            if (each.name().equalsIgnoreCase(layout)) {
                return each.resolve(Runtime.getRuntime().availableProcessors());
            }
        }
        throw ToolException.badArgument("--layout=" + layout + " is not one of auto, compact, paired, dedicated");
    }

    private static void checkBackend(final String option, final String name, final Bundle bundle) {
        try {
            Backends.select(name, bundle);
        } catch (final NoBackendException e) {
            throw ToolException.badArgument(option + "=" + name + ": " + e.getMessage());
        }
    }

    /** Checks the bundle against what will be played, and only then makes directories. */
    private DemoPlan prepare() {
        final Bundle bundle = isFile()
                ? Bundle.open(Path.of(model).toAbsolutePath())
                : CommittedModels.open(MarketFeed.modelName(input)
                        + (model == null ? "-" + weights : CommittedModels.EVENTS));
        final PlayedTape tape = ModelTape.open(bundle, input, sessions, events);
        if (labels != null && EventVocabulary.ofBundle(bundle) != null) {
            throw ToolException.badArgument("--labels=" + labels + ", but --model=" + model
                    + " predicts tokens: the journal's next tokens are the labels");
        }
        checkBackend("--backend", backend, bundle);
        checkBackend("--replay-backend", replayBackend, bundle);
        final Path directory = FreshDirectory.make("demo", "--journal", journal);
        final Path folder = directory.resolve("demo");
        try {
            Files.createDirectories(folder);
            final Path file = isFile() ? bundle.path() : CommittedModels.extract(bundle, folder);
            return new DemoPlan(
                    tape, file, bundle.manifest().outputCount(), parseLayout(), durability, backend, replayBackend,
                    foreseenTokens, rate, directory, folder);
        } catch (final IOException e) {
            throw ToolException.environment("cannot write to " + folder + ": " + e, e);
        }
    }

    private boolean isFile() {
        return model != null && !TRANSFORMER.equals(model);
    }
}
