package io.tiercel.tools.engine;

import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.nativecuda.cpu.KernelSet;
import io.tiercel.nativecuda.cuda.CudaBackend;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.CommittedModels;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.decode.ShapeBundles;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel bench gpu}: what a step takes on a GPU, beside the CPU in the same run. */
@Command(
        name = "gpu",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures one step of LSTMs and of transformers on the cuda backend and on the cpu backend, in "
                + "turns, one session at a time, one thread. First the GPU's outputs and states are compared with the "
                + "Java reference's, bit for bit. The smallest shape is what the way there and back costs. Where there "
                + "is no GPU it says `not run` and why.")
public final class GpuBenchCommand implements Callable<Integer> {

    private static final String DEFAULT_SHAPES = "1x4/1,160K,635K,16.7M";
    private static final String DEFAULT_TRANSFORMERS =
            ShapeBundles.DEFAULT + "," + CommittedModels.BITSTAMP_EVENTS + ",lobster-events";
    private static final String NONE = "none";
    private static final double MAX_SECONDS = 600;
    private static final int MIN_ARRIVALS = 10;
    private static final int MAX_RATE = 1_000_000;
    private static final double NS_PER_SECOND = 1e9;

    @Option(names = "--shapes", split = ",", defaultValue = DEFAULT_SHAPES, paramLabel = "SHAPE",
            description = "As those of bench engine. Default: ${DEFAULT-VALUE}.")
    private List<String> shapeNames;

    @Option(names = "--transformers", split = ",", defaultValue = DEFAULT_TRANSFORMERS, paramLabel = "NAME",
            description = "LAYERSxDIMENSION/HEADSxSIZE/HIDDEN/VOCABULARY/CONTEXT/WINDOW with random weights, or a "
                    + "model that comes with the program; none for none. Default: ${DEFAULT-VALUE}.")
    private List<String> transformerNames;

    @Option(names = "--arrivals", split = ",", defaultValue = "1000,1", paramLabel = "RATE",
            description = "Steps a second, each after a silence, that are measured besides those back to back: for "
                    + "--seconds, and " + MIN_ARRIVALS + " of them at least. 0 for none. Default: ${DEFAULT-VALUE}.")
    private List<Integer> rates;

    @Option(names = "--seconds", defaultValue = "3", paramLabel = "S",
            description = "About how long the measured steps of a row take. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "SEED",
            description = "Of weights and features. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--sanitizer", paramLabel = "FILE",
            description = "NVIDIA's compute-sanitizer, which runs the comparison again, for a small model, and finds "
                    + "what the kernels should not do. By default the one in PATH or /usr/local/cuda/bin, if any.")
    private Path sanitizer;

    @Option(names = "--check-only", description = "Compares each way with the reference, and measures nothing.")
    private boolean isCheckOnly;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Override
    public Integer call() {
        final List<EngineShape> shapes = shapeNames.stream().map(EngineShape::parse).distinct().toList();
        if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
            throw ToolException.badArgument("--seconds=" + seconds + " is not above 0 and at most " +
                    (long) MAX_SECONDS);
        }
        for (final int rate : rates) {
            if (rate < 0 || rate > MAX_RATE) {
                throw ToolException.badArgument("--arrivals=" + rate + " is not in 0.." + MAX_RATE);
            }
        }
        transformerNames.forEach(GpuBenchCommand::checkTransformer);
        Json.checkWritable("--json", json);
        final CudaBackend cuda = new CudaBackend();
        final BackendProbe probe = cuda.probe();
        System.out.println("tiercel bench gpu, commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        if (!probe.available()) {
            System.out.println("not run: " + probe.detail());
            return ExitCode.ENVIRONMENT;
        }
        if (isCheckOnly) {
            shapes.forEach(shape -> GpuWays.check(shape, cuda, seed));
            transformers().forEach(
                    (name, bundles) -> bundles.forEach(bundle -> GpuWays.check(name, bundle, cuda, seed)));
            System.out.println("equal to the reference: " + shapeNames + ", transformers " + transformerNames);
            return ExitCode.OK;
        }
        shapes.forEach(shape -> EngineBench.checkHeap(shape, Runtime.getRuntime().maxMemory()));
        final Map<String, List<Bundle>> transformers = transformers();
        System.out.println("gpu: " + probe.detail());
        System.out.println(EngineReport.legend());
        System.out.println("steps/s: each step after a silence in which the thread spins");
        final Map<String, Object> result = new LinkedHashMap<>();
        result.put("commit", BuildInfo.commit());
        result.put("machine", MachineInfo.describe());
        result.put("jvm", MachineInfo.runtime());
        result.put("gpu", probe.detail());
        measure(shapes, transformers, cuda, result);
        result.put("ways", measureWays(shapes, transformers, cuda));
        result.put("published", PublishedGpuRow.ALL.stream().map(PublishedGpuRow::toJson).toList());
        result.put("sanitizers", ComputeSanitizer.run(System.out::println, sanitizer));
        if (json != null) {
            Json.write(json, result);
        }
        return ExitCode.OK;
    }

    private static void checkTransformer(final String name) {
        try {
            if (isShape(name)) {
                ShapeBundles.check(name);
                return;
            }
            if (!name.equals(NONE)) {
                committed(name);
            }
        } catch (final ToolException ex) {
            throw new ToolException(ExitCode.BAD_ARGUMENTS, "--transformers=" + name + " is neither a shape as bench " +
                    "decode takes it, such as " + ShapeBundles.DEFAULT
                    + ", nor a transformer that comes with the program",
                    ex);
        }
    }

    private static boolean isShape(final String name) {
        return name.contains("/");
    }

    /** By name, in the order of the names. */
    private Map<String, List<Bundle>> transformers() {
        final Map<String, List<Bundle>> transformers = new LinkedHashMap<>();
        for (final String name : transformerNames) {
            if (!name.equals(NONE)) {
                transformers.put(name, isShape(name) ? ShapeBundles.of(name) : List.of(committed(name)));
            }
        }
        return transformers;
    }

    private static Bundle committed(final String name) {
        final Bundle bundle = CommittedModels.open(name);
        if (!bundle.manifest().family().equals(TransformerParameters.FAMILY)) {
            throw ToolException.badArgument("family=" + bundle.manifest().family());
        }
        return bundle;
    }

    private List<Map<String, Object>> measureWays(
            final List<EngineShape> shapes, final Map<String, List<Bundle>> transformers, final CudaBackend cuda) {
        final EnginePlan plan = new EnginePlan(List.of(WeightFormat.INT8), 1, 0, (long) (seconds * NS_PER_SECOND),
                null, List.of(cuda), false, false, seed);
        final GpuWays ways = new GpuWays(SystemNanoClock.INSTANCE, plan, cuda,
                new StatusLine(new PrintWriter(System.err), Terminal.isErrorInteractive()));
        shapes.forEach(ways::measure);
        transformers.forEach((name, bundles) -> bundles.forEach(bundle -> ways.measure(name, bundle)));
        System.out.println();
        System.out.print(ways.report());
        return ways.json();
    }

    private void measure(
            final List<EngineShape> shapes, final Map<String, List<Bundle>> transformers, final CudaBackend cuda,
            final Map<String, Object> json) {
        final KernelSet kernels = new CpuBackend().probe().available()
                ? KernelSet.available().stream().max(KernelSet::compareTo).orElseThrow()
                : null;
        final EnginePlan plan = new EnginePlan(List.of(WeightFormat.INT8, WeightFormat.INT4), 1, 0,
                (long) (seconds * NS_PER_SECOND), kernels, List.of(cuda), false, false, seed);
        final EngineBench bench = new EngineBench(SystemNanoClock.INSTANCE, plan, arrivals(),
                new StatusLine(new PrintWriter(System.err), Terminal.isErrorInteractive()));
        final List<Map<String, Object>> rows = new ArrayList<>();
        final List<Map<String, Object>> paced = new ArrayList<>();
        for (final EngineShape shape : shapes) {
            report(bench.measure(shape), rows, paced);
        }
        transformers.forEach((name, bundles) -> report(bench.measure(name, bundles), rows, paced));
        json.put("rows", rows);
        json.put("paced", paced);
    }

    private List<PacedRow.Arrivals> arrivals() {
        return rates.stream().filter(rate -> rate > 0)
                .map(rate -> new PacedRow.Arrivals(rate, (int) Math.max(MIN_ARRIVALS, seconds * rate)))
                .toList();
    }

    private static void report(
            final EngineBench.Result measured, final List<Map<String, Object>> rows,
            final List<Map<String, Object>> paced) {
        System.out.println();
        System.out.print(EngineReport.table(measured));
        if (!measured.paced().isEmpty()) {
            System.out.println();
            System.out.print(EngineReport.pacedTable(measured));
        }
        measured.notes().forEach(System.out::println);
        measured.rows().forEach(row -> rows.add(EngineReport.json(measured, row)));
        measured.paced().forEach(row -> paced.add(EngineReport.json(row)));
    }
}
