package io.tiercel.tools.chaos;

import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.CommittedModels;
import io.tiercel.tools.DurationConverter;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.FreshDirectory;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel chaos}: kills an appliance again and again, and checks that nothing that was acknowledged is lost. */
@Command(
        name = "chaos",
        mixinStandardHelpOptions = true,
        description = {
            "Kills an appliance (kill -9) again and again while clients send, and checks what is left.",
            "The clients keep logs of their own, connect anew, and send what was not answered once more. At the end " +
                    "every answer must be in the journal, bit for bit, nothing may be there twice, and the journal " +
                    "must replay. Kills only the processes that it has started."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:nothing lost, nothing twice, all answered, replay identical",
            "1:one of these does not hold, or the appliance cannot start on what a kill has left",
            "2:bad arguments",
            "3:the machine or a file failed"
        })
public final class ChaosCommand implements Callable<Integer> {

    private static final String DEFAULT_MODEL = "bitstamp-int8";
    private static final int MAX_ROUNDS = 10_000;
    private static final int MAX_CLIENTS = 16;
    private static final double MAX_RATE = 20_000;
    private static final long MIN_SNAPSHOT_INTERVAL_MS = 10;

    @Option(names = "--rounds", defaultValue = "20", paramLabel = "N",
            description = "Kills. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "S",
            description = "Of requests and of the moments of the kills. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--clients", defaultValue = "2", paramLabel = "C", description = "Default: ${DEFAULT-VALUE}.")
    private int clients;

    @Option(names = "--rate", defaultValue = "1000", paramLabel = "R",
            description = "Requests a second, all clients together. Default: ${DEFAULT-VALUE}.")
    private double rate;

    @Option(names = "--model", paramLabel = "BUNDLE",
            description = "What to serve. Default: a model that comes with the program.")
    private Path model;

    @Option(names = "--dir", paramLabel = "DIR",
            description = "Directory for journal and logs, new or empty; kept. Default: journal/chaos-TIME.")
    private Path directory;

    @Option(names = "--durability", defaultValue = "process", paramLabel = "LEVEL",
            description = "process or disk. Default: ${DEFAULT-VALUE}.")
    private DurabilityLevel durability;

    @Option(names = "--snapshot-interval", defaultValue = "500ms", paramLabel = "TIME",
            converter = DurationConverter.class, description = "Between two snapshots. Default: ${DEFAULT-VALUE}.")
    private Duration snapshotInterval;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Override
    public Integer call() {
        checkArguments();
        final ChaosPlan plan = prepare();
        System.out.println("tiercel chaos, commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        System.out.println("rounds=" + rounds + " seed=" + seed + " clients=" + clients + " rate=" + Math.round(rate) +
                " durability=" + plan.durability() + " snapshot-interval=" + snapshotInterval.toMillis() + "ms dir=" +
                plan.directory());
        final ChaosResult result = new ChaosRun(plan, SystemNanoClock.INSTANCE, System.out).run();
        final ChaosReport report = new ChaosReport(plan, result);
        report.print(System.out);
        if (json != null) {
            final Map<String, Object> content = new LinkedHashMap<>();
            content.put("commit", BuildInfo.commit());
            content.put("machine", MachineInfo.describe());
            content.put("jvm", MachineInfo.runtime());
            content.putAll(report.toJson());
            Json.write(json, content);
        }
        return result.holds() ? ExitCode.OK : ExitCode.CHECK_FAILED;
    }

    private void checkArguments() {
        if (rounds < 1 || rounds > MAX_ROUNDS) {
            throw ToolException.badArgument("--rounds=" + rounds + " is not in 1.." + MAX_ROUNDS);
        }
        if (clients < 1 || clients > MAX_CLIENTS) {
            throw ToolException.badArgument("--clients=" + clients + " is not in 1.." + MAX_CLIENTS);
        }
        if (!(rate >= 1 && rate <= MAX_RATE)) {
            throw ToolException.badArgument("--rate=" + rate + " is not in 1.." + (long) MAX_RATE);
        }
        if (snapshotInterval.toMillis() < MIN_SNAPSHOT_INTERVAL_MS) {
            throw ToolException.badArgument(
                    "--snapshot-interval=" + snapshotInterval.toMillis() + "ms is below " + MIN_SNAPSHOT_INTERVAL_MS +
                            "ms");
        }
        if (model != null && !Files.isReadable(model)) {
            throw ToolException.badArgument("--model=" + model + " cannot be read");
        }
        Json.checkWritable("--json", json);
    }

    /** Reads the bundle, and only then makes directories. */
    private ChaosPlan prepare() {
        final Bundle bundle =
                model != null ? Bundle.open(model.toAbsolutePath()) : CommittedModels.open(DEFAULT_MODEL);
        if (bundle.manifest().shape().getOrDefault("vocabulary", 0) > 0) {
            throw ToolException.badArgument("--model=" + bundle.path() + " takes tokens, but chaos sends features");
        }
        final Path fresh = FreshDirectory.make("chaos", "--dir", directory);
        try {
            final Path file = model != null ? bundle.path() : CommittedModels.extract(bundle, fresh);
            return new ChaosPlan(rounds, seed, clients, rate, file, durability, snapshotInterval, fresh);
        } catch (final IOException e) {
            throw ToolException.environment("cannot write to " + fresh + ": " + e, e);
        }
    }
}
