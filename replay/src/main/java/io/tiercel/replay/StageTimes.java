package io.tiercel.replay;

import io.tiercel.appliance.telemetry.Stage;

/** A request's latencies, out of its outcome's time stamps, as the appliance's own telemetry has them. */
public final class StageTimes {

    private StageTimes() {
    }

    /** Whether the outcome knows them: one that was journaled before its answer left does not know when that was. */
    public static boolean isKnown(final OutcomeFrame outcome) {
        return outcome.egressNs() > 0;
    }

    public static long ns(final OutcomeFrame outcome, final Stage stage) {
        return switch (stage) {
            case JOURNAL -> outcome.journaledNs();
            case QUEUE -> outcome.inferStartNs();
            case INFER -> Math.max(0, outcome.inferEndNs() - outcome.inferStartNs());
            case EGRESS -> Math.max(0,
                    outcome.egressNs() - Math.max(outcome.journaledNs(), outcome.inferEndNs()));
            case TOTAL -> outcome.egressNs();
        };
    }
}
