package io.tiercel.replay.table;

import static io.tiercel.replay.table.Fillers.bigint;
import static io.tiercel.replay.table.Fillers.bool;
import static io.tiercel.replay.table.Fillers.floats;
import static io.tiercel.replay.table.Fillers.hash;
import static io.tiercel.replay.table.Fillers.integer;
import static io.tiercel.replay.table.Fillers.real;
import static io.tiercel.replay.table.Fillers.text;
import static io.tiercel.replay.table.Fillers.time;
import static io.tiercel.replay.table.Fillers.tokens;
import static io.tiercel.replay.table.Fillers.where;

import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.replay.RequestFrame;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Predicate;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.complex.ListVector;

/** The columns of {@code requests}. */
final class RequestColumns {

    private static final Predicate<RecordRow> HAS_STEPS = row -> row.request().kind().hasSteps();
    private static final Predicate<RecordRow> HAS_BUDGET = row -> row.request().budgetNs() != 0;
    private static final Predicate<RecordRow> IS_FORK = row -> row.request().kind() == RequestKind.FORK;
    private static final Predicate<RecordRow> IS_GENERATE = row -> row.request().kind() == RequestKind.GENERATE;

    static final List<Column> ALL = List.of(
            bigint("sequence", RecordRow::sequence),
            time("ingress_time", RecordRow::ingressNs),
            text("principal", RecordRow::principal),
            bigint("session_key", row -> row.request().sessionKey()),
            integer("model_id", row -> row.request().modelId()),
            text("model_version", RecordRow::modelVersion),
            bigint("correlation_id", row -> row.request().correlationId()),
            text("template", row -> row.request().templateName().getBytes(StandardCharsets.US_ASCII)),
            where(HAS_BUDGET, bigint("budget_ns", row -> row.request().budgetNs())),
            integer("step_count", row -> row.request().stepCount()),
            where(HAS_STEPS, integer("feature_count", row -> row.request().featureCount())),
            where(HAS_STEPS, bool("stream", row -> row.request().isStream())),
            where(HAS_STEPS, floats("features", RequestColumns::fillFeatures)),
            where(HAS_STEPS, tokens("tokens", RequestColumns::fillTokens)),
            where(IS_FORK, bigint("source_key", row -> row.request().sourceKey())),
            where(IS_GENERATE, integer("made_tokens", row -> row.request().generate().madeTokens())),
            where(IS_GENERATE, integer("max_tokens", row -> row.request().generate().maxTokens())),
            where(IS_GENERATE, real("temperature", row -> row.request().generate().temperature())),
            where(IS_GENERATE, integer("top_tokens", row -> row.request().generate().topTokens())),
            where(IS_GENERATE, hash("seed", row -> row.request().generate().seed())),
            where(IS_GENERATE, new Column("stop_tokens", Column.Type.TOKENS, false, RequestColumns::fillStops)));

    private RequestColumns() {
    }

    private static void fillFeatures(final RecordRow row, final FieldVector vector, final int index) {
        if (!row.cells().areInputsTokens()) {
            final RequestFrame request = row.request();
            Fillers.fillCells(
                    vector, index, request.buffer(), request.featuresOffset(), request.featuresLength(), 0, 1);
        }
    }

    private static void fillTokens(final RecordRow row, final FieldVector vector, final int index) {
        if (row.cells().areInputsTokens()) {
            final RequestFrame request = row.request();
            Fillers.fillCells(
                    vector, index, request.buffer(), request.featuresOffset(), request.featuresLength(), 0, 1);
        }
    }

    private static void fillStops(final RecordRow row, final FieldVector vector, final int index) {
        final ListVector list = (ListVector) vector;
        final int first = list.startNewValue(index);
        final int count = row.request().generate().stopCount();
        for (int i = 0; i < count; i++) {
            ((IntVector) list.getDataVector()).setSafe(first + i, row.request().generate().stopToken(i));
        }
        list.endValue(index, count);
    }
}
