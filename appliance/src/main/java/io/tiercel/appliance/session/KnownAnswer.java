package io.tiercel.appliance.session;

import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The answer of a known request as one piece: what goes into an {@link AnswerStore}, and what comes out of it for a
 * snapshot. A carrier that its owner fills again and again.
 */
public final class KnownAnswer {

    public long principalId;
    public long correlationId;
    public long sequence;
    public long sessionKey;
    public int modelId;
    /** {@link FrameChecksum} of the request's frame. */
    public int frameChecksum;
    public ResultStatus status;
    /** Whether the session was not in memory and began with the request. */
    public boolean hasSessionBegun;
    public int batchSize;
    /** As the result said, unsigned 32 bits. */
    public long applianceNs;
    /** Slots of the window that the request took: its steps if it asked for a stream, else 1. */
    public int slotCount;
    /** Floats of one step; 0 unless the status is OK. */
    public int outputCount;
    /** The outputs of all {@link #frameCount()} frames, one after the other, from its beginning. */
    public final UnsafeBuffer outputs = new UnsafeBuffer(0, 0);

    /** Frames of the answer: the chunks and the result. Without outputs there are no chunks. */
    public int frameCount() {
        return frameCount(status, slotCount);
    }

    /** Bytes of {@link #outputs} that are the answer's. */
    public int outputsLength() {
        return frameCount() * outputCount * Float.BYTES;
    }

    static int frameCount(final ResultStatus status, final int slotCount) {
        return status == ResultStatus.OK ? slotCount : 1;
    }
}
