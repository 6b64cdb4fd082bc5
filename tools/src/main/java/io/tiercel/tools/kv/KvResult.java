package io.tiercel.tools.kv;

import io.tiercel.tools.transformer.TransformerEvaluation;
import java.util.List;

/**
 * All rows of a network.
 *
 * @param exact what the network foretells in fp32, with an fp32 cache of the same context.
 * @param notes what else has to be said.
 */
record KvResult(KvSubject subject, TransformerEvaluation exact, List<KvRow> rows, List<String> notes) {
}
