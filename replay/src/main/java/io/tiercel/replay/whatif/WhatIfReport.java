package io.tiercel.replay.whatif;

import io.tiercel.replay.Damage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What candidates would have answered.
 *
 * @param fromSequence  first that was compared.
 * @param lastSequence  last that was; -1 if there was none.
 * @param baseSequence  of the snapshot behind which the journal begins; -1 if it has its beginning. All subjects'
 *                      sessions begin anew there.
 * @param requestCount  requests of the journal's model.
 * @param otherCount    requests of other models, which were left out.
 * @param labelledCount requests compared that a label was given for.
 * @param subjects      first the journal's own model, run as the others are, then the candidates.
 * @param damage        where the journal could not be read on; null if nowhere.
 */
public record WhatIfReport(
        Path journalDirectory, long fromSequence, long lastSequence, long baseSequence, long requestCount,
        long otherCount, long labelledCount, boolean namesTokens, List<Result> subjects, Damage damage) {

    /** What is known of the answers' quality. */
    public enum Measure {
        /** Nothing: no labels. */
        NONE,
        /** Against labels that are classes. */
        CLASSES,
        /** Against labels that are values. */
        VALUES,
        /** Against the token that came next in the session. */
        TOKENS
    }

    /**
     * Of one subject.
     *
     * @param changeUnits  absolute changes of values: of each output, or of a likeliest token's probability.
     * @param byHour       by hours since the epoch, UTC, of ingress.
     * @param stepNs       from a step's begin until its answer is there; without the first 2,000 of each thread.
     * @param refusedCount requests that it had no room for.
     */
    public record Result(
            String name, String version, String backend, Changes changes, Histogram changeUnits,
            Map<SessionName, Changes> bySession, Map<Long, Changes> byHour, Measure measure, Quality quality,
            Histogram stepNs, long refusedCount) {

        /** Of the absolute change of a value. */
        public double changeAtPercentile(final double percentile) {
            return Math.min(changes.largest(), changeUnits.getValueAtPercentile(percentile) * Difference.UNIT);
        }

        /** Sessions, those first of which most decisions, then most values, have changed. */
        public List<Map.Entry<SessionName, Changes>> worstSessions(final int limit) {
            final List<Map.Entry<SessionName, Changes>> sessions = new ArrayList<>(bySession.entrySet());
            sessions.sort(Comparator
                    .comparingDouble((Map.Entry<SessionName, Changes> entry) -> -entry.getValue()
                            .changedDecisionShare())
                    .thenComparingDouble(entry -> -entry.getValue().mean())
                    .thenComparingLong(entry -> entry.getKey().principalId())
                    .thenComparingLong(entry -> entry.getKey().sessionKey()));
            return sessions.subList(0, Math.min(limit, sessions.size()));
        }
    }

    /** The journal's own model. */
    public Result journaled() {
        return subjects.get(0);
    }

    public List<Result> candidates() {
        return subjects.subList(1, subjects.size());
    }
}
