package io.tiercel.tools.kv;

import io.tiercel.tools.llama.LlamaModel;
import java.util.List;

/**
 * A network and the tokens that it is calibrated and measured on.
 *
 * @param context     tokens in reach.
 * @param calibration sequences; none of their tokens is measured on.
 * @param heldOut     sequences that are measured on, each in a session of its own.
 * @param data        what the tokens are, in words.
 */
record KvSubject(
        String title, LlamaModel model, int context, List<int[]> calibration, List<int[]> heldOut, String data) {
}
