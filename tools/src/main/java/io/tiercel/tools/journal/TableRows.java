package io.tiercel.tools.journal;

import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.ModelCells;
import io.tiercel.replay.OutcomeFrame;
import io.tiercel.replay.RequestFrame;
import io.tiercel.replay.RowText;
import java.util.Locale;
import java.util.function.IntPredicate;
import org.agrona.DirectBuffer;

/**
 * Rows for people: fixed columns, the first few cells of a vector, stage times in microseconds from the request's
 * arrival. Columns do not wait for the longest value, so the first row is there at once; a value that is too long
 * pushes its own row.
 */
final class TableRows implements RowFormat {

    private static final int SHOWN_CELLS = 3;
    private static final String MISSING = "-";

    private final boolean hasRequests;
    private final boolean hasOutcomes;
    private final ModelCells models;

    TableRows(final JoinedJournal.Queues queues, final ModelCells models) {
        this.models = models;
        hasRequests = queues != JoinedJournal.Queues.OUTCOMES;
        hasOutcomes = queues != JoinedJournal.Queues.REQUESTS;
    }

    @Override
    public void appendHeader(final StringBuilder text) {
        final int start = text.length();
        appendCommon(text, "SEQUENCE", "TIME (UTC)", "PRINCIPAL", "SESSION", "MODEL");
        if (hasRequests) {
            appendRequest(text, "REQUEST", "STEPS", "FEATURES");
        }
        if (hasOutcomes) {
            appendOutcome(text, "STATUS", "OUTPUTS", "BATCH", "JOURNAL", "START", "END", "SENT", "STATE HASH");
        }
        endLine(text, start);
    }

    @Override
    public void appendRow(final StringBuilder text, final JoinedJournal journal) {
        final int start = text.length();
        final ModelCells.Cells cells = models.of(journal.modelVersion());
        appendCommon(
                text,
                Long.toString(journal.sequence()),
                RowText.time(journal.ingressNs()),
                RowText.hex(journal.principalId()),
                Long.toString(journal.hasRequest()
                        ? journal.requestFrame().sessionKey()
                        : journal.outcomeFrame().sessionKey()),
                RowText.hex(journal.modelVersion(), 4));
        if (hasRequests) {
            appendRequest(text, journal.requestFrame(), cells);
        }
        if (journal.hasOutcome()) {
            appendOutcome(text, journal.outcomeFrame(), cells);
        } else if (hasOutcomes) {
            appendOutcome(text, "OPEN", MISSING, MISSING, MISSING, MISSING, MISSING, MISSING, MISSING);
        }
        endLine(text, start);
    }

    private static void appendCommon(
            final StringBuilder text,
            final String sequence,
            final String time,
            final String principal,
            final String session,
            final String model) {
        right(text, sequence, 9);
        left(text, time, 30);
        left(text, principal, 16);
        right(text, session, 10);
        left(text, model, 8);
    }

    private static void appendRequest(
            final StringBuilder text, final RequestFrame request, final ModelCells.Cells cells) {
        appendRequest(
                text,
                shortName(request.kind()),
                request.kind().hasSteps() ? Integer.toString(request.stepCount()) : MISSING,
                cells(request.buffer(), request.featuresOffset(), request.featuresLength(),
                        index -> cells.areInputsTokens()));
    }

    private static String shortName(final RequestKind kind) {
        return switch (kind) {
            case INFER -> "Infer";
            case RESET -> "Reset";
            case FORK -> "Fork";
            case ADMINISTER -> "Admin";
            default -> "Gen";
        };
    }

    private static void appendRequest(
            final StringBuilder text, final String template, final String steps, final String features) {
        left(text, template, 7);
        right(text, steps, 5);
        left(text, features, 40);
    }

    private static void appendOutcome(
            final StringBuilder text, final OutcomeFrame outcome, final ModelCells.Cells cells) {
        appendOutcome(
                text,
                outcome.status().name(),
                cells(outcome.buffer(), outcome.outputsOffset(), outcome.outputsLength(), cells::isOutputToken),
                Integer.toString(outcome.batchSize()),
                us(outcome.journaledNs()),
                us(outcome.inferStartNs()),
                us(outcome.inferEndNs()),
                us(outcome.egressNs()),
                RowText.hex(outcome.stateHash()));
    }

    private static void appendOutcome(
            final StringBuilder text,
            final String status,
            final String outputs,
            final String batch,
            final String journal,
            final String start,
            final String end,
            final String sent,
            final String hash) {
        left(text, status, 7);
        left(text, outputs, 34);
        right(text, batch, 5);
        right(text, journal, 9);
        right(text, start, 9);
        right(text, end, 9);
        right(text, sent, 9);
        left(text, hash, 16);
    }

    private static String us(final long ns) {
        return String.format(Locale.ROOT, "%.2f", ns / 1e3);
    }

    private static String cells(
            final DirectBuffer buffer, final int offset, final int length, final IntPredicate isToken) {
        final int count = length / Float.BYTES;
        if (count == 0) {
            return MISSING;
        }
        final StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(count, SHOWN_CELLS); i++) {
            text.append(i == 0 ? "" : " ")
                    .append(isToken.test(i)
                            ? Long.toString(RowText.tokenAt(buffer, offset, i))
                            : String.format(Locale.ROOT, "%.5g", RowText.floatAt(buffer, offset, i)));
        }
        return count > SHOWN_CELLS ? text.append(" +").append(count - SHOWN_CELLS).toString() : text.toString();
    }

    private static void left(final StringBuilder text, final String value, final int width) {
        text.append(value).append(" ".repeat(Math.max(0, width - value.length()) + 2));
    }

    private static void right(final StringBuilder text, final String value, final int width) {
        text.append(" ".repeat(Math.max(0, width - value.length()))).append(value).append("  ");
    }

    private static void endLine(final StringBuilder text, final int start) {
        int end = text.length();
        while (end > start && text.charAt(end - 1) == ' ') {
            end--;
        }
        text.setLength(end);
        text.append('\n');
    }
}
