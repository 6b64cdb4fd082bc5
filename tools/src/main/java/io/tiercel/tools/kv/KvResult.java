package io.tiercel.tools.kv;

import io.tiercel.tools.transformer.TransformerEvaluation;
import java.util.List;

/**
 * All rows of a network.
 *
 * @param calibrationTokens that attention was looked at for, of each window.
 * @param exact what the network foretells in fp32, with an fp32 cache of the same context.
 * @param notes what else has to be said.
 */
record KvResult(
        KvSubject subject, int calibrationTokens, TransformerEvaluation exact, List<KvRow> rows, List<String> notes) {
}
