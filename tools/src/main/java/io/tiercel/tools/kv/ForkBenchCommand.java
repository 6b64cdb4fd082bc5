package io.tiercel.tools.kv;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.CommittedModels;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.transformer.TokenSessions;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel bench fork}: sessions that have a past in common. */
@Command(
        name = "fork",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures many sessions that stand where one stands that has been warmed up: each warmed up by "
                + "itself, forked with a copy of the state, and forked as the appliance does, with pages in common. "
                + "Ends by itself. One thread.")
public final class ForkBenchCommand implements Callable<Integer> {

    private static final int MAX_SESSIONS = 1_000_000;
    private static final int MAX_TOKENS = 65_536;

    @Option(names = "--model", paramLabel = "BUNDLE",
            description = "A bundle that predicts tokens. Default: the committed model of Bitstamp's order flow.")
    private Path model;

    @Option(names = "--sessions", defaultValue = "4096", paramLabel = "N",
            description = "Sessions, the first of which is warmed up. Default: ${DEFAULT-VALUE}.")
    private int sessions;

    @Option(names = "--tokens", paramLabel = "N",
            description = "Of the warm-up, by chance. Default: the model's context.")
    private Integer tokens;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "N",
            description = "Of tokens and order. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Override
    public Integer call() {
        checkArguments();
        final Bundle bundle =
                model == null ? CommittedModels.open(CommittedModels.BITSTAMP_EVENTS) : Bundle.open(model);
        TokenSessions.ensurePredictsTokens(bundle);
        final int tokenCount = tokens == null ? bundle.manifest().shape().get("context") : tokens;
        final StatusLine status = new StatusLine(new PrintWriter(System.err), Terminal.isErrorInteractive());
        System.out.println("tiercel bench fork, commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        System.out.println("kernels: " + new CpuBackend().probe().detail() + "; model=" + bundle.path().getFileName() +
                " sessions=" + sessions + " tokens=" + tokenCount + " seed=" + seed + " turns=" + ForkBench.TURNS);
        final List<ForkBench.Row> rows =
                new ForkBench(bundle, sessions, tokenCount, seed, SystemNanoClock.INSTANCE).measure(status);
        System.out.println(ForkBench.legend());
        System.out.println();
        System.out.print(ForkBench.table(rows));
        if (json != null) {
            Json.write(json, result(bundle, tokenCount, rows));
        }
        return ExitCode.OK;
    }

    private Map<String, Object> result(final Bundle bundle, final int tokenCount, final List<ForkBench.Row> rows) {
        final Map<String, Object> result = new LinkedHashMap<>();
        result.put("commit", BuildInfo.commit());
        result.put("machine", MachineInfo.describe());
        result.put("jvm", MachineInfo.runtime());
        result.put("kernels", new CpuBackend().probe().detail());
        result.put("model", bundle.path().toString());
        result.put("modelVersion", bundle.versionHex());
        result.put("sessions", sessions);
        result.put("tokens", tokenCount);
        result.put("seed", seed);
        result.put("rows", ForkBench.json(rows));
        return result;
    }

    private void checkArguments() {
        if (model != null && !Files.isRegularFile(model)) {
            throw ToolException.badArgument("--model=" + model + " is not a file");
        }
        if (sessions < 2 || sessions > MAX_SESSIONS) {
            throw ToolException.badArgument("--sessions=" + sessions + " is not in 2.." + MAX_SESSIONS);
        }
        if (tokens != null && (tokens < 1 || tokens > MAX_TOKENS)) {
            throw ToolException.badArgument("--tokens=" + tokens + " is not in 1.." + MAX_TOKENS);
        }
        Json.checkWritable("--json", json);
    }
}
