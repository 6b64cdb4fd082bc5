package io.tiercel.protocol.client;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.logbuffer.BufferClaim;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.GoodbyeEncoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Encodes frames where they are sent from: in the log, or, if Aeron has to fragment a frame, in a buffer beside it.
 * A frame is {@link #open opened}, encoded by one {@code put} method, and {@link #send sent}; both ends return what
 * Aeron does, a position or one of {@link Publication}'s codes.
 *
 * <p>Owned by the client's thread; allocates nothing after construction.
 */
final class RequestWriter {

    private static final int ATTEMPTS = 3;
    private static final int STREAM_FLAG = 1;

    private MutableDirectBuffer frame;
    private int frameOffset;

    private final ExclusivePublication publication;
    private final BufferClaim claim = new BufferClaim();
    private final UnsafeBuffer longFrame;
    private final int maxClaimLength;
    private final short version;
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final InferEncoder infer = new InferEncoder();
    private final ResetSessionEncoder resetSession = new ResetSessionEncoder();
    private final HeartbeatEncoder heartbeat = new HeartbeatEncoder();
    private final GoodbyeEncoder goodbye = new GoodbyeEncoder();

    /** @param version that the connection speaks: this one, or an earlier one with the same requests. */
    RequestWriter(final ExclusivePublication publication, final int maxFrameLength, final int version) {
        this.publication = publication;
        this.version = (short) version;
        maxClaimLength = publication.maxPayloadLength();
        longFrame = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                maxFrameLength > maxClaimLength ? maxFrameLength : 0, BitUtil.CACHE_LINE_LENGTH));
    }

    /** Room for a frame. After a position above 0 a {@code put} and {@link #send} must follow. */
    long open(final int length) {
        if (length > maxClaimLength) {
            frame = longFrame;
            frameOffset = 0;
            return publication.isClosed() ? Publication.CLOSED : 1;
        }
        long position = publication.tryClaim(length, claim);
        for (int i = 1; i < ATTEMPTS && position == Publication.ADMIN_ACTION; i++) {
            position = publication.tryClaim(length, claim);
        }
        if (position > 0) {
            frame = claim.buffer();
            frameOffset = claim.offset();
        }
        return position;
    }

    long send(final int length) {
        frame.putShort(frameOffset + Frames.VERSION_OFFSET, version, LITTLE_ENDIAN);
        if (length <= maxClaimLength) {
            claim.commit();
            return 1;
        }
        long position = publication.offer(longFrame, 0, length);
        for (int i = 1; i < ATTEMPTS && position == Publication.ADMIN_ACTION; i++) {
            position = publication.offer(longFrame, 0, length);
        }
        return position;
    }

    void putInfer(
            final long correlationId,
            final long sessionKey,
            final long budgetNs,
            final int modelId,
            final int stepCount,
            final int featureCount,
            final boolean stream) {
        infer.wrapAndApplyHeader(frame, frameOffset, header)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .budgetNs(budgetNs)
                .modelId(modelId)
                .stepCount(stepCount)
                .featureCount(featureCount);
        final int flags = stream ? STREAM_FLAG : 0;
        frame.putShort(infer.offset() + InferEncoder.flagsEncodingOffset(), (short) flags, LITTLE_ENDIAN);
        frame.putInt(infer.limit(), stepCount * featureCount * Float.BYTES, LITTLE_ENDIAN);
    }

    void putFeatures(final float[] features) {
        int index = frameOffset + Frames.FEATURES_OFFSET;
        for (final float feature : features) {
            frame.putFloat(index, feature, LITTLE_ENDIAN);
            index += Float.BYTES;
        }
    }

    void putFeatures(final DirectBuffer features, final int offset, final int length) {
        frame.putBytes(frameOffset + Frames.FEATURES_OFFSET, features, offset, length);
    }

    void putTokens(final int[] tokens, final int offset, final int count) {
        int index = frameOffset + Frames.FEATURES_OFFSET;
        for (int i = offset; i < offset + count; i++) {
            frame.putInt(index, tokens[i], LITTLE_ENDIAN);
            index += Integer.BYTES;
        }
    }

    void putResetSession(final long correlationId, final long sessionKey, final int modelId) {
        resetSession.wrapAndApplyHeader(frame, frameOffset, header)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .modelId(modelId);
    }

    void putHeartbeat(final long timestampNs) {
        heartbeat.wrapAndApplyHeader(frame, frameOffset, header).timestampNs(timestampNs);
    }

    void putGoodbye(final GoodbyeReason reason) {
        goodbye.wrapAndApplyHeader(frame, frameOffset, header).reason(reason);
    }
}
