package io.tiercel.tools.kv;

import io.tiercel.tools.transformer.TransformerEvaluation;
import org.HdrHistogram.Histogram;

/**
 * One way of keeping keys and values, measured. Not changed once it is made.
 *
 * @param window       newest tokens in 8 bits; the context where all tokens have 16.
 * @param notRun       the reason; null where it ran, and only then is there all that follows.
 * @param stateBytes   of a session.
 * @param hotNs        of steps of one session, one after the other.
 * @param coldNs       of steps of sessions in a random order.
 * @param coldSessions of them.
 * @param quality      on held-out tokens.
 */
record KvRow(
        String codecs, int window, boolean isRotated, String notRun, int stateBytes, Histogram hotNs, Histogram coldNs,
        int coldSessions, TransformerEvaluation quality) {

    static KvRow notRun(final String codecs, final int window, final boolean isRotated, final String reason) {
        return new KvRow(codecs, window, isRotated, reason, 0, null, null, 0, null);
    }

    boolean hasRun() {
        return notRun == null;
    }

    /** As a table has it. */
    String title() {
        return codecs + (isRotated ? " rotated" : "");
    }
}
