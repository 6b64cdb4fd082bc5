package io.tiercel.tools.chaos;

import io.tiercel.replay.ReplayReport;
import io.tiercel.replay.SnapshotReport;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the rounds came to; filled while they go on. */
final class ChaosResult {

    private static final int MAX_VIOLATIONS = 20;

    final Map<KillMoment, Integer> kills = new EnumMap<>(KillMoment.class);
    final List<Recovery> recoveries = new ArrayList<>();
    final List<String> violations = new ArrayList<>();
    long sentCount;
    long answeredCount;
    long expiredCount;
    long refusedCount;
    long heldBackCount;
    long unansweredAgainCount;
    long takenBeforeCount;
    long answeredAgainCount;
    long sameAgainCount;
    long cutOffAgainCount;
    long confirmedCount;
    long lostCount;
    long twiceCount;
    long unansweredCount;
    long violationCount;
    long journaledCount;
    boolean isRestarted;
    ReplayReport replay;
    SnapshotReport snapshots;

    /**
     * What one start said that it did with the journal.
     *
     * @param life         number of the start.
     * @param nextSequence what the first request of that life got.
     */
    record Recovery(
            int life, boolean hasSnapshot, long replayedCount, long recomputedCount, long tornCount,
            long nextSequence, long durationMs) {

        /** From {@code serve}'s own line. */
        static Recovery of(final int life, final String line) {
            return new Recovery(life, !line.contains("snapshot=none"), number(line, "replayed"),
                    number(line, "recomputed"), number(line, "torn"), number(line, "next-sequence"),
                    number(line, "ms"));
        }

        private static long number(final String line, final String name) {
            final Matcher matcher = Pattern.compile("\\b" + name + "=(\\d+)").matcher(line);
            if (!matcher.find()) {
                throw new IllegalStateException("name=" + name + " is not in line=" + line);
            }
            return Long.parseLong(matcher.group(1));
        }
    }

    void killed(final KillMoment moment) {
        kills.merge(moment, 1, Integer::sum);
    }

    /** Something that must not be. */
    void violated(final String what) {
        violationCount++;
        if (violations.size() < MAX_VIOLATIONS) {
            violations.add(what);
        }
    }

    /** The sequence with which a life's own requests begin; of the first life 0. */
    long firstSequenceOf(final int life) {
        for (final Recovery recovery : recoveries) {
            if (recovery.life() == life) {
                return recovery.nextSequence();
            }
        }
        return 0;
    }

    boolean holds() {
        return violationCount == 0 && lostCount == 0 && twiceCount == 0 && unansweredCount == 0
                && sameAgainCount + cutOffAgainCount == answeredAgainCount && confirmedCount == answeredCount
                && answeredCount > 0
                && replay != null && replay.isIdentical()
                && snapshots != null && snapshots.isIdentical() && isRestarted;
    }
}
