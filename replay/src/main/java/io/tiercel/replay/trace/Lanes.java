package io.tiercel.replay.trace;

import java.util.ArrayList;
import java.util.List;

/**
 * As many tracks as are needed so that nothing overlaps on any: each stretch goes to the first one that is free. To be
 * asked in the order of begin.
 */
final class Lanes {

    private final List<Track> tracks = new ArrayList<>();
    private final List<Long> endsNs = new ArrayList<>();
    private final int processId;
    private int nextNumber;

    Lanes(final int processId, final int firstNumber) {
        this.processId = processId;
        nextNumber = firstNumber;
    }

    Track take(final long startNs, final long endNs) {
        int lane = 0;
        while (lane < tracks.size() && endsNs.get(lane) > startNs) {
            lane++;
        }
        if (lane == tracks.size()) {
            tracks.add(Track.of(processId, nextNumber++));
            endsNs.add(endNs);
        } else {
            endsNs.set(lane, endNs);
        }
        return tracks.get(lane);
    }

    /** In the order in which they were needed. */
    List<Track> tracks() {
        return tracks;
    }
}
