package io.tiercel.tools.chaos;

import io.tiercel.tools.TextTable;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;

/** The harness's result for people and for programs. */
final class ChaosReport {

    private final ChaosPlan plan;
    private final ChaosResult result;

    ChaosReport(final ChaosPlan plan, final ChaosResult result) {
        this.plan = plan;
        this.result = result;
    }

    void print(final PrintStream out) {
        final TextTable table = TextTable.left("what", "count", "of them");
        row(table, "kills", plan.rounds(), kills());
        row(table, "requests sent", result.sentCount,
                result.heldBackCount + " more held back, too many being on their way");
        row(table, "acknowledged", result.answeredCount, result.expiredCount + " expired");
        row(table, "  in the journal, bit for bit", result.confirmedCount, "");
        row(table, "refused", result.refusedCount, "");
        row(table, "repeated without an answer", result.unansweredAgainCount,
                result.takenBeforeCount + " answered as they were taken before the kill");
        row(table, "repeated with an answer", result.answeredAgainCount,
                result.sameAgainCount + " answered the same again, " + result.cutOffAgainCount + " cut off by a kill");
        row(table, "lost", result.lostCount, "");
        row(table, "twice", result.twiceCount, "");
        row(table, "never answered", result.unansweredCount, "");
        row(table, "recoveries", result.recoveries.size(), recoveries());
        row(table, "  requests computed again", sum(ChaosResult.Recovery::replayedCount),
                sum(ChaosResult.Recovery::recomputedCount) + " had no outcome in the journal");
        row(table, "  torn records cut", sum(ChaosResult.Recovery::tornCount), "");
        out.print(table);
        out.println(replay());
        out.println(snapshots());
        result.violations.forEach(violation -> out.println("violated: " + violation));
        if (result.violationCount > result.violations.size()) {
            out.println("violated: " + (result.violationCount - result.violations.size()) + " times more");
        }
        out.println(result.holds()
                ? "chaos: nothing lost, nothing twice, every answer in the journal bit for bit"
                : "chaos: FAILED, see above; what is left: " + plan.directory());
    }

    Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("holds", result.holds());
        json.put("rounds", plan.rounds());
        json.put("seed", plan.seed());
        json.put("clients", plan.clientCount());
        json.put("rate", plan.rate());
        json.put("durability", plan.durability().name().toLowerCase(Locale.ROOT));
        json.put("snapshotIntervalMs", plan.snapshotInterval().toMillis());
        final Map<String, Object> kills = new LinkedHashMap<>();
        result.kills.forEach((moment, count) -> kills.put(moment.toString(), count));
        json.put("kills", kills);
        json.put("sent", result.sentCount);
        json.put("heldBack", result.heldBackCount);
        json.put("acknowledged", result.answeredCount);
        json.put("expired", result.expiredCount);
        json.put("confirmed", result.confirmedCount);
        json.put("refused", result.refusedCount);
        json.put("repeatedUnanswered", result.unansweredAgainCount);
        json.put("takenBeforeTheKill", result.takenBeforeCount);
        json.put("repeatedAnswered", result.answeredAgainCount);
        json.put("sameAgain", result.sameAgainCount);
        json.put("cutOffAgain", result.cutOffAgainCount);
        json.put("lost", result.lostCount);
        json.put("twice", result.twiceCount);
        json.put("neverAnswered", result.unansweredCount);
        json.put("journaled", result.journaledCount);
        json.put("recoveries", result.recoveries);
        json.put("replayed", result.replay.agreeingCount());
        json.put("snapshotsVerified", result.snapshots.verified().size());
        json.put("violations", result.violations);
        json.put("violationCount", result.violationCount);
        return json;
    }

    private static void row(final TextTable table, final String what, final long count, final String detail) {
        table.row(what, Long.toString(count), detail);
    }

    private String kills() {
        final StringBuilder text = new StringBuilder();
        result.kills.forEach((moment, count) -> text.append(text.isEmpty() ? "" : ", ").append(moment).append(' ')
                .append(count));
        return text.toString();
    }

    private String recoveries() {
        final List<Long> sorted =
                result.recoveries.stream().map(ChaosResult.Recovery::durationMs).sorted().toList();
        if (sorted.isEmpty()) {
            return "";
        }
        final long fromSnapshots = result.recoveries.stream().filter(ChaosResult.Recovery::hasSnapshot).count();
        return fromSnapshots + " from a snapshot; ms: min " + sorted.get(0) + ", median " +
                sorted.get(sorted.size() / 2) + ", max " + sorted.get(sorted.size() - 1);
    }

    private String replay() {
        if (result.replay.isIdentical()) {
            return "replay: " + result.replay.agreement(result.replay.comparedCount());
        }
        return "replay: FAILED, " +
                (result.replay.divergence() != null ? result.replay.divergence() : result.replay.damage());
    }

    private String snapshots() {
        if (result.snapshots.isIdentical()) {
            return "snapshots: " + result.snapshots.verified().size() + " verified, " +
                    result.snapshots.sessionCount() + " sessions and " +
                    result.snapshots.answerCount() + " answers bit-identical";
        }
        return "snapshots: FAILED, " + (result.snapshots.difference() != null
                ? result.snapshots.difference()
                : result.snapshots.damage());
    }

    private long sum(final ToLongFunction<ChaosResult.Recovery> value) {
        return result.recoveries.stream().mapToLong(value).sum();
    }
}
