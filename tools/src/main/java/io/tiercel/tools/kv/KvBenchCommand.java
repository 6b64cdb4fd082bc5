package io.tiercel.tools.kv;

import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.transformer.TransformerSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel bench kv}: what each way of keeping keys and values costs, in bytes, time and foresight. */
@Command(
        name = "kv",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures sessions whose keys and values are coded in different ways: bytes of a session, a step "
                + "hot and cold, perplexity against fp32. Without --model: the order-flow network of GOOG on a LOBSTER "
                + "sample, and stories260K on text that it draws; one that is not there says so. Ends by itself. One "
                + "thread.")
public final class KvBenchCommand implements Callable<Integer> {

    private static final int MAX_SESSIONS = 1_000_000;
    private static final int MAX_STEPS = 10_000_000;
    private static final int MAX_CONTEXT = 65_536;

    @Option(names = "--model", paramLabel = "DIR|FILE",
            description = "A network in fp32, as model import reads it, instead of the two.")
    private Path model;

    @Option(names = "--tokens", paramLabel = "FILE",
            description = "Of --model: a .csv with columns token and split (train, test), or text. Default: text that "
                    + "the network draws itself.")
    private Path tokens;

    @Option(names = "--context", defaultValue = "0", paramLabel = "TOKENS",
            description = "Of --model: tokens in reach. Default: what its file says.")
    private int context;

    @Option(names = "--lobster", paramLabel = "FILE.zip",
            description = "The sample. Default: ../shared/data/" + KvSubjects.LOBSTER + ".")
    private Path lobster;

    @Option(names = "--kv", split = ",", defaultValue = KvPlan.CODECS, paramLabel = "KEYS/VALUES",
            description = "As model quantize has them. Default: ${DEFAULT-VALUE}.")
    private List<String> codecs;

    @Option(names = "--windows", split = ",", defaultValue = KvPlan.WINDOWS, paramLabel = "TOKENS",
            description = "Newest tokens in 8 bits. Default: ${DEFAULT-VALUE}.")
    private List<Integer> windows;

    @Option(names = "--rotated", description = "Uniform codes of the last window also rotated.")
    private boolean isRotated;

    @Option(names = "--validation",
            description = "Judges on the last 15 %% of what is learned from, or on other texts, and calibrates on the "
                    + "rest: to choose settings by, while the held-out part is not looked at.")
    private boolean isValidation;

    @Option(names = "--steps", defaultValue = "10000", paramLabel = "N",
            description = "Measured hot steps of a row. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--sessions", defaultValue = "4096", paramLabel = "N",
            description = "Sessions of a row that make a cold step each, as far as half of the free memory holds them. "
                    + "Default: ${DEFAULT-VALUE}.")
    private int sessions;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "N",
            description = "Of text, codebooks and order. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    private final NanoClock clock = SystemNanoClock.INSTANCE;

    @Override
    public Integer call() {
        checkArguments();
        final StatusLine status = new StatusLine(new PrintWriter(System.err), Terminal.isErrorInteractive());
        final KvBench bench = new KvBench(new KvPlan(codecs, windows, isRotated, steps, sessions, seed), clock, status);
        System.out.println("tiercel bench kv, commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        System.out.println("kernels: " + new CpuBackend().probe().detail() + "; steps=" + steps + " sessions=" +
                sessions + " seed=" + seed);
        System.out.println(KvReport.legend());
        final List<Map<String, Object>> models = new ArrayList<>();
        if (model == null) {
            models.add(measure(bench, status, "lobster-events", () -> KvSubjects.events(lobster, isValidation)));
            models.add(measure(bench, status, "stories260K", () -> KvSubjects.stories(seed, isValidation)));
        } else {
            models.add(measure(bench, status, model.toString(), this::given));
        }
        if (json != null) {
            Json.write(json, result(models));
        }
        return ExitCode.OK;
    }

    /** A default that is not there does not keep the other from running; what the user gave has to be there. */
    private Map<String, Object> measure(
            final KvBench bench, final StatusLine status, final String name, final Supplier<KvSubject> subject) {
        final KvResult result;
        try {
            status.show(name + ": tokens");
            result = bench.measure(subject.get());
        } catch (final ToolException ex) {
            status.clear();
            if (model != null || lobster != null) {
                throw ex;
            }
            System.out.println();
            System.out.println(name + "  not run: " + ex.getMessage());
            final Map<String, Object> notRun = new LinkedHashMap<>();
            notRun.put("model", name);
            notRun.put("notRun", ex.getMessage());
            return notRun;
        }
        System.out.println();
        System.out.println(KvReport.head(result));
        System.out.print(KvReport.table(result));
        KvReport.notes(result).forEach(System.out::println);
        return KvReport.json(result);
    }

    private KvSubject given() {
        try {
            return KvSubjects.of(model, tokens, context, seed, isValidation);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot read file=" + tokens + ": " + ex, ex);
        }
    }

    private Map<String, Object> result(final List<Map<String, Object>> models) {
        final Map<String, Object> result = new LinkedHashMap<>();
        result.put("commit", BuildInfo.commit());
        result.put("machine", MachineInfo.describe());
        result.put("jvm", MachineInfo.runtime());
        result.put("kernels", new CpuBackend().probe().detail());
        result.put("hotSteps", steps);
        result.put("seed", seed);
        result.put("timed", "int8 weights, 8-bit activations");
        result.put("judged", "int16 weights, 16-bit activations");
        result.put("models", models);
        return result;
    }

    private void checkArguments() {
        if (model == null && (tokens != null || context != 0)) {
            throw ToolException.badArgument("--tokens and --context go with --model");
        }
        if (model != null && lobster != null) {
            throw ToolException.badArgument("--lobster does not go with --model");
        }
        if (model != null && !Files.exists(model)) {
            throw ToolException.badArgument("--model=" + model + " is not there");
        }
        if (lobster != null && !Files.isRegularFile(lobster)) {
            throw ToolException.badArgument("--lobster=" + lobster + " is not a file");
        }
        codecs.forEach(each -> TransformerSettings.cache(each, Rotation.NONE, WhenFull.SLIDE));
        if (codecs.contains(KvBench.WIDE)) {
            throw ToolException.badArgument("--kv=" + KvBench.WIDE + " is measured in any case");
        }
        for (final int window : windows) {
            checkRange("--windows", window, 0, MAX_CONTEXT);
        }
        checkRange("--context", context, 0, MAX_CONTEXT);
        checkRange("--steps", steps, 1, MAX_STEPS);
        checkRange("--sessions", sessions, 1, MAX_SESSIONS);
        Json.checkWritable("--json", json);
    }

    private static void checkRange(final String option, final int value, final int low, final int high) {
        if (value < low || value > high) {
            throw ToolException.badArgument(option + "=" + value + " is not in " + low + ".." + high);
        }
    }
}
