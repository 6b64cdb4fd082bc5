package io.tiercel.replay.tail;

import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.Stall;
import io.tiercel.replay.timeline.Tracks;
import java.util.HashMap;
import java.util.Map;

/**
 * Requests that came while the thread which takes them in was away. A round begins with a reading of the clock, which
 * is where the long round before it ends and when all that lay there has arrived, as far as the journal knows. So their
 * times are too short, by anything up to that round.
 */
final class LateStamps {

    private final Map<Integer, Long> lateNs = new HashMap<>();
    private long maxNs;

    LateStamps(final RequestTimeline requests, final Tracks tracks) {
        for (final Stall stall : tracks.stalls()) {
            if (stall.run().takesIn(stall.thread())) {
                int index = firstFrom(requests, stall.endNs());
                while (index < requests.size() && requests.ingressNs(index) == stall.endNs()) {
                    lateNs.put(index++, stall.durationNs());
                    maxNs = Math.max(maxNs, stall.durationNs());
                }
            }
        }
    }

    int count() {
        return lateNs.size();
    }

    long maxNs() {
        return maxNs;
    }

    long of(final int index) {
        return lateNs.getOrDefault(index, 0L);
    }

    /** The first request that arrived then or later: arrivals are in order. */
    private static int firstFrom(final RequestTimeline requests, final long timeNs) {
        int low = 0;
        int high = requests.size();
        while (low < high) {
            final int middle = (low + high) >>> 1;
            if (requests.ingressNs(middle) < timeNs) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
