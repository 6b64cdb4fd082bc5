package io.tiercel.tools.chaos;

import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.replay.DamageException;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.OutcomeFrame;
import io.tiercel.replay.RequestFrame;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.agrona.ExpandableDirectByteBuffer;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * Holds what the clients were told against the journal: each answer's request must be there, at the sequence that was
 * told, as it was sent, and its outcome must be the answer, bit for bit; no request may be there twice, or one that
 * nobody sent.
 */
final class JournalCheck {

    private final ChaosResult result;
    private final Long2ObjectHashMap<ChaosLog> logs = new Long2ObjectHashMap<>();
    private final ExpandableDirectByteBuffer features = new ExpandableDirectByteBuffer();

    JournalCheck(final List<ChaosLog> logs, final ChaosResult result) {
        this.result = result;
        logs.forEach(log -> this.logs.put(log.principalId(), log));
    }

    void check(final Path journalDirectory) {
        try (JoinedJournal journal = JoinedJournal.open(journalDirectory)) {
            while (journal.next()) {
                result.journaledCount++;
                check(journal);
            }
        } catch (final DamageException e) {
            result.violated("the journal is damaged: " + e.getMessage());
        }
        logs.values().forEach(this::count);
    }

    private void check(final JoinedJournal journal) {
        final ChaosLog log = logs.get(journal.principalId());
        final ChaosRequest request = log == null ? null : log.find(journal.requestFrame().correlationId());
        if (request == null) {
            result.violated("the journal has a request that nobody sent: sequence=" + journal.sequence() +
                    " correlationId=" + journal.requestFrame().correlationId());
            return;
        }
        if (++request.journaledCount > 1) {
            result.twiceCount++;
            result.violated("a request is in the journal twice: sequence=" + journal.sequence() + " " + request);
        }
        if (request.isAnswered() && request.sequence == journal.sequence()) {
            confirm(journal, request);
        }
    }

    private void confirm(final JoinedJournal journal, final ChaosRequest request) {
        if (!isSame(request, journal.requestFrame())) {
            result.violated("the journal has another request than was sent: sequence=" + journal.sequence() + " " +
                    request);
        } else if (!journal.hasOutcome()) {
            result.violated("an answered request has no outcome: " + request);
        } else if (!isSame(request, journal.outcomeFrame())) {
            result.violated("the journal has another outcome than was told: status=" +
                    journal.outcomeFrame().status() + " " + request);
        } else {
            request.isConfirmed = true;
        }
    }

    private boolean isSame(final ChaosRequest request, final RequestFrame frame) {
        final boolean isReset = request.kind == ChaosRequest.Kind.RESET;
        if (frame.kind() != (isReset ? RequestKind.RESET : RequestKind.INFER)
                || frame.sessionKey() != request.sessionKey
                || frame.budgetNs() != request.budgetNs || frame.stepCount() != request.stepCount
                || frame.isStream() != (request.kind == ChaosRequest.Kind.STREAM)) {
            return false;
        }
        if (isReset) {
            return true;
        }
        final int length = request.writeFeatures(features, frame.featureCount());
        if (length != frame.featuresLength()) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (features.getByte(i) != frame.buffer().getByte(frame.featuresOffset() + i)) {
                return false;
            }
        }
        return true;
    }

    /** The codes of a result's status and of an outcome's are the same. */
    private static boolean isSame(final ChaosRequest request, final OutcomeFrame frame) {
        if (frame.status().value() != request.status.value()
                || frame.outputsLength() != request.outputs.length * Float.BYTES) {
            return false;
        }
        for (int i = 0; i < request.outputs.length; i++) {
            final int bits = frame.buffer().getInt(frame.outputsOffset() + i * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
            if (bits != request.outputs[i]) {
                return false;
            }
        }
        return true;
    }

    private void count(final ChaosLog log) {
        for (final ChaosRequest request : log.requests()) {
            result.sentCount++;
            if (request.isAnswered()) {
                countAnswered(request);
            } else if (request.refusal != null) {
                countRefused(request);
            } else {
                result.unansweredCount++;
                result.violated("a request was never answered: " + request);
            }
        }
    }

    private void countAnswered(final ChaosRequest request) {
        result.answeredCount++;
        result.expiredCount += request.status == ResultStatus.EXPIRED ? 1 : 0;
        if (request.sequence < result.firstSequenceOf(request.answeredInLife)) {
            result.takenBeforeCount++;
        }
        if (request.isConfirmed) {
            result.confirmedCount++;
        } else {
            result.lostCount++;
            result.violated("an answered request is not in the journal as it was answered: " + request);
        }
    }

    /** What was refused had no effect; of one that was sent twice, the first may have been taken before a kill. */
    private void countRefused(final ChaosRequest request) {
        result.refusedCount++;
        if (request.sentCount == 1 && request.journaledCount > 0) {
            result.violated("a refused request is in the journal: " + request);
        }
    }
}
