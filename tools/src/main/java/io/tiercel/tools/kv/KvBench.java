package io.tiercel.tools.kv;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.transformer.CacheCalibration;
import io.tiercel.tools.transformer.TransformerEvaluation;
import io.tiercel.tools.transformer.TransformerQuantiser;
import io.tiercel.tools.transformer.TransformerSession;
import io.tiercel.tools.transformer.TransformerSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * Measures one network at a time: in fp32 once, then each way of keeping keys and values. What a window's calibration
 * gives is shared by all of its rows, and by the bundle that is timed and the one whose answers are judged. One thread,
 * the caller's.
 */
final class KvBench {

    static final String WIDE = "16/16";

    private static final long SLOT_HEADER_BYTES = 64;

    private final KvPlan plan;
    private final NanoClock clock;
    private final StatusLine status;

    /** One row that is to come. */
    private record Row(String codecs, CacheFormat cache, int window) {

        boolean isRotated() {
            return cache.rotation() == Rotation.HADAMARD;
        }
    }

    KvBench(final KvPlan plan, final NanoClock clock, final StatusLine status) {
        this.plan = plan;
        this.clock = clock;
        this.status = status;
    }

    KvResult measure(final KvSubject subject) {
        final List<KvRow> rows = new ArrayList<>();
        final List<String> notes = new ArrayList<>();
        try {
            status.show(subject.title() + ": fp32");
            final TransformerEvaluation exact = TransformerEvaluation.of(
                    subject.model().weights(), subject.heldOut(), subject.context());
            final List<Integer> windows = windows(subject, notes);
            final int calibrationTokens = measure(subject, subject.context(), List.of(WIDE), false, rows);
            for (final int window : windows) {
                measure(subject, window, plan.codecs(), plan.isRotated() && window == windows.get(windows.size() - 1),
                        rows);
            }
            final int fewest = rows.stream().filter(KvRow::hasRun).mapToInt(KvRow::coldSessions).min().orElse(0);
            if (fewest < plan.sessionCount()) {
                notes.add("cold: sessions=" + fewest + " to " + plan.sessionCount() + ", as many as half of the free"
                        + " memory holds; the JSON file has each row's");
            }
            return new KvResult(subject, calibrationTokens, exact, rows, notes);
        } finally {
            status.clear();
        }
    }

    /** Those that leave something to code. */
    private List<Integer> windows(final KvSubject subject, final List<String> notes) {
        final List<Integer> windows = new ArrayList<>();
        for (final int window : plan.windows()) {
            if (window < subject.context()) {
                windows.add(window);
            } else {
                notes.add("window=" + window + " left out: it holds the context of " + subject.context());
            }
        }
        return windows;
    }

    /** All rows of one window. Returns the tokens that it was calibrated on. */
    private int measure(
            final KvSubject subject, final int window, final List<String> codecs, final boolean isRotated,
            final List<KvRow> rows) {
        status.show(subject.title() + ": window=" + window + ": calibrates");
        final CacheCalibration calibration = CacheCalibration.of(
                subject.model().weights(), subject.calibration(), window, subject.context());
        for (final String each : codecs) {
            rows.add(measure(subject, calibration, newRow(each, Rotation.NONE, window)));
        }
        for (final String each : isRotated ? codecs : List.<String>of()) {
            final Row row = newRow(each, Rotation.HADAMARD, window);
            if (!row.cache.keys().isCoupled() && !row.cache.values().isCoupled()) {
                rows.add(measure(subject, calibration, row));
            }
        }
        return calibration.tokenCount();
    }

    private static Row newRow(final String codecs, final Rotation rotation, final int window) {
        return new Row(codecs, TransformerSettings.cache(codecs, rotation, WhenFull.SLIDE), window);
    }

    private KvRow measure(final KvSubject subject, final CacheCalibration calibration, final Row row) {
        final int headSize = subject.model().shape().headSize();
        for (final Codec codec : List.of(row.cache.keys(), row.cache.values())) {
            if (headSize % codec.channels() != 0) {
                return KvRow.notRun(row.codecs, row.window, row.isRotated(), "a head has channels=" + headSize +
                        ", and a code is of " + codec.channels());
            }
        }
        if (row.isRotated() && Integer.bitCount(headSize) != 1) {
            return KvRow.notRun(row.codecs, row.window, true, "a head has channels=" + headSize +
                    ", and rotation needs a power of two");
        }
        final String title = subject.title() + ": window=" + row.window + " " + row.codecs;
        status.show(title + ": quantises");
        final Bundle judged = bundle(subject, calibration, row, WeightFormat.INT16, Short.SIZE);
        status.show(title + ": foretells");
        final TransformerEvaluation quality;
        try (TransformerSession session =
                new TransformerSession(judged, Backends.select(Backends.AUTO, judged))) {
            quality = TransformerEvaluation.of(session, subject.heldOut());
        }
        status.show(title + ": steps");
        return time(subject, bundle(subject, calibration, row, WeightFormat.INT8, Byte.SIZE), row, quality);
    }

    private KvRow time(
            final KvSubject subject, final Bundle bundle, final Row row, final TransformerEvaluation quality) {
        final int[] tokens = subject.heldOut().get(0);
        final int stateBytes;
        final Histogram hotNs;
        try (StepTimes times = new StepTimes(bundle, 1, tokens, subject.context(), clock)) {
            stateBytes = times.stateBytes();
            hotNs = times.hot(plan.stepCount());
        }
        final int sessions = (int) Math.max(1, Math.min(plan.sessionCount(),
                FreeMemory.bytes() / 2 / (stateBytes + SLOT_HEADER_BYTES)));
        try (StepTimes times = new StepTimes(bundle, sessions, tokens, subject.context(), clock)) {
            times.begin(Beginning.COPIED);
            return new KvRow(row.codecs, row.window, row.isRotated(), null, stateBytes, hotNs,
                    times.cold(new SplittableRandom(plan.seed())), sessions, quality);
        }
    }

    private Bundle bundle(
            final KvSubject subject, final CacheCalibration calibration, final Row row, final WeightFormat weights,
            final int activationBits) {
        final TransformerSettings settings = new TransformerSettings(weights, activationBits, row.cache, row.window, 0,
                subject.context(), 1, plan.seed());
        return Bundle.of(Path.of(subject.title()),
                TransformerQuantiser.quantise(subject.model(), settings, calibration, Map.of(), Map.of()).toBytes());
    }
}
