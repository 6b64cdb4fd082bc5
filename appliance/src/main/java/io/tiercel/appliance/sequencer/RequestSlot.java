package io.tiercel.appliance.sequencer;

import io.tiercel.appliance.engine.PreparedExecutor;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * One place in the ring: a request on its way from arrival to outcome. Allocated once, when the ring is made.
 *
 * <p>Each group of fields is written by one stage and read by the stages behind it. The ring's sequences order these
 * plain accesses: a stage publishes with a release store of its {@link com.lmax.disruptor.Sequence}, the next one
 * reads it with an acquire load before it touches the slot.
 */
public final class RequestSlot {

    public static final int NO_GENERATION = -1;
    /** Of a command: no worker's, and no session's. */
    public static final int NO_WORKER = -1;

    /** The frame as it came, {@code frameLength} bytes; capacity is the frame limit. */
    public final UnsafeBuffer frame = new UnsafeBuffer(0, 0);
    /** {@code outputsLength} bytes of binary32 after infer; capacity is the largest answer. */
    public final UnsafeBuffer outputs = new UnsafeBuffer(0, 0);

    // Written by ingress.
    public int frameLength;
    public int featuresOffset;
    public RequestKind kind;
    public boolean stream;
    public int stepCount;
    /** What the client asks for, as it calls it. */
    public int modelId;
    /** Which version of it answers: index in the list of versions. */
    public int modelIndex;
    public int sessionIndex;
    public int workerIndex;
    /** Whether the session is a new one: its place has no state, or that of a session which had it before. */
    public boolean begins;
    /** Whether the session was with another version of its model, so that it begins anew with this one. */
    public boolean moves;
    /** Whether the session had to be given the place of the one that was unused for longest. */
    public boolean evicts;
    /** Whether {@link #begins} follows from more than the journal: a recovery might see it otherwise. */
    public boolean isBeginningDecided;
    /** Infer worker of the session that had the place before; {@code workerIndex} if there was none. */
    public int formerWorkerIndex;
    /** Of a fork: the session that is copied, and whose worker's it is. */
    public int sourceIndex;
    public int sourceWorkerIndex;
    /** Which of the generations under way the request is a part of; {@link #NO_GENERATION} if of none. */
    public int generationIndex;
    public int clientIndex;
    public int clientGeneration;
    public long principalId;
    public long correlationId;
    public long sessionKey;
    public long budgetNs;
    /** Arrival on the pipeline's nanosecond clock; the epoch time of the journal is this plus a constant. */
    public long ingressTickNs;
    /** Where egress keeps the answer for a repeat of the request; -1 if it does not. */
    public long answerPosition;

    /** Of a command that loads a version: an executor of it for each infer worker; else null. */
    public PreparedExecutor[] prepared;

    // Written by journal.
    public long journaledTickNs;

    // Written by infer; of a command by ingress.
    public ResultStatus status;
    /** Whether the device of the model's backend was lost, so that its standby computed it, or the state after it. */
    public boolean isOnStandby;
    /** Whether the step had been computed before the request came. */
    public boolean isRecalled;
    public int batchSize;
    public int outputsLength;
    /** Floats in one step's outputs; 0 if there are none. */
    public int outputCount;
    public long inferStartTickNs;
    public long inferEndTickNs;
    public long stateHash;

    // Written by egress.
    public long egressTickNs;
    /** From arrival to the answer, as the answer says. */
    public long applianceNs;

    /** Slots that the answer takes when it is kept: one for each frame that the client is to hear. */
    public int answerSlotCount() {
        return stream ? stepCount : 1;
    }

    /**
     * Whether the clock, or how many sessions there may be, had a say in this outcome, so that it cannot be computed
     * again: its record goes before its response.
     */
    public boolean outcomeGoesFirst() {
        return isBeginningDecided || status == ResultStatus.EXPIRED;
    }
}
