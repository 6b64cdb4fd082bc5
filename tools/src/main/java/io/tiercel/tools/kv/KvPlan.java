package io.tiercel.tools.kv;

import java.util.List;

/**
 * What is measured of each network, and how often. Checked by who makes it.
 *
 * @param codecs       keys and values, as {@code model quantize --kv} has them.
 * @param windows      newest tokens in 8 bits.
 * @param isRotated    whether uniform codes of the last window are also measured rotated.
 * @param stepCount    hot steps of a row.
 * @param sessionCount sessions of which each in turn makes a cold step.
 * @param seed         of text, codebooks and the order of sessions.
 */
record KvPlan(
        List<String> codecs, List<Integer> windows, boolean isRotated, int stepCount, int sessionCount, long seed) {

    static final String CODECS = "8/8,4/4,4/2,2/2,1/1,c4/c4,c2/c2,c1/c1,c1/1";
    static final String WINDOWS = "0,32,64";
}
