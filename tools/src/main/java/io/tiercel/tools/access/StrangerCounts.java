package io.tiercel.tools.access;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What became of strangers.
 *
 * @param knocked    connections on which a bad Hello was sent.
 * @param unsent     connections that did not come about in time: the media driver or the appliance had no room.
 * @param refused    that were told so.
 * @param challenged that were asked for a proof: a bad Hello must not get so far.
 * @param letIn      that heard anything else, a welcome for one.
 */
record StrangerCounts(long knocked, long unsent, long refused, long challenged, long letIn) {

    static final StrangerCounts NONE = new StrangerCounts(0, 0, 0, 0, 0);

    private static final Pattern TEXT =
            Pattern.compile("knocked=(\\d+) unsent=(\\d+) refused=(\\d+) challenged=(\\d+) let-in=(\\d+)");

    /** As {@link #toString} wrote it. */
    static StrangerCounts parse(final String line) {
        final Matcher matcher = TEXT.matcher(line);
        if (!matcher.find()) {
            throw new IllegalArgumentException("line=" + line + " has no counts");
        }
        return new StrangerCounts(number(matcher, 1), number(matcher, 2), number(matcher, 3), number(matcher, 4),
                number(matcher, 5));
    }

    long unanswered() {
        return knocked - refused - challenged - letIn;
    }

    StrangerCounts plus(final StrangerCounts later) {
        return new StrangerCounts(knocked + later.knocked, unsent + later.unsent, refused + later.refused,
                challenged + later.challenged, letIn + later.letIn);
    }

    Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("knocked", knocked);
        json.put("unsent", unsent);
        json.put("refused", refused);
        json.put("unanswered", unanswered());
        json.put("challenged", challenged);
        json.put("letIn", letIn);
        return json;
    }

    @Override
    public String toString() {
        return "knocked=" + knocked + " unsent=" + unsent + " refused=" + refused + " challenged=" + challenged +
                " let-in=" + letIn;
    }

    private static long number(final Matcher matcher, final int group) {
        return Long.parseLong(matcher.group(group));
    }
}
