package io.tiercel.tools.engine;

import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.nativecuda.cpu.CpuLimits;
import io.tiercel.nativecuda.cpu.KernelSet;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.DurationConverter;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.load.LatencyTable;
import io.tiercel.tools.load.LiveReport.IntervalLog;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel bench engine}: what a step of the engine takes, beside ONNX Runtime in the same run. */
@Command(
        name = "engine",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures one step of LSTMs with random weights, one session at a time, on the engine's backends "
                + "and in ONNX Runtime (fp32 and dynamic int8, one thread). All rows of a shape are measured in turns. "
                + "Ends by itself. One thread spins, or as many as a row has.")
public final class EngineBenchCommand implements Callable<Integer> {

    private static final int MAX_THREADS = 64;
    private static final int DEFAULT_THREADS = 4;
    private static final double MAX_SECONDS = 600;
    private static final double NS_PER_SECOND = 1e9;
    private static final double NS_PER_US = 1_000;
    private static final double NS_PER_MS = 1_000_000;
    private static final int MAX_SILENCES = 3_600;
    private static final Duration MIN_SILENCE = Duration.ofNanos(1_000);
    private static final Duration MAX_SILENCE = Duration.ofMinutes(1);
    private static final int CLOCK_PAIRS = 200_000;

    @Option(names = "--shapes", split = ",", defaultValue = EngineShape.DEFAULTS, paramLabel = "SHAPE",
            description = "LAYERSxHIDDEN, LAYERSxHIDDEN/FEATURES, 160K (2x96/128), 635K (3x160/192) or 16.7M "
                    + "(4x736/512); without FEATURES there are as many as units. Default: ${DEFAULT-VALUE}.")
    private List<String> shapeNames;

    @Option(names = "--weights", split = ",", defaultValue = "int8,int4", paramLabel = "FORMAT",
            description = "Of the cpu rows: int8, int4. Default: ${DEFAULT-VALUE}.")
    private List<String> formatNames;

    @Option(names = "--threads", paramLabel = "N",
            description = "The most threads of a step; one row for each number up to it. Default: the machine's cores, "
                    + "at most " + DEFAULT_THREADS + ".")
    private int threads = Math.min(Runtime.getRuntime().availableProcessors(), DEFAULT_THREADS);

    @Option(names = "--kernels", paramLabel = "SET",
            description = "The cpu rows' kernels: portable, avx2, avx512. Default: the best that this machine can run.")
    private String kernelsName;

    @Option(names = "--steps", paramLabel = "N",
            description = "Measured steps of a row. Default: as many as take --seconds, "
                    + EnginePlan.MIN_STEPS + " to " + EnginePlan.MAX_STEPS + ".")
    private Integer steps;

    @Option(names = "--seconds", defaultValue = "1.5", paramLabel = "S",
            description = "About how long the measured steps of a row take. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "SEED",
            description = "Of weights and features. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--no-onnx", description = "Without ONNX Runtime.")
    private boolean isWithoutOnnx;

    @Option(names = "--no-reference", description = "Without the Java reference, the slowest row.")
    private boolean isWithoutReference;

    @Option(names = "--silence", defaultValue = "0", paramLabel = "N",
            description = "Then N steps of the first shape in int8, each after a silence, without and with rehearsals. "
                    + "Default: none.")
    private int silences;

    @Option(names = "--silence-interval", defaultValue = "1s", paramLabel = "TIME", converter = DurationConverter.class,
            description = "How long each silence is. Default: ${DEFAULT-VALUE}.")
    private Duration silence;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Option(names = "--hlog", paramLabel = "FILE",
            description = "Writes each row's histogram here. Default: beside the JSON file, ending in .hlog.")
    private Path hlog;

    private final NanoClock clock = SystemNanoClock.INSTANCE;

    @Override
    public Integer call() {
        final List<EngineShape> shapes = checkedShapes();
        checkArguments();
        final EnginePlan plan = new EnginePlan(checkedFormats(), threads, steps == null ? 0 : steps,
                (long) (seconds * NS_PER_SECOND), chosenKernels(), List.of(), !isWithoutReference, !isWithoutOnnx,
                seed);
        final Map<String, Object> result = new LinkedHashMap<>();
        System.out.println("tiercel bench engine, commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        result.put("commit", BuildInfo.commit());
        result.put("machine", MachineInfo.describe());
        result.put("jvm", MachineInfo.runtime());
        describe(plan, result);
        final Path log = histogramLog();
        try (IntervalLog histograms = log == null
                ? null
                : IntervalLog.create(log, "tiercel bench engine, commit " + BuildInfo.commit(),
                        "machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime())) {
            measure(shapes, plan, histograms, result);
        }
        if (json != null) {
            Json.write(json, result);
        }
        return ExitCode.OK;
    }

    private void measure(
            final List<EngineShape> shapes, final EnginePlan plan, final IntervalLog histograms,
            final Map<String, Object> result) {
        final EngineBench bench =
                new EngineBench(clock, plan,
                        new StatusLine(new PrintWriter(System.err), Terminal.isErrorInteractive()));
        final List<Map<String, Object>> rows = new ArrayList<>();
        final List<String> summaries = new ArrayList<>();
        final Map<String, Object> ghzByShape = new LinkedHashMap<>();
        result.put("rows", rows);
        result.put("ghzByShape", ghzByShape);
        for (final EngineShape shape : shapes) {
            final EngineBench.Result measured = bench.measure(shape);
            System.out.println();
            System.out.print(EngineReport.table(measured));
            measured.notes().forEach(System.out::println);
            for (final EngineRow row : measured.rows()) {
                rows.add(EngineReport.json(measured, row));
                log(histograms, row.label().tag(), row.histogram());
            }
            ghzByShape.put(shape.title(), rateOrNull(measured.cyclesPerNs()));
            summaries.add(EngineReport.summary(measured));
        }
        if (silences > 0) {
            measureSilence(bench, shapes.get(0), histograms, result);
        }
        System.out.println();
        summaries.forEach(System.out::println);
    }

    private void measureSilence(
            final EngineBench bench, final EngineShape shape, final IntervalLog histograms,
            final Map<String, Object> result) {
        final long rehearseAfterNs = new ApplianceContext().rehearseAfterNs();
        final EngineBench.SilenceResult measured = bench.measureSilence(
                shape, new SilenceBench(clock, silence.toNanos(), silences), rehearseAfterNs);
        System.out.println();
        System.out.println(shape.title() + " " + measured.label().weights() + ", backend " + measured.label().backend()
                + ", 1 thread: requests=" + silences + ", each after " + silence.toNanos() / NS_PER_MS + " ms of "
                + "silence; rehearsed: after each " + rehearseAfterNs / NS_PER_US + " µs of it, less often if a step "
                + "takes long, a step of another session");
        System.out.print(EngineReport.table(measured));
        log(histograms, measured.label().tag() + ":backToBack", measured.backToBack());
        log(histograms, measured.label().tag() + ":silent", measured.silent());
        log(histograms, measured.label().tag() + ":rehearsed", measured.rehearsed());
        final Map<String, Object> content = EngineReport.json(measured);
        content.put("silenceUs", silence.toNanos() / NS_PER_US);
        content.put("rehearseAfterUs", rehearseAfterNs / NS_PER_US);
        result.put("silence", content);
    }

    private static void log(final IntervalLog histograms, final String tag, final Histogram histogram) {
        if (histograms != null) {
            histograms.write(tag, histogram);
        }
    }

    private void describe(final EnginePlan plan, final Map<String, Object> result) {
        final double cyclesPerNs = plan.kernels() == null ? 0 : CpuLimits.cyclesPerNs();
        final double clockUs = medianClockNs() / NS_PER_US;
        final String version = isWithoutOnnx ? null : onnxRuntimeVersion();
        System.out.println("kernels: " + (plan.kernels() == null ? "none" : plan.kernels().title()) + "; core: "
                + (cyclesPerNs > 0 ? String.format(Locale.ROOT, "%.2f GHz now", cyclesPerNs) : "clock rate not known")
                + "; ONNX Runtime " + (version == null ? "left out" : version)
                + "; in each time: an empty pair of clock reads, " + LatencyTable.format(clockUs) + " µs");
        if (plan.kernels() == null) {
            System.out.println("no cpu rows: " + new CpuBackend().probe().detail());
        }
        System.out.println(EngineReport.legend());
        result.put("kernels", plan.kernels() == null ? null : plan.kernels().title());
        result.put("ghz", rateOrNull(cyclesPerNs));
        result.put("nanoTimeUs", EngineReport.rounded(clockUs));
        result.put("onnxRuntimeVersion", version);
    }

    /** Of a tiny model, which also shows before a long run whether ONNX Runtime works here. */
    private String onnxRuntimeVersion() {
        try (OnnxRuntimeLstm lstm = OnnxRuntimeLstm.open(LstmWeights.random(1, 8, 8, 1, seed), Precision.FP32)) {
            return lstm.version();
        }
    }

    private static Double rateOrNull(final double cyclesPerNs) {
        return EngineReport.rounded(cyclesPerNs > 0 ? cyclesPerNs : Double.NaN);
    }

    private double medianClockNs() {
        final Histogram pairs = Contender.newHistogram();
        for (int i = 0; i < 2 * CLOCK_PAIRS; i++) {
            final long begunNs = clock.nanoTime();
            final long tookNs = clock.nanoTime() - begunNs;
            if (i >= CLOCK_PAIRS) { // compiled by then
                pairs.recordValue(Math.min(Contender.MAX_NS, tookNs));
            }
        }
        return pairs.getValueAtPercentile(50);
    }

    /** Null where there are none and none were asked for. */
    private KernelSet chosenKernels() {
        final KernelSet wanted = checkedKernels();
        final BackendProbe probe = (wanted == null ? new CpuBackend() : CpuBackend.with(wanted)).probe();
        if (wanted != null && !probe.available()) {
            throw ToolException.environment("--kernels=" + kernelsName + ": " + probe.detail());
        }
        return wanted == null && probe.available() ? best() : wanted;
    }

    private static KernelSet best() {
        return KernelSet.available().stream().max(KernelSet::compareTo).orElseThrow();
    }

    private Path histogramLog() {
        if (hlog != null || json == null) {
            return hlog;
        }
        return json.resolveSibling(json.getFileName().toString().replaceFirst("\\.json$", "") + ".hlog");
    }

    private List<EngineShape> checkedShapes() {
        final List<EngineShape> shapes = shapeNames.stream().map(EngineShape::parse).distinct().toList();
        shapes.forEach(shape -> EngineBench.checkHeap(shape, Runtime.getRuntime().maxMemory()));
        return shapes;
    }

    private List<WeightFormat> checkedFormats() {
        final List<WeightFormat> formats = new ArrayList<>();
        for (final String name : formatNames) {
            final WeightFormat format = switch (name) {
                case "int8" -> WeightFormat.INT8;
                case "int4" -> WeightFormat.INT4;
                default -> throw ToolException.badArgument("--weights=" + name + " is not int8 or int4");
            };
            if (!formats.contains(format)) {
                formats.add(format);
            }
        }
        return formats;
    }

    /** Null if none are asked for. */
    private KernelSet checkedKernels() {
        if (kernelsName == null) {
            return null;
        }
        return switch (kernelsName) {
            case "portable" -> KernelSet.PORTABLE;
            case "avx2" -> KernelSet.AVX2;
            case "avx512" -> KernelSet.AVX512_VNNI;
            default -> throw ToolException.badArgument(
                    "--kernels=" + kernelsName + " is not one of portable, avx2, avx512");
        };
    }

    private void checkArguments() {
        checkedFormats();
        checkedKernels();
        if (threads < 1 || threads > MAX_THREADS) {
            throw ToolException.badArgument("--threads=" + threads + " is not in 1.." + MAX_THREADS);
        }
        if (steps != null && (steps < Contender.TURNS || steps > EnginePlan.MAX_STEPS)) {
            throw ToolException.badArgument(
                    "--steps=" + steps + " is not in " + Contender.TURNS + ".." + EnginePlan.MAX_STEPS);
        }
        if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
            throw ToolException.badArgument("--seconds=" + seconds + " is not above 0 and at most " +
                    (long) MAX_SECONDS);
        }
        if (silences < 0 || silences > MAX_SILENCES) {
            throw ToolException.badArgument("--silence=" + silences + " is not in 0.." + MAX_SILENCES);
        }
        if (silence.compareTo(MIN_SILENCE) < 0 || silence.compareTo(MAX_SILENCE) > 0) {
            throw ToolException.badArgument("--silence-interval=" + silence.toNanos() + "ns is not in 1us..1m");
        }
        Json.checkWritable("--json", json);
        Json.checkWritable("--hlog", histogramLog());
    }
}
