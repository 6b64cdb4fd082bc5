package io.tiercel.tools.access;

import io.tiercel.tools.load.LatencySummary;
import io.tiercel.tools.load.LatencyTable;
import io.tiercel.tools.load.LoadCounts;
import io.tiercel.tools.load.Measurement;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code bench access} has found.
 *
 * @param nextDoor with as many strangers at another house on this machine.
 * @param rehearsed  strangers before anything was measured.
 * @param welcomed what the appliance has counted as welcomed: the one inside.
 * @param denied   and as wrong.
 */
record AccessReport(
        AccessPlan plan, Measurement quiet, Measurement nextDoor, Measurement attacked, StrangerCounts strangers,
        StrangerCounts rehearsed, long welcomed, long denied) {

    /** Nobody in, everybody knocked, and every request inside answered. */
    boolean holds() {
        return welcomed == 1
                && strangers.letIn() == 0
                && strangers.challenged() == 0
                && strangers.knocked() == plan.strangerCount()
                && rehearsed.letIn() == 0
                && rehearsed.challenged() == 0
                && denied == plan.strangerCount() + rehearsed.knocked()
                && quiet.counts().allAnswered()
                && nextDoor.counts().allAnswered()
                && attacked.counts().allAnswered();
    }

    @Override
    public String toString() {
        return new LatencyTable()
                .add("in quiet", quiet.summary())
                .add("strangers next door", nextDoor.summary())
                .add("under attack", attacked.summary())
                .add("in quiet, core stalls", quiet.hiccups().histogram())
                .add("next door, core stalls", nextDoor.hiccups().histogram())
                .add("under attack, core stalls", attacked.hiccups().histogram()) +
                line("in quiet", quiet.counts()) +
                line("next door", nextDoor.counts()) +
                line("under attack", attacked.counts()) +
                "strangers: " + strangers.knocked() + " knocked, refused=" + strangers.refused() + " unanswered=" +
                strangers.unanswered() + " unsent=" + strangers.unsent() + " challenged=" + strangers.challenged() +
                " let-in=" + (strangers.letIn() + rehearsed.letIn() + welcomed - 1) + System.lineSeparator() +
                "the appliance counted: wrong hellos " + denied + ", " + rehearsed.knocked() +
                " of them of the rehearsal, welcomed " + welcomed + System.lineSeparator() +
                ratios("in quiet", quiet.summary()) +
                ratios("with strangers next door", nextDoor.summary());
    }

    Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("ratePerSecond", plan.rate());
        json.put("strangersPerSecond", plan.strangerRate());
        json.put("turns", plan.turns());
        json.put("quiet", toJson(quiet));
        json.put("nextDoor", toJson(nextDoor));
        json.put("attacked", toJson(attacked));
        json.put("strangers", strangers.toJson());
        json.put("rehearsed", rehearsed.toJson());
        json.put("welcomed", welcomed);
        json.put("denied", denied);
        json.put("holds", holds());
        return json;
    }

    private static Map<String, Object> toJson(final Measurement measured) {
        final Map<String, Object> json = new LinkedHashMap<>(measured.counts().toJson());
        json.put("roundTripUs", measured.summary().toJson());
        json.put("coreStallsUs", measured.hiccups().toJson());
        return json;
    }

    private static String line(final String name, final LoadCounts counts) {
        return name + ": " + counts + System.lineSeparator();
    }

    private String ratios(final String name, final LatencySummary base) {
        final LatencySummary under = attacked.summary();
        return String.format(Locale.ROOT,
                "p50 under attack is %.2f times that %s, p90 %.2f, p99 %.2f, p99.9 %.2f%n",
                ratio(under.p50(), base.p50()), name, ratio(under.p90(), base.p90()), ratio(under.p99(), base.p99()),
                ratio(under.p999(), base.p999()));
    }

    private static double ratio(final double value, final double base) {
        return base == 0 ? 0 : value / base;
    }
}
