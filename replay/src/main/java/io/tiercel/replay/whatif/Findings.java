package io.tiercel.replay.whatif;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** What was found of one subject: on one thread, then, added up, on all. */
final class Findings {

    private static final int DIGITS = 3;

    final Changes all = new Changes();
    final Map<SessionName, Changes> bySession = new HashMap<>();
    /** By hours since the epoch. */
    final Map<Long, Changes> byHour = new TreeMap<>();
    /** Absolute changes of values, in {@link Difference#UNIT}s. */
    final Histogram changes = new Histogram(DIGITS);
    final Histogram stepNs = new Histogram(DIGITS);
    final Quality quality;
    long refusedCount;

    Findings(final int classCount) {
        quality = new Quality(classCount);
    }

    void add(final Difference difference, final SessionName session, final long hour) {
        all.add(difference);
        bySession.computeIfAbsent(session, any -> new Changes()).add(difference);
        byHour.computeIfAbsent(hour, any -> new Changes()).add(difference);
        for (int i = 0; i < difference.valueCount; i++) {
            changes.recordValue(difference.units[i]);
        }
    }

    void add(final Findings other) {
        all.add(other.all);
        other.bySession.forEach((name, changes) -> bySession.computeIfAbsent(name, any -> new Changes()).add(changes));
        other.byHour.forEach((hour, changes) -> byHour.computeIfAbsent(hour, any -> new Changes()).add(changes));
        changes.add(other.changes);
        stepNs.add(other.stepNs);
        quality.add(other.quality);
        refusedCount += other.refusedCount;
    }
}
