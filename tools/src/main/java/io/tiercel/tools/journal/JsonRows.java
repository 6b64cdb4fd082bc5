package io.tiercel.tools.journal;

import io.tiercel.appliance.generation.GenerateFrame;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.ModelCells;
import io.tiercel.replay.OutcomeFrame;
import io.tiercel.replay.RequestFrame;
import io.tiercel.replay.RowText;
import java.util.function.IntPredicate;
import org.agrona.DirectBuffer;

/**
 * One JSON object a line (NDJSON), every field in full; {@code request} or {@code outcome} is absent where the record
 * is. Hashes and ids of 64 bits that are no quantity are hexadecimal strings. Written by hand: no value needs
 * escaping, and a journal has many lines.
 */
final class JsonRows implements RowFormat {

    private final ModelCells models;

    JsonRows(final ModelCells models) {
        this.models = models;
    }

    @Override
    public void appendHeader(final StringBuilder text) {
        // NDJSON has none.
    }

    @Override
    public void appendRow(final StringBuilder text, final JoinedJournal journal) {
        final ModelCells.Cells cells = models.of(journal.modelVersion());
        text.append("{\"sequence\":").append(journal.sequence())
                .append(",\"time\":\"").append(RowText.time(journal.ingressNs()))
                .append("\",\"ingressNs\":").append(journal.ingressNs())
                .append(",\"principalId\":\"").append(RowText.hex(journal.principalId()))
                .append("\",\"modelVersion\":\"").append(RowText.hex(journal.modelVersion(), 32)).append('"');
        if (journal.hasRequest()) {
            appendRequest(text, journal.requestFrame(), cells);
        }
        if (journal.hasOutcome()) {
            appendOutcome(text, journal.outcomeFrame(), cells);
        }
        text.append("}\n");
    }

    private static void appendRequest(
            final StringBuilder text, final RequestFrame request, final ModelCells.Cells cells) {
        text.append(",\"request\":{\"template\":\"").append(request.templateName())
                .append("\",\"correlationId\":").append(request.correlationId())
                .append(",\"sessionKey\":").append(request.sessionKey())
                .append(",\"modelId\":").append(request.modelId());
        if (request.kind() == RequestKind.FORK) {
            text.append(",\"sourceKey\":").append(request.sourceKey());
        }
        if (request.kind() == RequestKind.GENERATE) {
            final GenerateFrame generate = request.generate();
            text.append(",\"madeTokens\":").append(generate.madeTokens())
                    .append(",\"maxTokens\":").append(generate.maxTokens())
                    .append(",\"temperature\":").append(generate.temperature())
                    .append(",\"topTokens\":").append(generate.topTokens())
                    .append(",\"seed\":").append(Long.toUnsignedString(generate.seed()))
                    .append(",\"stopTokens\":[");
            for (int index = 0; index < generate.stopCount(); index++) {
                text.append(index == 0 ? "" : ",").append(Integer.toUnsignedString(generate.stopToken(index)));
            }
            text.append(']');
        }
        if (request.kind().hasSteps()) {
            text.append(",\"budgetNs\":").append(Long.toUnsignedString(request.budgetNs()))
                    .append(",\"stepCount\":").append(request.stepCount())
                    .append(",\"featureCount\":").append(request.featureCount())
                    .append(",\"stream\":").append(request.isStream())
                    .append(",\"features\":");
            appendCells(text, request.buffer(), request.featuresOffset(), request.featuresLength(),
                    index -> cells.areInputsTokens());
        }
        text.append('}');
    }

    private static void appendOutcome(
            final StringBuilder text, final OutcomeFrame outcome, final ModelCells.Cells cells) {
        text.append(",\"outcome\":{\"status\":\"").append(outcome.status())
                .append("\",\"arithmetic\":\"").append(outcome.arithmetic())
                .append("\",\"correlationId\":").append(outcome.correlationId())
                .append(",\"sessionKey\":").append(outcome.sessionKey())
                .append(",\"modelId\":").append(outcome.modelId())
                .append(",\"stepCount\":").append(outcome.stepCount())
                .append(",\"sessionBegan\":").append(outcome.hasSessionBegun())
                .append(",\"sessionEvicted\":").append(outcome.hasSessionEvicted())
                .append(",\"outputCount\":").append(outcome.outputCount())
                .append(",\"outputs\":");
        appendCells(text, outcome.buffer(), outcome.outputsOffset(), outcome.outputsLength(), cells::isOutputToken);
        text.append(",\"batchSize\":").append(outcome.batchSize())
                .append(",\"journaledNs\":").append(outcome.journaledNs())
                .append(",\"inferStartNs\":").append(outcome.inferStartNs())
                .append(",\"inferEndNs\":").append(outcome.inferEndNs())
                .append(",\"egressNs\":").append(outcome.egressNs())
                .append(",\"stateHash\":\"").append(RowText.hex(outcome.stateHash()))
                .append("\"}");
    }

    private static void appendCells(
            final StringBuilder text, final DirectBuffer buffer, final int offset, final int length,
            final IntPredicate isToken) {
        text.append('[');
        for (int i = 0; i < length / Float.BYTES; i++) {
            text.append(i == 0 ? "" : ",");
            if (isToken.test(i)) {
                text.append(RowText.tokenAt(buffer, offset, i));
            } else {
                appendFloat(text, RowText.floatAt(buffer, offset, i));
            }
        }
        text.append(']');
    }

    /** A value that JSON has no number for (a damaged or foreign journal) becomes a string. */
    private static void appendFloat(final StringBuilder text, final float value) {
        final String quote = Float.isFinite(value) ? "" : "\"";
        text.append(quote).append(value).append(quote);
    }
}
