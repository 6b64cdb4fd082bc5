package io.tiercel.replay.table;

import static io.tiercel.replay.table.Fillers.bigint;
import static io.tiercel.replay.table.Fillers.bool;
import static io.tiercel.replay.table.Fillers.constant;
import static io.tiercel.replay.table.Fillers.floats;
import static io.tiercel.replay.table.Fillers.hash;
import static io.tiercel.replay.table.Fillers.integer;
import static io.tiercel.replay.table.Fillers.text;
import static io.tiercel.replay.table.Fillers.time;
import static io.tiercel.replay.table.Fillers.tokens;
import static io.tiercel.replay.table.Fillers.where;

import io.tiercel.replay.OutcomeFrame;
import java.util.List;
import java.util.function.Predicate;
import org.apache.arrow.vector.FieldVector;

/** The columns of {@code outcomes}. */
final class OutcomeColumns {

    /** A token and its probability take turns. */
    private static final int PAIR = 2;

    private static final Predicate<RecordRow> HAS_OUTPUTS = row -> row.outcome().outputsLength() > 0;
    private static final Predicate<RecordRow> HAS_LEFT = row -> row.outcome().egressNs() > 0;

    static final List<Column> ALL = List.of(
            bigint("sequence", RecordRow::sequence),
            time("ingress_time", RecordRow::ingressNs),
            text("principal", RecordRow::principal),
            bigint("session_key", row -> row.outcome().sessionKey()),
            integer("model_id", row -> row.outcome().modelId()),
            text("model_version", RecordRow::modelVersion),
            bigint("correlation_id", row -> row.outcome().correlationId()),
            constant("status", row -> row.outcome().status()),
            constant("arithmetic", row -> row.outcome().arithmetic()),
            integer("step_count", row -> row.outcome().stepCount()),
            integer("output_count", row -> row.outcome().outputCount()),
            where(HAS_OUTPUTS, floats("outputs", OutcomeColumns::fillOutputs)),
            where(HAS_OUTPUTS, tokens("output_tokens", OutcomeColumns::fillTokens)),
            hash("state_hash", row -> row.outcome().stateHash()),
            bool("session_began", row -> row.outcome().hasSessionBegun()),
            bool("session_evicted", row -> row.outcome().hasSessionEvicted()),
            bool("computed_by_standby", row -> row.outcome().isComputedByStandby()),
            integer("batch_size", row -> row.outcome().batchSize()),
            bigint("journaled_ns", row -> row.outcome().journaledNs()),
            bigint("infer_start_ns", row -> row.outcome().inferStartNs()),
            bigint("infer_end_ns", row -> row.outcome().inferEndNs()),
            where(HAS_LEFT, bigint("egress_ns", row -> row.outcome().egressNs())));

    private OutcomeColumns() {
    }

    private static void fillOutputs(final RecordRow row, final FieldVector vector, final int index) {
        final OutcomeFrame outcome = row.outcome();
        final boolean arePairs = row.cells().areOutputsTokens();
        Fillers.fillCells(vector, index, outcome.buffer(), outcome.outputsOffset(), outcome.outputsLength(),
                arePairs ? 1 : 0, arePairs ? PAIR : 1);
    }

    private static void fillTokens(final RecordRow row, final FieldVector vector, final int index) {
        if (row.cells().areOutputsTokens()) {
            final OutcomeFrame outcome = row.outcome();
            Fillers.fillCells(
                    vector, index, outcome.buffer(), outcome.outputsOffset(), outcome.outputsLength(), 0, PAIR);
        }
    }
}
