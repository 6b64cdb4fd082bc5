package io.tiercel.tools.replay;

import io.tiercel.replay.markout.Instrument;
import io.tiercel.replay.markout.Markout;
import io.tiercel.replay.markout.MarkoutCurve;
import io.tiercel.replay.markout.Span;
import io.tiercel.tools.market.PlayedTape;
import io.tiercel.tools.market.TapePrices;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;

/**
 * The answers of a journal that are scored, held against the tape's prices.
 *
 * @param scoredCount   answers that may be scored.
 * @param directedCount of them, those that name a direction.
 * @param latency       of those, in ns.
 * @param curves        one for each horizon.
 */
record MarkoutRun(
        TapeAlignment alignment, boolean isHeldOutOnly, int scoredCount, int directedCount, Histogram latency,
        List<MarkoutCurve> curves) {

    private static final long HIGHEST_NS = 3_600_000_000_000L;

    static MarkoutRun of(
            final TapeAlignment alignment, final TapePrices prices, final List<Span> delays,
            final List<Span> horizons, final boolean isHeldOutOnly, final long seed) {
        final PlayedTape tape = alignment.tape();
        final int[][] rows = rowsByInstrument(tape);
        final Markout markout = new Markout(instruments(rows, prices), new SplittableRandom(seed));
        final Histogram latency = new Histogram(HIGHEST_NS, 3);
        final int[] eventsSeen = new int[rows.length];
        int scored = 0;
        for (int event = 0; event < alignment.count(); event++) {
            final int instrument = instrument(tape, event);
            final int place = eventsSeen[instrument]++;
            if (alignment.isAnswered(event) && (tape.heldOut(event) || !isHeldOutOnly) &&
                    !Double.isNaN(prices.price(tape.row(event)))) {
                scored++;
                if (alignment.direction(event) != 0) {
                    markout.add(instrument, place, alignment.direction(event), alignment.latencyNs(event));
                    latency.recordValue(Math.min(alignment.latencyNs(event), HIGHEST_NS));
                }
            }
        }
        final List<MarkoutCurve> curves = new ArrayList<>();
        for (final Span horizon : horizons) {
            curves.add(markout.curve(horizon, delays));
        }
        return new MarkoutRun(alignment, isHeldOutOnly, scored, markout.count(), latency, curves);
    }

    private static int instrument(final PlayedTape tape, final int event) {
        return (int) tape.sessionKey(event) - 1;
    }

    /** The rows of each instrument's events, in their order. */
    private static int[][] rowsByInstrument(final PlayedTape tape) {
        final int[] counts = new int[tape.sessionCount()];
        final int[][] rows = new int[tape.sessionCount()][tape.eventCount()];
        for (int event = 0; event < tape.eventCount(); event++) {
            final int instrument = instrument(tape, event);
            rows[instrument][counts[instrument]++] = tape.row(event);
        }
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOf(rows[i], counts[i]);
        }
        return rows;
    }

    /** An instrument's prices go from its first event to the next one's, as the tape is cut up in order. */
    private static List<Instrument> instruments(final int[][] rows, final TapePrices prices) {
        final List<Instrument> instruments = new ArrayList<>();
        for (int i = 0; i < rows.length; i++) {
            final int first = rows[i][0];
            final int end = i + 1 < rows.length ? rows[i + 1][0] : prices.rowCount();
            instruments.add(new Instrument(prices.timesNs(first, end), prices.prices(first, end),
                    Arrays.stream(rows[i]).map(row -> row - first).toArray()));
        }
        return instruments;
    }
}
