package io.tiercel.appliance.egress;

import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.session.AnswerPosition;
import io.tiercel.appliance.session.AnswerSlot;
import io.tiercel.appliance.session.AnswerStore;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.appliance.session.FrameChecksum;
import io.tiercel.appliance.session.KnownAnswer;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.protocol.wire.RejectCode;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * Keeps the answers that have left, and gives them to those who ask again. Egress thread only; allocates when a
 * principal's first answer is kept, and at no other time.
 */
public final class KeptAnswers {

    private final AnswerStore store;
    private final ResponseWriter writer;
    private final MadeTokens madeTokens;
    private final FrameChecksum checksum;
    private final KnownAnswer answer = new KnownAnswer();
    private final AtomicCounter answeredCount;
    private final AtomicCounter refusedCount;

    public KeptAnswers(
            final AnswerStore store,
            final ResponseWriter writer,
            final MadeTokens madeTokens,
            final int maxFrameLength,
            final Counters counters) {
        this.store = store;
        this.writer = writer;
        this.madeTokens = madeTokens;
        checksum = new FrameChecksum(maxFrameLength);
        answeredCount = counters.get(CounterId.RETRIES_ANSWERED);
        refusedCount = counters.get(CounterId.RETRIES_REFUSED);
    }

    /** Keeps the answer of a request, whether it could be delivered or not. */
    void keep(final RequestSlot slot, final long sequence) {
        if (slot.answerPosition == AnswerPosition.NONE) {
            return;
        }
        answer.principalId = slot.principalId;
        answer.correlationId = slot.correlationId;
        answer.sequence = sequence;
        answer.sessionKey = slot.sessionKey;
        answer.modelId = slot.modelId;
        answer.frameChecksum = checksum.of(slot.frame, 0, slot.frameLength);
        answer.status = slot.status;
        answer.hasSessionBegun = slot.begins;
        answer.batchSize = slot.batchSize;
        answer.applianceNs = slot.applianceNs;
        answer.slotCount = slot.answerSlotCount();
        answer.outputCount = slot.outputCount;
        answer.outputs.wrap(slot.outputs, 0, slot.outputsLength);
        store.put(slot.answerPosition, answer);
    }

    /** A request that was refused has no answer; whoever repeats it hears that too. */
    void keepNone(final RequestSlot slot, final long sequence) {
        if (slot.answerPosition != AnswerPosition.NONE) {
            store.erase(slot.answerPosition, slot.principalId, sequence, slot.answerSlotCount());
        }
    }

    /**
     * Answers a repeat of a request that has passed egress: as the first one was, if it was and the frames are the
     * same.
     */
    int answer(final ClientConnection client, final Repeat repeat) {
        final AnswerSlot kept = store.find(repeat.position, repeat.sequence);
        if (kept == null) {
            return refuse(client, repeat, RejectCode.JOURNAL_UNAVAILABLE);
        }
        if (kept.frameChecksum() != repeat.frameChecksum) {
            return refuse(client, repeat, RejectCode.CORRELATION_ID_REUSED);
        }
        final int result = repeat.generationIndex == RequestSlot.NO_GENERATION
                ? repeatFrames(client, repeat, kept.frameCount())
                : madeTokens.sendAgain(client, repeat.generationIndex, kept);
        if (result == ResponseWriter.SENT) {
            answeredCount.incrementRelease();
        }
        return result;
    }

    private int repeatFrames(final ClientConnection client, final Repeat repeat, final int frameCount) {
        int result = ResponseWriter.SENT;
        for (int step = 0; step < frameCount && result == ResponseWriter.SENT; step++) {
            result = writer.repeat(client, store.frame(repeat.position, step));
        }
        return result;
    }

    /** Says that too many repeats wait for their first request already. */
    int refuseToWait(final ClientConnection client, final Repeat repeat, final int capacity) {
        return refuse(client, repeat, RejectCode.OVERLOADED, capacity + 1L, capacity);
    }

    private int refuse(final ClientConnection client, final Repeat repeat, final RejectCode code) {
        return refuse(client, repeat, code, repeat.sequence, 0);
    }

    private int refuse(
            final ClientConnection client, final Repeat repeat, final RejectCode code, final long offendingValue,
            final long allowedValue) {
        refusedCount.incrementRelease();
        final long correlationId = repeat.generationIndex == RequestSlot.NO_GENERATION
                ? repeat.correlationId
                : madeTokens.firstCorrelationId(repeat.generationIndex);
        madeTokens.end(repeat.generationIndex);
        return writer.reject(client, correlationId, offendingValue, allowedValue, (short) code.value(),
                repeat.templateId);
    }
}
