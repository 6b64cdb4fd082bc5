package io.tiercel.tools.engine;

import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.nativecuda.cuda.CudaBackend;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.TextTable;
import io.tiercel.tools.load.LatencySummary;
import io.tiercel.tools.load.LatencyTable;
import io.tiercel.tools.model.UncalibratedBundle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * The ways to a GPU, one after the other: of an LSTM an answer without mathematics, a kernel that stays, clusters that
 * stay, graphs of launches; of a transformer a kernel that stays, of one block and of several, and graphs. Steps back
 * to back, beside what was published of the same sizes. What computes is compared with the Java reference first.
 *
 * <p>One thread, one session, LSTMs in int8; what is made of a shape is closed before the next one.
 */
final class GpuWays {

    private static final List<DeviceMode> MODES = List.of(DeviceMode.RESIDENT, DeviceMode.GRAPHS);
    private static final String PING_PONG = "ping-pong";
    private static final String UNKNOWN = "-";
    private static final int WORD_COLUMNS = 3;
    private static final double NS_PER_US = 1e3;

    /**
     * Whose ways.
     *
     * @param shape null of a transformer.
     */
    private record Subject(String title, String weights, EngineShape shape) {
    }

    private final NanoClock clock;
    private final EnginePlan plan;
    private final CudaBackend cuda;
    private final StatusLine status;
    private final TextTable table = TextTable.ofNumbersAfter(WORD_COLUMNS, "shape", "weights", "way", "p50", "p99",
            "p99.9", "max", "mean", "steps", "published mean", "published p99");
    private final List<Map<String, Object>> rows = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    GpuWays(
            final NanoClock clock, final EnginePlan plan, final CudaBackend cuda, final StatusLine status) {
        this.clock = clock;
        this.plan = plan;
        this.cuda = cuda;
        this.status = status;
    }

    void measure(final EngineShape shape) {
        status.show(shape.title() + ": quantising to int8");
        final Bundle bundle = bundle(shape, plan.seed());
        final FeatureTape tape = new FeatureTape(shape.features(), plan.seed());
        final Subject subject = new Subject(shape.title(), "int8", shape);
        measure(subject, PING_PONG, tape, null, () -> cuda.loadPingPong(bundle));
        measureWays(subject, tape, bundle);
    }

    /** A transformer. */
    void measure(final String name, final Bundle bundle) {
        final FeatureTape tape = FeatureTape.of(bundle, plan.seed());
        final Subject subject = new Subject(name, weightsOf(bundle), null);
        measureWays(subject, tape, bundle);
    }

    private void measureWays(final Subject subject, final FeatureTape tape, final Bundle bundle) {
        final List<Supplier<Model>> resident = residentWays(bundle);
        resident.forEach(loading -> measure(subject, null, tape, bundle, loading));
        for (final DeviceMode mode : resident.isEmpty() ? MODES : List.of(DeviceMode.GRAPHS)) {
            measure(subject, mode.toString(), tape, bundle, () -> load(cuda, bundle, mode));
        }
        status.clear();
    }

    /** None of a bundle that does not fit: to load it says why. */
    private List<Supplier<Model>> residentWays(final Bundle bundle) {
        try {
            return cuda.residentWays(bundle);
        } catch (final BundleException ex) {
            return List.of();
        }
    }

    /**
     * A bundle in each way that the GPU can go, beside the reference.
     *
     * @throws io.tiercel.tools.ToolException if they differ.
     * @throws BundleException                if it cannot go one.
     */
    static void check(final String name, final Bundle bundle, final CudaBackend cuda, final long seed) {
        final FeatureTape tape = FeatureTape.of(bundle, seed);
        final List<Supplier<Model>> ways = new ArrayList<>(cuda.residentWays(bundle));
        ways.add(() -> load(cuda, bundle, DeviceMode.GRAPHS));
        for (final Supplier<Model> loading : ways) {
            try (Model model = loading.get()) {
                DeviceCheck.requireEqual(
                        name + " " + weightsOf(bundle) + ", " + CudaBackend.wayOf(model), model, bundle, tape);
            }
        }
    }

    private static Model load(final CudaBackend cuda, final Bundle bundle, final DeviceMode mode) {
        return cuda.load(bundle, 1, new DeviceSettings(mode, DeviceSettings.DEFAULTS.answerLimitNs()));
    }

    private static String weightsOf(final Bundle bundle) {
        return EngineBench.weightsOf(bundle.manifest().quantisation().weights());
    }

    /** The same of a shape. */
    static void check(final EngineShape shape, final CudaBackend cuda, final long seed) {
        check(shape.title(), bundle(shape, seed), cuda, seed);
    }

    private static Bundle bundle(final EngineShape shape, final long seed) {
        final LstmWeights weights = LstmWeights.random(
                shape.layers(), shape.hidden(), shape.features(), EngineShape.OUTPUTS, seed);
        return UncalibratedBundle.of(shape.title(), WeightFormat.INT8, weights.input(), weights.recurrent(),
                weights.bias(), weights.head(), weights.headBias());
    }

    String report() {
        final StringBuilder text = new StringBuilder(table.toString());
        notes.forEach(note -> text.append(note).append('\n'));
        text.append("published: on other machines, in µs\n");
        for (final PublishedGpuRow row : PublishedGpuRow.ALL) {
            text.append("  ").append(row.shape() == null ? PING_PONG : row.shape()).append(": ");
            if (!Double.isNaN(row.meanUs())) {
                text.append("mean ").append(row.meanUs()).append(", ");
            }
            text.append("p99 ").append(row.p99Us()).append(" (").append(row.source()).append(")\n");
        }
        return text.toString();
    }

    List<Map<String, Object>> json() {
        return rows;
    }

    /**
     * @param name     of the way, null for the backend's.
     * @param expected what the reference is to make of it; null if nothing is computed.
     */
    private void measure(
            final Subject subject, final String name, final FeatureTape tape, final Bundle expected,
            final Supplier<Model> loading) {
        final Model model;
        try {
            model = loading.get();
        } catch (final BundleException ex) {
            notes.add(subject.title() + " " + subject.weights() + (name == null ? "" : ", " + name) + ": no row: " +
                    ex.getMessage());
            return;
        }
        final String way = name == null ? CudaBackend.wayOf(model) : name;
        final String title = subject.title() + " " + subject.weights() + ", " + way;
        if (expected != null) {
            check(title, model, expected, tape);
        }
        try (ExecutorStep step = ExecutorStep.open(clock, tape, model)) {
            status.show(title);
            final EngineRow.Label label = new EngineRow.Label(subject.title(), subject.weights(), way, 1, null, 0, 0);
            add(subject, way, new Contender(clock, label, step, null).runAlone(plan).histogram());
        }
    }

    private void check(final String title, final Model model, final Bundle expected, final FeatureTape tape) {
        status.show(title + ": compared with the reference");
        try {
            DeviceCheck.requireEqual(title, model, expected, tape);
        } catch (final RuntimeException ex) {
            model.close();
            throw ex;
        }
    }

    private void add(final Subject subject, final String way, final Histogram histogram) {
        final LatencySummary us = LatencySummary.of(histogram);
        final double meanUs = histogram.getMean() / NS_PER_US;
        final Optional<PublishedGpuRow> published = subject.shape() == null
                ? Optional.empty()
                : PublishedGpuRow.find(way.equals(PING_PONG) ? null : subject.shape());
        table.row(subject.title(), subject.weights(), way, LatencyTable.format(us.p50()), LatencyTable.format(us.p99()),
                LatencyTable.format(us.p999()), LatencyTable.format(us.max()), LatencyTable.format(meanUs),
                Long.toString(us.count()), text(published.map(PublishedGpuRow::meanUs)),
                text(published.map(PublishedGpuRow::p99Us)));
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("shape", subject.title());
        json.put("weights", subject.weights());
        json.put("way", way);
        json.put("meanUs", EngineReport.rounded(meanUs));
        json.put("us", us.toJson());
        rows.add(json);
    }

    private static String text(final Optional<Double> us) {
        return us.map(value -> String.format(Locale.ROOT, "%.1f", value)).orElse(UNKNOWN);
    }
}
