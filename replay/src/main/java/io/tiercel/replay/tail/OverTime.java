package io.tiercel.replay.tail;

import io.tiercel.replay.timeline.Pause;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.Stall;
import io.tiercel.replay.timeline.Tracks;
import java.util.Arrays;

/**
 * A stretch of a journal beside its tracks, cut into pieces of equal length: the slowest request that arrived in each,
 * the longest stall of a thread and the longest pause of the JVM that began in it. NaN where there was none.
 *
 * @param seconds since the first arrival, of each piece's begin.
 */
public record OverTime(double[] seconds, double[] slowestUs, double[] longestStallUs, double[] longestPauseUs) {

    private static final double NS_PER_US = 1e3;
    private static final double NS_PER_S = 1e9;

    /** Cuts. */
    public static OverTime of(final RequestTimeline requests, final Tracks tracks, final int pieceCount) {
        final long firstNs = requests.ingressNs(0);
        final double pieceNs = Math.max(1, (requests.ingressNs(requests.size() - 1) - firstNs + 1.0) / pieceCount);
        final double[] seconds = new double[pieceCount];
        Arrays.setAll(seconds, piece -> piece * pieceNs / NS_PER_S);
        final OverTime overTime = new OverTime(seconds, none(pieceCount), none(pieceCount), none(pieceCount));
        for (int index = 0; index < requests.size(); index++) {
            if (requests.isTimed(index)) {
                raise(overTime.slowestUs, (requests.ingressNs(index) - firstNs) / pieceNs, requests.totalNs(index));
            }
        }
        for (final Stall stall : tracks.stalls()) {
            raise(overTime.longestStallUs, (stall.startNs() - firstNs) / pieceNs, stall.durationNs());
        }
        for (final Pause pause : tracks.pauses()) {
            raise(overTime.longestPauseUs, (pause.startNs() - firstNs) / pieceNs, pause.durationNs());
        }
        return overTime;
    }

    private static double[] none(final int count) {
        final double[] values = new double[count];
        Arrays.fill(values, Double.NaN);
        return values;
    }

    /** What began before the stretch is where the stretch begins. */
    private static void raise(final double[] values, final double place, final long ns) {
        final int piece = (int) Math.max(0, Math.min(place, values.length - 1));
        values[piece] = Double.isNaN(values[piece]) ? ns / NS_PER_US : Math.max(values[piece], ns / NS_PER_US);
    }
}
