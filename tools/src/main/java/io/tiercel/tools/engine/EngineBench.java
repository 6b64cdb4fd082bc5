package io.tiercel.tools.engine;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.nativecuda.cpu.CpuLimits;
import io.tiercel.nativecuda.cpu.CpuLstmExecutor;
import io.tiercel.nativecuda.cpu.CpuLstmModel;
import io.tiercel.nativecuda.cpu.CpuLstmModel.Teamwork;
import io.tiercel.nativecuda.cpu.CpuTransformerModel;
import io.tiercel.nativecuda.cpu.KernelSet;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.model.UncalibratedBundle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import org.HdrHistogram.Histogram;
import org.agrona.CloseHelper;
import org.agrona.concurrent.NanoClock;

/**
 * Measures one shape at a time: all contenders are opened on the same random weights and features, warmed up, measured
 * in turns and closed before the next shape, so that the largest one decides how much memory is needed.
 *
 * <p>One thread, the caller's, apart from the workers of executors with several threads. Whatever fails is thrown,
 * after everything of the shape has been closed.
 */
final class EngineBench {

    private static final int FLOOR_REPETITIONS = 31;

    /**
     * Bytes of heap for each weight at the worst moment: 4 as a float, 2 in bundles, 1 in parameters, 4 in the Java
     * reference; and some for garbage, since a bundle is copied while it grows.
     */
    private static final long HEAP_BYTES_PER_WEIGHT = 14;
    private static final long OTHER_HEAP_BYTES = 64 << 20;

    private final NanoClock clock;
    private final EnginePlan plan;
    private final List<PacedRow.Arrivals> arrivals;
    private final StatusLine status;

    /**
     * What was measured of a shape.
     *
     * @param title       of the shape.
     * @param cyclesPerNs of the core between the turns, the median; 0 where it cannot be told.
     * @param paced       rows of steps that come at a rate.
     * @param notes       what else has to be said.
     */
    record Result(
            String title, List<EngineRow> rows, double cyclesPerNs, List<PacedRow> paced, List<String> notes) {

        /** Median of ONNX Runtime; NaN if it was left out. */
        double onnxP50Us(final Precision precision) {
            for (final EngineRow row : rows) {
                if (row.label().backend().equals(EngineRow.ONNX_RUNTIME) &&
                        row.label().weights().equals(weightsOf(precision))) {
                    return row.p50Us();
                }
            }
            return Double.NaN;
        }
    }

    /** Histograms of the ns of steps: one after the other, each after a silence, each after one with rehearsals. */
    record SilenceResult(
            EngineRow.Label label, Histogram backToBack, Histogram silent, Histogram rehearsed) {
    }

    EngineBench(final NanoClock clock, final EnginePlan plan, final StatusLine status) {
        this(clock, plan, List.of(), status);
    }

    /** @param arrivals of steps that are measured besides those back to back. */
    EngineBench(
            final NanoClock clock, final EnginePlan plan, final List<PacedRow.Arrivals> arrivals,
            final StatusLine status) {
        this.clock = clock;
        this.plan = plan;
        this.arrivals = arrivals;
        this.status = status;
    }

    /** @throws ToolException if the shape cannot be measured with this heap. */
    static void checkHeap(final EngineShape shape, final long heapBytes) {
        if (shape.weightCount() > EngineShape.MAX_WEIGHTS) {
            throw ToolException.badArgument("--shapes=" + shape.title() + " has weights=" + shape.weightCount() +
                    ", more than " + EngineShape.MAX_WEIGHTS);
        }
        final long neededBytes = HEAP_BYTES_PER_WEIGHT * shape.weightCount() + OTHER_HEAP_BYTES;
        if (neededBytes > heapBytes) {
            throw ToolException.environment("--shapes=" + shape.title() + " needs a heap of " + (neededBytes >> 20) +
                    " MB and has " + (heapBytes >> 20) + " MB: TIERCEL_JAVA_OPTS=-Xmx" + (neededBytes >> 20) +
                    "m gives it that");
        }
    }

    Result measure(final EngineShape shape) {
        return measure(shape.title(), (contenders, notes) -> open(shape, contenders, notes));
    }

    /**
     * A transformer, in each of its bundles on the cpu backend if its kernels run here, and on the plan's devices.
     *
     * @param title of what the bundles have in common.
     */
    Result measure(final String title, final List<Bundle> bundles) {
        return measure(title, (contenders, notes) -> {
            for (final Bundle bundle : bundles) {
                open(title, bundle, contenders, notes);
            }
        });
    }

    private Result measure(final String title, final BiConsumer<List<Contender>, List<String>> opening) {
        final List<Contender> contenders = new ArrayList<>();
        final List<String> notes = new ArrayList<>();
        try {
            opening.accept(contenders, notes);
            // The floats of the weights are garbage now, and a collection while a step is timed would be short.
            System.gc();
            for (final Contender contender : contenders) {
                status.show(contender.label().tag() + " warms up");
                contender.warmUp(plan);
            }
            final double cyclesPerNs = runTurns(title, contenders);
            if (cyclesPerNs > 0) {
                notes.add(String.format(Locale.ROOT, "%s: the core's clock rate meanwhile: %.2f GHz", title,
                        cyclesPerNs));
            }
            final List<EngineRow> rows = contenders.stream().map(Contender::row).toList();
            return new Result(title, rows, cyclesPerNs, runPaced(title, contenders), notes);
        } finally {
            status.clear();
            CloseHelper.closeAll(contenders);
        }
    }

    /**
     * Int8 on one thread, on the cpu backend if its kernels run here, else on the reference: steps back to back, then
     * after silences, then after silences in which the thread rehearses as the appliance does.
     */
    SilenceResult measureSilence(
            final EngineShape shape, final SilenceBench silences, final long rehearseAfterNs) {
        final Bundle bundle = quantise(shape, randomWeights(shape), WeightFormat.INT8);
        final boolean isCpu = plan.kernels() != null;
        try (ExecutorStep step = isCpu
                ? openCpu(shape, LstmParameters.read(bundle), newTape(shape), 1)
                : openReference(bundle, newTape(shape))) {
            final EngineRow.Label label = isCpu
                    ? labelOfCpu(shape, WeightFormat.INT8, step, 1)
                    : labelOfReference(shape);
            status.show(shape.title() + ": steps back to back");
            final Histogram backToBack = new Contender(clock, label, step, null).runAlone(plan).histogram();
            status.show(shape.title() + ": steps after silence");
            final Histogram silent = silences.run(step, Idle.NOTHING);
            status.show(shape.title() + ": steps after silence, rehearsing");
            final Histogram rehearsed = silences.run(step,
                    Idle.rehearsing(rehearseAfterNs, clock, step));
            return new SilenceResult(label, backToBack, silent, rehearsed);
        } finally {
            status.clear();
        }
    }

    static String weightsOf(final WeightFormat format) {
        return format.name().toLowerCase(Locale.ROOT);
    }

    static String weightsOf(final Precision precision) {
        return precision.name().toLowerCase(Locale.ROOT);
    }

    /** Returns the median clock rate: a core that others want too, or that is hot, is not always as fast. */
    private double runTurns(final String title, final List<Contender> contenders) {
        final double[] cyclesPerNs = new double[Contender.TURNS];
        for (int turn = 0; turn < Contender.TURNS; turn++) {
            status.show(title + ": turn " + (turn + 1) + " of " + Contender.TURNS);
            cyclesPerNs[turn] = plan.kernels() == null ? 0 : CpuLimits.cyclesPerNs();
            for (final Contender contender : contenders) {
                contender.runTurn(turn);
            }
        }
        Arrays.sort(cyclesPerNs);
        return cyclesPerNs[Contender.TURNS / 2];
    }

    private List<PacedRow> runPaced(final String title, final List<Contender> contenders) {
        final List<PacedRow> rows = new ArrayList<>();
        for (final PacedRow.Arrivals each : arrivals) {
            status.show(title + ": " + each.perSecond() + " steps a second");
            contenders.forEach(contender -> rows.add(contender.runPaced(each)));
        }
        return rows;
    }

    /** In the order of the rows: cpu, devices, reference, ONNX Runtime. */
    private void open(final EngineShape shape, final List<Contender> contenders, final List<String> notes) {
        final LstmWeights weights = randomWeights(shape);
        final FeatureTape tape = newTape(shape);
        final Map<WeightFormat, Bundle> bundles = new EnumMap<>(WeightFormat.class);
        final Function<WeightFormat, Bundle> quantise = format -> quantise(shape, weights, format);
        if (plan.kernels() != null) {
            for (final WeightFormat format : plan.formats()) {
                final Bundle bundle = bundles.computeIfAbsent(format, quantise);
                addCpu(shape, LstmParameters.read(bundle), tape, contenders, notes);
            }
        }
        for (final Backend device : plan.devices()) {
            for (final WeightFormat format : plan.formats()) {
                addDevice(new EngineRow.Label(shape.title(), weightsOf(format), device.name(), 1, null, 0,
                        shape.weightCountAtRequest()), device, bundles.computeIfAbsent(format, quantise), tape,
                        contenders, notes);
            }
        }
        if (plan.hasReference()) {
            final Bundle bundle = bundles.computeIfAbsent(WeightFormat.INT8, quantise);
            contenders.add(new Contender(clock, labelOfReference(shape), openReference(bundle, tape), null));
        }
        if (plan.hasOnnx()) {
            for (final Precision precision : Precision.values()) {
                status.show(shape.title() + ": opening ONNX Runtime, " + weightsOf(precision));
                final EngineRow.Label label = new EngineRow.Label(
                        shape.title(), weightsOf(precision), EngineRow.ONNX_RUNTIME, 1, null, 0, shape.weightCount());
                final OnnxStep step = new OnnxStep(clock, tape, OnnxRuntimeLstm.open(weights, precision));
                contenders.add(new Contender(clock, label, step, null));
            }
        }
    }

    /** Each number of threads with weights of its own: whose they are must not matter. */
    private void addCpu(
            final EngineShape shape, final LstmParameters parameters, final FeatureTape tape,
            final List<Contender> contenders, final List<String> notes) {
        for (int threads = 1; threads <= plan.threads(); threads++) {
            final ExecutorStep step = openCpu(shape, parameters, tape, threads);
            final int sharedBy = ((CpuLstmExecutor) step.executor()).threads();
            if (sharedBy < threads) {
                step.close();
                notes.add(shape.title() + " " + weightsOf(parameters.layerFormat()) + ": no row of " + threads +
                        (threads < plan.threads() ? ".." + plan.threads() : "") + " threads, a step is shared by " +
                        sharedBy + " at most");
                return;
            }
            contenders.add(new Contender(clock, labelOfCpu(shape, parameters.layerFormat(), step, threads), step,
                    threads == 1 ? floorOf((CpuLstmModel) step.model()) : null));
        }
    }

    private void open(
            final String title, final Bundle bundle, final List<Contender> contenders, final List<String> notes) {
        final String weights = weightsOf(bundle.manifest().quantisation().weights());
        final TransformerParameters parameters = TransformerParameters.read(bundle);
        final FeatureTape tape = FeatureTape.of(bundle, plan.seed());
        if (plan.kernels() != null) {
            final CpuTransformerModel model = new CpuTransformerModel(parameters, plan.kernels());
            final long stepBytes = model.stepBytes();
            contenders.add(new Contender(clock, new EngineRow.Label(title, weights, CpuBackend.NAME, 1,
                    plan.kernels().title(), stepBytes, 0), ExecutorStep.open(clock, tape, model),
                    () -> CpuLimits.streamNs(plan.kernels(), stepBytes, 0, FLOOR_REPETITIONS)));
        }
        for (final Backend device : plan.devices()) {
            addDevice(new EngineRow.Label(title, weights, device.name(), 1, null, 0, 0), device, bundle, tape,
                    contenders, notes);
        }
    }

    /** No row of what the device has no room for. */
    private void addDevice(
            final EngineRow.Label label, final Backend device, final Bundle bundle, final FeatureTape tape,
            final List<Contender> contenders, final List<String> notes) {
        final String title = label.shape() + " " + label.weights() + ", backend " + device.name();
        final Model model;
        try {
            model = device.load(bundle, 1);
        } catch (final BundleException ex) {
            notes.add(title + ": no row: " + ex.getMessage());
            return;
        }
        try {
            status.show(title + ": compared with the reference");
            DeviceCheck.requireEqual(title, model, bundle, tape);
        } catch (final RuntimeException ex) {
            model.close();
            throw ex;
        }
        contenders.add(new Contender(clock, label, ExecutorStep.open(clock, tape, model), null));
    }

    private EngineRow.Label labelOfCpu(
            final EngineShape shape, final WeightFormat format, final ExecutorStep step, final int threads) {
        return new EngineRow.Label(shape.title(), weightsOf(format), CpuBackend.NAME, threads, plan.kernels().title(),
                ((CpuLstmModel) step.model()).stepBytes(), shape.weightCountAtRequest());
    }

    private static EngineRow.Label labelOfReference(final EngineShape shape) {
        return new EngineRow.Label(shape.title(), weightsOf(WeightFormat.INT8), ReferenceBackend.NAME, 1, null, 0,
                shape.weightCountAtRequest());
    }

    private static DoubleSupplier floorOf(final CpuLstmModel model) {
        final KernelSet kernels = model.kernels();
        final long stepBytes = model.stepBytes();
        final long aheadBytes = model.aheadBytes();
        return () -> CpuLimits.streamNs(kernels, stepBytes, aheadBytes, FLOOR_REPETITIONS);
    }

    private ExecutorStep openCpu(
            final EngineShape shape, final LstmParameters parameters, final FeatureTape tape, final int threads) {
        try {
            return ExecutorStep.open(
                    clock, tape, new CpuLstmModel(parameters, plan.kernels(), threads, Teamwork.ALWAYS));
        } catch (final IllegalStateException ex) {
            throw ToolException.environment(shape.title() + " threads=" + threads + ": " + ex.getMessage(), ex);
        }
    }

    private ExecutorStep openReference(final Bundle bundle, final FeatureTape tape) {
        return ExecutorStep.open(clock, tape, new ReferenceBackend().load(bundle, 1));
    }

    private LstmWeights randomWeights(final EngineShape shape) {
        return LstmWeights.random(
                shape.layers(), shape.hidden(), shape.features(), EngineShape.OUTPUTS, plan.seed());
    }

    private FeatureTape newTape(final EngineShape shape) {
        return new FeatureTape(shape.features(), plan.seed());
    }

    private Bundle quantise(final EngineShape shape, final LstmWeights weights, final WeightFormat format) {
        status.show(shape.title() + ": quantising to " + weightsOf(format));
        return UncalibratedBundle.of(shape.title(), format, weights.input(), weights.recurrent(), weights.bias(),
                weights.head(), weights.headBias());
    }
}
