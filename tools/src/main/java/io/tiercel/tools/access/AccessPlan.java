package io.tiercel.tools.access;

import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import java.nio.file.Path;

/**
 * What {@code bench access} was asked for, checked.
 *
 * @param rate          requests a second of the one inside.
 * @param strangerCount bad Hellos in all turns together.
 * @param strangerRate  of them a second.
 * @param turns         each of them a part in quiet, one with strangers next door, and one under attack.
 * @param folder        an empty one of its own.
 * @param isRehearsed   whether both sides are warmed up in full; without that the figures are of no use.
 * @param output        for interval histograms; null for none.
 */
record AccessPlan(
        Layout layout, IdleMode idle, double rate, long strangerCount, double strangerRate, int turns, Path folder,
        boolean isRehearsed, Path output) {

    static final int MAX_TURNS = 1_000;
    /** Each leaves counters in the media driver for some seconds, and there is room for 8,192. */
    static final double MAX_STRANGER_RATE = 250;

    /** Of a turn; the first ones take what is left over. */
    long strangersOf(final int turn) {
        return strangerCount / turns + (turn < strangerCount % turns ? 1 : 0);
    }

    /** Requests in each part of a turn: it lasts as long as its strangers take. */
    long requestsOf(final int turn) {
        return Math.max(1, Math.round(strangersOf(turn) / strangerRate * rate));
    }

    /** Requests of all turns in quiet; there are as many of each of the two other kinds. */
    long requestCount() {
        long count = 0;
        for (int turn = 0; turn < turns; turn++) {
            count += requestsOf(turn);
        }
        return count;
    }
}
