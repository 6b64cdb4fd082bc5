package io.tiercel.protocol.client;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.logbuffer.BufferClaim;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.AdministerEncoder;
import io.tiercel.protocol.wire.CancelGenerationEncoder;
import io.tiercel.protocol.wire.ForkSessionEncoder;
import io.tiercel.protocol.wire.GenerateEncoder;
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
    /** In the block: a frame that is sent again has to be the same, and the buffer of long ones has held others. */
    private static final int INFER_PADDING_OFFSET = InferEncoder.flagsEncodingOffset() + Short.BYTES;
    private static final int GENERATE_PADDING_OFFSET = GenerateEncoder.stopCountEncodingOffset() + Short.BYTES;

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
    private final ForkSessionEncoder forkSession = new ForkSessionEncoder();
    private final GenerateEncoder generate = new GenerateEncoder();
    private final CancelGenerationEncoder cancelGeneration = new CancelGenerationEncoder();
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
        frame.putInt(infer.offset() + INFER_PADDING_OFFSET, 0, LITTLE_ENDIAN);
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
        putTokens(Frames.FEATURES_OFFSET, tokens, offset, count);
    }

    private void putTokens(final int start, final int[] tokens, final int offset, final int count) {
        int index = frameOffset + start;
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

    void putForkSession(
            final long correlationId, final long sessionKey, final long sourceKey, final int modelId) {
        forkSession.wrapAndApplyHeader(frame, frameOffset, header)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .sourceKey(sourceKey)
                .modelId(modelId);
    }

    void putGenerate(
            final long correlationId,
            final long sessionKey,
            final long budgetNs,
            final int modelId,
            final int[] tokens,
            final Generation generation) {
        final int[] stopTokens = generation.stopTokens();
        generate.wrapAndApplyHeader(frame, frameOffset, header)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .budgetNs(budgetNs)
                .seed(generation.seed())
                .temperature(generation.temperature())
                .modelId(modelId)
                .tokenCount(tokens.length)
                .maxTokens(generation.maxTokens())
                .madeTokens(0)
                .topTokens(generation.topTokens())
                .stopCount(stopTokens.length);
        frame.putInt(generate.offset() + GENERATE_PADDING_OFFSET, 0, LITTLE_ENDIAN);
        frame.putInt(generate.limit(), tokens.length * Integer.BYTES, LITTLE_ENDIAN);
        putTokens(Frames.TOKENS_OFFSET, tokens, 0, tokens.length);
        final int stopsOffset = Frames.TOKENS_OFFSET + tokens.length * Integer.BYTES + Frames.DATA_LENGTH_BYTES;
        frame.putInt(frameOffset + stopsOffset - Frames.DATA_LENGTH_BYTES, stopTokens.length * Integer.BYTES,
                LITTLE_ENDIAN);
        putTokens(stopsOffset, stopTokens, 0, stopTokens.length);
    }

    void putCancelGeneration(final long correlationId) {
        cancelGeneration.wrapAndApplyHeader(frame, frameOffset, header).correlationId(correlationId);
    }

    void putAdminister(final long correlationId, final AdminRequest request) {
        final AdministerEncoder administer = new AdministerEncoder();
        frame.setMemory(frameOffset + Frames.HEADER_LENGTH, AdministerEncoder.BLOCK_LENGTH, (byte) 0);
        administer.wrapAndApplyHeader(frame, frameOffset, header)
                .correlationId(correlationId)
                .modelId(request.modelId())
                .command(request.command())
                .putModelVersion(AdminRequest.bytesOf(request.version()), 0, AdministerEncoder.modelVersionLength());
        final AdministerEncoder.RoutesEncoder routes = administer.routesCount(request.routes().size());
        for (final AdminRequest.Route route : request.routes()) {
            routes.next().weight(route.weight()).putModelVersion(
                    AdminRequest.bytesOf(route.version()), 0, AdministerEncoder.modelVersionLength());
        }
        administer.bundle(request.bundle());
    }

    void putHeartbeat(final long timestampNs) {
        heartbeat.wrapAndApplyHeader(frame, frameOffset, header).timestampNs(timestampNs);
    }

    void putGoodbye(final GoodbyeReason reason) {
        goodbye.wrapAndApplyHeader(frame, frameOffset, header).reason(reason);
    }
}
