package io.tiercel.appliance.journal;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.protocol.journal.MessageHeaderEncoder;
import io.tiercel.protocol.journal.OutcomeEncoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.List;

/**
 * The frame of an outcome record, made of what stands in a slot when its request is through: by the outcome stage, and
 * by a recovery that computes an outcome which a crash has kept from the journal. One thread; allocates nothing but in
 * the constructor.
 */
public final class OutcomeFrame {

    private static final long MAX_STAMP_NS = OutcomeEncoder.egressNsMaxValue();

    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final OutcomeEncoder outcome = new OutcomeEncoder();
    private final List<LoadedModel> models;
    private final UnsafeBuffer frame;

    /**
     * @param models           may grow.
     * @param maxOutputsLength bytes of the largest answer, all steps of a streamed one included.
     */
    public OutcomeFrame(final List<LoadedModel> models, final int maxOutputsLength) {
        this.models = models;
        frame = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                MessageHeaderEncoder.ENCODED_LENGTH + OutcomeEncoder.BLOCK_LENGTH +
                        OutcomeEncoder.outputsHeaderLength() + maxOutputsLength,
                BitUtil.CACHE_LINE_LENGTH));
    }

    /**
     * Encodes the slot's outcome into {@link #buffer()}.
     *
     * @param beforeResponse whether the response has not left, so that its time is not known.
     * @return bytes of the frame.
     */
    public int encode(final RequestSlot slot, final boolean beforeResponse) {
        outcome.wrapAndApplyHeader(frame, 0, header)
                .correlationId(slot.correlationId)
                .sessionKey(slot.sessionKey)
                .stateHash(slot.stateHash)
                .journaledNs(sinceIngress(slot, slot.journaledTickNs))
                .inferStartNs(sinceIngress(slot, slot.inferStartTickNs))
                .inferEndNs(sinceIngress(slot, slot.inferEndTickNs))
                .egressNs(beforeResponse ? 0 : sinceIngress(slot, slot.egressTickNs))
                .modelId(slot.modelId)
                .batchSize(slot.batchSize)
                .stepCount(slot.stepCount)
                .outputCount(slot.outputCount)
                .status(OutcomeStatus.get(slot.status.value()))
                .arithmetic(models.get(slot.modelIndex).model().arithmetic());
        outcome.flags().clear().sessionBegan(slot.begins).sessionEvicted(slot.evicts)
                .computedByStandby(slot.isOnStandby).sessionMoved(slot.moves);
        outcome.putOutputs(slot.outputs, 0, slot.outputsLength);
        return MessageHeaderEncoder.ENCODED_LENGTH + outcome.encodedLength();
    }

    /** What {@link #encode} writes to, from offset 0. */
    public DirectBuffer buffer() {
        return frame;
    }

    /** For the record's header. */
    public DirectBuffer modelVersion(final RequestSlot slot) {
        return models.get(slot.modelIndex).version();
    }

    private static long sinceIngress(final RequestSlot slot, final long tickNs) {
        return Math.min(Math.max(tickNs - slot.ingressTickNs, 0), MAX_STAMP_NS);
    }
}
