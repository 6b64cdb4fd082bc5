package io.tiercel.tools.decode;

import io.tiercel.tools.StatusLine;
import io.tiercel.tools.ToolException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * Loads all contenders, lets them decode in turns, so that all meet the same moods of the machine, and closes them. One
 * thread, the caller's.
 *
 * <p>A peer that cannot load or decode gets a row that says why. Whatever else fails is thrown, after all contenders
 * have been closed.
 */
final class DecodeBench {

    private final DecodePlan plan;
    private final StatusLine status;

    DecodeBench(final DecodePlan plan, final StatusLine status) {
        this.plan = plan;
        this.status = status;
    }

    /** Rows in the order of the contenders. */
    List<DecodeRow> measure(final List<DecodeContender> contenders) {
        final Map<DecodeContender, String> reasons = new LinkedHashMap<>();
        final Map<DecodeContender, List<DecodeRun>> runs = new LinkedHashMap<>();
        try {
            for (final DecodeContender contender : contenders) {
                status.show(contender.name() + " loads");
                runs.put(contender, new ArrayList<>());
                attempt(contender, reasons, contender::load);
            }
            runTurns(contenders, reasons, runs);
        } finally {
            status.clear();
            contenders.forEach(DecodeContender::close);
        }
        return contenders.stream()
                .map(contender -> reasons.containsKey(contender)
                        ? DecodeRow.notRun(contender, reasons.get(contender))
                        : DecodeRow.of(contender, runs.get(contender)))
                .toList();
    }

    private void runTurns(
            final List<DecodeContender> contenders, final Map<DecodeContender, String> reasons,
            final Map<DecodeContender, List<DecodeRun>> runs) {
        for (int turn = -plan.warmUpCount(); turn < plan.runCount(); turn++) {
            status.show(turn < 0 ? "warms up" : "turn " + (turn + 1) + " of " + plan.runCount());
            if (turn == 0) {
                System.gc(); // what loading and warming up have left is not collected while a token is timed
            }
            final boolean isMeasured = turn >= 0;
            for (final DecodeContender contender : contenders) {
                if (!reasons.containsKey(contender)) {
                    attempt(contender, reasons, () -> {
                        final DecodeRun run = timed(contender);
                        if (isMeasured) {
                            runs.get(contender).add(run);
                        }
                    });
                }
            }
        }
    }

    private DecodeRun timed(final DecodeContender contender) {
        final long startMs = System.currentTimeMillis();
        final DecodeRun run = contender.decode(plan.promptTokens(), plan.tokenCount());
        for (final Histogram ns : List.of(run.tokenNs(), run.answerNs())) {
            ns.setStartTimeStamp(startMs);
            ns.setEndTimeStamp(System.currentTimeMillis());
        }
        return run;
    }

    private static void attempt(
            final DecodeContender contender, final Map<DecodeContender, String> reasons, final Runnable action) {
        try {
            action.run();
        } catch (final ToolException ex) {
            if (!contender.isPeer()) {
                throw ex;
            }
            reasons.put(contender, ex.getMessage());
        }
    }
}
