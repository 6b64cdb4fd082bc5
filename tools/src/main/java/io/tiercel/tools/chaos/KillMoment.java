package io.tiercel.tools.chaos;

import java.util.Locale;

/** What the appliance was doing when it was killed, as far as its output and its files tell. */
enum KillMoment {
    /** Its JVM starts; the journal has not been read. */
    STARTING,
    /** It reads and continues the journal, starts its media driver, and warms up. */
    RECOVERING,
    SERVING,
    /** It serves, and has left a snapshot half-written. */
    SNAPSHOT;

    /** The order of the rounds: short runs meet them all. */
    private static final KillMoment[] ORDER = {SERVING, SNAPSHOT, RECOVERING, SERVING, STARTING};

    /** What a round aims at. It may miss: then the appliance was at something else. */
    static KillMoment ofRound(final int round) {
        return ORDER[round % ORDER.length];
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
