package io.tiercel.tools.load;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What became of every request of a run. Each request that was due is in exactly one of {@code answered},
 * {@code expired}, {@code rejected}, {@code lost}, {@code givenUp}, {@code unsent}.
 *
 * @param answered      computed and answered; the latencies are theirs.
 * @param expired       answered that the budget had run out.
 * @param rejected      refused.
 * @param lost          sent, and never answered.
 * @param givenUp       due, and given up because there was no room: in a run that does not let them wait.
 * @param unsent        due, and never sent because the run had to end (or the connection did).
 * @param backPressured requests that could not be sent at once when they were due; their waiting is in their latency.
 * @param unexpected    answers to no open request: duplicates, or late ones.
 * @param elapsedNs     from the first request's due time to the last answer; of a run in parts, their sum.
 * @param sendingNs     from the first request's due time to when the last one was sent or given up; of parts, the sum.
 * @param disconnected  whether the connection ended during the run.
 */
public record LoadCounts(
        long answered, long expired, long rejected, long lost, long givenUp, long unsent,
        long backPressured, long unexpected, long elapsedNs, long sendingNs, boolean disconnected) {

    /** Nothing yet. */
    static final LoadCounts NONE = new LoadCounts(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false);

    /** This and a later part of the same run. */
    LoadCounts plus(final LoadCounts later) {
        return new LoadCounts(
                answered + later.answered,
                expired + later.expired,
                rejected + later.rejected,
                lost + later.lost,
                givenUp + later.givenUp,
                unsent + later.unsent,
                backPressured + later.backPressured,
                unexpected + later.unexpected,
                elapsedNs + later.elapsedNs,
                sendingNs + later.sendingNs,
                disconnected || later.disconnected);
    }

    public long sent() {
        return answered + expired + rejected + lost;
    }

    public long due() {
        return sent() + givenUp + unsent;
    }

    /** Requests a second that the generator really came to try, in time or late. */
    public double offeredPerSecond() {
        return sendingNs == 0 ? 0 : (sent() + givenUp) * 1e9 / sendingNs;
    }

    /** Every request that was due was computed and answered, once. */
    public boolean allAnswered() {
        return answered == due() && unexpected == 0 && !disconnected;
    }

    public double answeredPerSecond() {
        return elapsedNs == 0 ? 0 : (answered + expired) * 1e9 / elapsedNs;
    }

    public Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("due", due());
        json.put("sent", sent());
        json.put("answered", answered);
        json.put("expired", expired);
        json.put("rejected", rejected);
        json.put("lost", lost);
        json.put("unsent", unsent);
        json.put("backPressured", backPressured);
        json.put("unexpected", unexpected);
        json.put("disconnected", disconnected);
        json.put("answeredPerSecond", Math.round(answeredPerSecond()));
        return json;
    }

    @Override
    public String toString() {
        return "answered=" + answered + " expired=" + expired + " rejected=" + rejected + " lost=" + lost
                + " unsent=" + unsent + " back-pressured=" + backPressured + " unexpected=" + unexpected
                + (disconnected ? " (the connection ended)" : "");
    }
}
