package io.tiercel.tools.engine;

import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.tools.TextTable;
import io.tiercel.tools.load.LatencySummary;
import io.tiercel.tools.load.LatencyTable;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.HdrHistogram.Histogram;

/** What was measured, for people and programs: what nobody can say is {@code -} to the ones, null to the others. */
final class EngineReport {

    private static final String UNKNOWN = "-";
    private static final double BYTES_PER_KB = 1_000;
    private static final int WORD_COLUMNS = 3;

    private EngineReport() {
    }

    /** How the columns are to be read. */
    static String legend() {
        return """
                times in µs; KB: weights that a step reads; floor: the time to read them and compute nothing; stream: \
                floor / p50;
                MAC/cycle: multiply-adds of a step in a cycle of its p50, by the clock rate below the rows; x: ONNX \
                Runtime's p50 / this;
                a step: features in, outputs out, one session; cpu and reference compute the recurrent half of the \
                next step after
                the answer, and the state's hash, which are not in it; ONNX Runtime's step is all of it""";
    }

    static TextTable table(final EngineBench.Result result) {
        final TextTable table = TextTable.ofNumbersAfter(WORD_COLUMNS, "shape", "weights", "backend", "threads", "p50",
                "p99", "p99.9", "max", "KB", "floor", "stream", "MAC/cycle", "x fp32", "x int8");
        for (final EngineRow row : result.rows()) {
            final EngineRow.Label label = row.label();
            final LatencySummary us = row.summary();
            final boolean isCpu = label.backend().equals(CpuBackend.NAME);
            table.row(label.shape(), label.weights(), label.backend(), Integer.toString(label.threads()),
                    LatencyTable.format(us.p50()), LatencyTable.format(us.p99()), LatencyTable.format(us.p999()),
                    LatencyTable.format(us.max()),
                    label.bytesPerStep() == 0 ? UNKNOWN : text("%.1f", label.bytesPerStep() / BYTES_PER_KB),
                    text("%.2f", row.floorUs()),
                    text("%.0f %%", 100 * row.streamShare()),
                    text("%.1f", row.multiplyAddsPerCycle(result.cyclesPerNs())),
                    isCpu ? text("%.1f", result.onnxP50Us(Precision.FP32) / us.p50()) : UNKNOWN,
                    isCpu ? text("%.1f", result.onnxP50Us(Precision.INT8) / us.p50()) : UNKNOWN);
        }
        return table;
    }

    /** Of steps that come at a rate. */
    static TextTable pacedTable(final EngineBench.Result result) {
        final TextTable table = TextTable.ofNumbersAfter(WORD_COLUMNS, "shape", "weights", "backend", "steps/s", "p50",
                "p99", "p99.9", "max", "count");
        for (final PacedRow row : result.paced()) {
            final LatencySummary us = row.summary();
            table.row(row.label().shape(), row.label().weights(), row.label().backend(),
                    Integer.toString(row.arrivals().perSecond()), LatencyTable.format(us.p50()),
                    LatencyTable.format(us.p99()), LatencyTable.format(us.p999()), LatencyTable.format(us.max()),
                    Long.toString(us.count()));
        }
        return table;
    }

    static Map<String, Object> json(final PacedRow row) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("shape", row.label().shape());
        json.put("weights", row.label().weights());
        json.put("backend", row.label().backend());
        json.put("stepsPerSecond", row.arrivals().perSecond());
        json.put("us", row.summary().toJson());
        return json;
    }

    /** The best cpu row beside ONNX Runtime's better one, and beside fp32. */
    static String summary(final EngineBench.Result result) {
        final Optional<EngineRow> best = result.rows().stream()
                .filter(row -> row.label().backend().equals(CpuBackend.NAME))
                .min(Comparator.comparingDouble(EngineRow::p50Us));
        if (best.isEmpty()) {
            return result.title() + ": no cpu row";
        }
        final EngineRow.Label label = best.get().label();
        final double us = best.get().p50Us();
        final StringBuilder line = new StringBuilder(result.title())
                .append(": p50 ").append(LatencyTable.format(us)).append(" µs (").append(label.weights()).append(", ")
                .append(label.threads()).append(label.threads() == 1 ? " thread)" : " threads)");
        final double fp32Us = result.onnxP50Us(Precision.FP32);
        final double int8Us = result.onnxP50Us(Precision.INT8);
        if (!Double.isNaN(fp32Us)) {
            line.append("; ONNX Runtime:");
            if (int8Us < fp32Us) {
                appendPeer(line, Precision.INT8, int8Us, us);
                line.append(',');
            }
            appendPeer(line, Precision.FP32, fp32Us, us);
        }
        return line.toString();
    }

    static Map<String, Object> json(final EngineBench.Result result, final EngineRow row) {
        final EngineRow.Label label = row.label();
        final LatencySummary us = row.summary();
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("shape", label.shape());
        json.put("weights", label.weights());
        json.put("backend", label.backend());
        json.put("threads", label.threads());
        json.put("p50Us", rounded(us.p50()));
        json.put("p99Us", rounded(us.p99()));
        json.put("p999Us", rounded(us.p999()));
        json.put("maxUs", rounded(us.max()));
        json.put("floorUs", rounded(row.floorUs()));
        json.put("ortFp32P50Us", rounded(result.onnxP50Us(Precision.FP32)));
        json.put("ortInt8P50Us", rounded(result.onnxP50Us(Precision.INT8)));
        json.put("kernels", label.kernels());
        json.put("steps", us.count());
        json.put("bytesPerStep", label.bytesPerStep() == 0 ? null : label.bytesPerStep());
        json.put("streamShare", rounded(row.streamShare()));
        json.put("multiplyAddsPerCycle", rounded(row.multiplyAddsPerCycle(result.cyclesPerNs())));
        return json;
    }

    static TextTable table(final EngineBench.SilenceResult result) {
        final TextTable table = TextTable.ofNumbers("µs", "p50", "p99", "max", "count");
        addTo(table, "back to back", result.backToBack());
        addTo(table, "after silence", result.silent());
        addTo(table, "after silence, rehearsed", result.rehearsed());
        return table;
    }

    static Map<String, Object> json(final EngineBench.SilenceResult result) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("shape", result.label().shape());
        json.put("weights", result.label().weights());
        json.put("backend", result.label().backend());
        json.put("backToBackUs", LatencySummary.of(result.backToBack()).toJson());
        json.put("silentUs", LatencySummary.of(result.silent()).toJson());
        json.put("rehearsedUs", LatencySummary.of(result.rehearsed()).toJson());
        return json;
    }

    /** To three decimals; null for what is not a number. */
    static Double rounded(final double value) {
        return Double.isNaN(value) ? null : Math.round(value * 1_000) / 1_000.0;
    }

    private static void addTo(final TextTable table, final String name, final Histogram histogram) {
        final LatencySummary us = LatencySummary.of(histogram);
        table.row(name, LatencyTable.format(us.p50()), LatencyTable.format(us.p99()), LatencyTable.format(us.max()),
                Long.toString(us.count()));
    }

    private static void appendPeer(
            final StringBuilder line, final Precision precision, final double peerUs, final double us) {
        line.append(' ').append(EngineBench.weightsOf(precision)).append(' ').append(LatencyTable.format(peerUs))
                .append(" µs (").append(text("%.1f", peerUs / us)).append(" x)");
    }

    private static String text(final String format, final double value) {
        return Double.isNaN(value) ? UNKNOWN : String.format(Locale.ROOT, format, value);
    }
}
