package io.tiercel.tools.journal;

import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.ModelCells;
import io.tiercel.replay.OutcomeFrame;
import io.tiercel.replay.RequestFrame;
import io.tiercel.replay.RowText;
import java.util.function.IntPredicate;
import org.agrona.DirectBuffer;

/**
 * Comma-separated values with a header line, every field in full. No field needs quoting: floats of a vector stand in
 * one field, with spaces between them, in the shortest form that reads back as the same float; tokens are integers. A
 * field of a record that is not there is empty.
 */
final class CsvRows implements RowFormat {

    private static final String COMMON = "sequence,time,ingressNs,principalId,modelVersion";
    private static final String REQUEST =
            ",template,correlationId,sessionKey,modelId,budgetNs,stepCount,featureCount,stream,features";
    private static final String OUTCOME = ",status,arithmetic,outcomeCorrelationId,outcomeSessionKey,outcomeModelId," +
            "outcomeStepCount,outputCount,outputs,batchSize,journaledNs,inferStartNs,inferEndNs,egressNs,stateHash";

    private final boolean hasRequests;
    private final boolean hasOutcomes;
    private final ModelCells models;

    CsvRows(final JoinedJournal.Queues queues, final ModelCells models) {
        this.models = models;
        hasRequests = queues != JoinedJournal.Queues.OUTCOMES;
        hasOutcomes = queues != JoinedJournal.Queues.REQUESTS;
    }

    @Override
    public void appendHeader(final StringBuilder text) {
        text.append(COMMON).append(hasRequests ? REQUEST : "").append(hasOutcomes ? OUTCOME : "").append('\n');
    }

    @Override
    public void appendRow(final StringBuilder text, final JoinedJournal journal) {
        final ModelCells.Cells cells = models.of(journal.modelVersion());
        text.append(journal.sequence())
                .append(',').append(RowText.time(journal.ingressNs()))
                .append(',').append(journal.ingressNs())
                .append(',').append(RowText.hex(journal.principalId()))
                .append(',').append(RowText.hex(journal.modelVersion(), 32));
        if (journal.hasRequest()) {
            appendRequest(text, journal.requestFrame(), cells);
        } else if (hasRequests) {
            appendEmpty(text, REQUEST);
        }
        if (journal.hasOutcome()) {
            appendOutcome(text, journal.outcomeFrame(), cells);
        } else if (hasOutcomes) {
            appendEmpty(text, OUTCOME);
        }
        text.append('\n');
    }

    private static void appendRequest(
            final StringBuilder text, final RequestFrame request, final ModelCells.Cells cells) {
        text.append(',').append(request.templateName())
                .append(',').append(request.correlationId())
                .append(',').append(request.sessionKey())
                .append(',').append(request.modelId())
                .append(',').append(Long.toUnsignedString(request.budgetNs()))
                .append(',').append(request.stepCount())
                .append(',').append(request.featureCount())
                .append(',').append(request.isStream())
                .append(',');
        appendCells(text, request.buffer(), request.featuresOffset(), request.featuresLength(),
                index -> cells.areInputsTokens());
    }

    private static void appendOutcome(
            final StringBuilder text, final OutcomeFrame outcome, final ModelCells.Cells cells) {
        text.append(',').append(outcome.status())
                .append(',').append(outcome.arithmetic())
                .append(',').append(outcome.correlationId())
                .append(',').append(outcome.sessionKey())
                .append(',').append(outcome.modelId())
                .append(',').append(outcome.stepCount())
                .append(',').append(outcome.outputCount())
                .append(',');
        appendCells(text, outcome.buffer(), outcome.outputsOffset(), outcome.outputsLength(), cells::isOutputToken);
        text.append(',').append(outcome.batchSize())
                .append(',').append(outcome.journaledNs())
                .append(',').append(outcome.inferStartNs())
                .append(',').append(outcome.inferEndNs())
                .append(',').append(outcome.egressNs())
                .append(',').append(RowText.hex(outcome.stateHash()));
    }

    private static void appendEmpty(final StringBuilder text, final String columns) {
        for (int i = 0; i < columns.length(); i++) {
            if (columns.charAt(i) == ',') {
                text.append(',');
            }
        }
    }

    private static void appendCells(
            final StringBuilder text, final DirectBuffer buffer, final int offset, final int length,
            final IntPredicate isToken) {
        for (int i = 0; i < length / Float.BYTES; i++) {
            text.append(i == 0 ? "" : " ");
            if (isToken.test(i)) {
                text.append(RowText.tokenAt(buffer, offset, i));
            } else {
                text.append(RowText.floatAt(buffer, offset, i));
            }
        }
    }
}
