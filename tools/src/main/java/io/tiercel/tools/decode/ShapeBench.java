package io.tiercel.tools.decode;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.TextTable;
import io.tiercel.tools.load.LatencySummary;
import io.tiercel.tools.load.LatencyTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.agrona.CloseHelper;
import org.agrona.concurrent.NanoClock;

/**
 * Single steps of a network with random weights, int8 and int4, of one session with a full context on one core. One
 * thread; whatever fails is thrown after all has been closed.
 */
final class ShapeBench {

    static final int TURNS = 10;

    private static final double BYTES_PER_KB = 1_000;
    private static final String UNKNOWN = "-";

    private final NanoClock clock;
    private final StatusLine status;

    ShapeBench(final NanoClock clock, final StatusLine status) {
        this.clock = clock;
        this.status = status;
    }

    /** @param steps measured of each row; as many come before. */
    List<ShapeRow> measure(final DecodeShape shape, final int steps) {
        final List<ShapeContender> contenders = new ArrayList<>();
        try {
            open(shape, contenders);
            for (final ShapeContender contender : contenders) {
                status.show(contender.name() + " warms up");
                contender.warmUp(steps);
            }
            System.gc(); // what quantising has left is not collected while a step is timed
            for (int turn = 0; turn < TURNS; turn++) {
                status.show(shape.title() + ": turn " + (turn + 1) + " of " + TURNS);
                for (final ShapeContender contender : contenders) {
                    contender.runTurn(turn, share(steps, turn));
                }
            }
            return contenders.stream().map(ShapeContender::row).toList();
        } finally {
            status.clear();
            CloseHelper.closeAll(contenders);
        }
    }

    /** How the columns are to be read. */
    static String legend() {
        return """
                step: in µs, from a step's begin until its answer is there, one session, context full; token: the same \
                and the hash
                and the work ahead behind it; KB: weights that a step reads; state: of the session; floor: the time to \
                read the
                weights and compute nothing, in µs; stream: floor / p50""";
    }

    static TextTable table(final DecodeShape shape, final List<ShapeRow> rows) {
        final TextTable table = TextTable.ofNumbers(shape.title(), "step p50", "p99", "p99.9", "max", "token p50",
                "p99", "KB", "state KB", "floor", "stream");
        for (final ShapeRow row : rows) {
            final LatencySummary step = row.step();
            final LatencySummary token = row.token();
            final boolean hasFloor = !Double.isNaN(row.floorNs());
            table.row(row.name(), LatencyTable.format(step.p50()), LatencyTable.format(step.p99()),
                    LatencyTable.format(step.p999()), LatencyTable.format(step.max()),
                    LatencyTable.format(token.p50()), LatencyTable.format(token.p99()),
                    row.stepBytes() == 0 ? UNKNOWN : kilobytes(row.stepBytes()), kilobytes(row.stateBytes()),
                    hasFloor ? LatencyTable.format(row.floorUs()) : UNKNOWN,
                    hasFloor ? String.format(Locale.ROOT, "%.0f %%", 100 * row.streamShare()) : UNKNOWN);
        }
        return table;
    }

    static List<Map<String, Object>> json(final List<ShapeRow> rows) {
        return rows.stream().map(ShapeBench::json).toList();
    }

    private static Map<String, Object> json(final ShapeRow row) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("contender", row.name());
        json.put("stepUs", row.step().toJson());
        json.put("tokenUs", row.token().toJson());
        json.put("bytesPerStep", row.stepBytes() == 0 ? null : row.stepBytes());
        json.put("stateBytes", row.stateBytes());
        json.put("floorUs", DecodeReport.rounded(row.floorUs()));
        json.put("streamShare", DecodeReport.rounded(row.streamShare()));
        return json;
    }

    private void open(final DecodeShape shape, final List<ShapeContender> contenders) {
        status.show(shape.title() + ": draws text and quantises");
        final BenchBundles bundles = ShapeBundles.of(shape);
        final boolean isCpu = new CpuBackend().probe().available();
        for (final WeightFormat format : List.of(WeightFormat.INT8, WeightFormat.INT4)) {
            final Bundle bundle = ShapeBundles.bundle(shape, bundles, format);
            contenders.add(new ShapeContender(
                    bundle, isCpu ? CpuBackend.NAME : ReferenceBackend.NAME, bundles.text(), TURNS, clock));
        }
    }

    private static String kilobytes(final long bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / BYTES_PER_KB);
    }

    /** Steps of a turn, all turns having as equally many as they can. */
    private static int share(final int steps, final int turn) {
        return (int) ((long) steps * (turn + 1) / TURNS - (long) steps * turn / TURNS);
    }
}
