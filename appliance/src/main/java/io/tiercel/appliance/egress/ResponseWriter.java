package io.tiercel.appliance.egress;

import io.aeron.ExclusivePublication;
import io.aeron.logbuffer.BufferClaim;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.session.AnswerSlot;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.RejectDetail;
import io.tiercel.protocol.wire.ChunkEncoder;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.GoodbyeEncoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectEncoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultEncoder;
import io.tiercel.protocol.wire.WelcomeEncoder;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.List;

/**
 * Encodes what the appliance says straight into a client's publication. Egress thread only; allocates nothing but in
 * a welcome.
 *
 * <p>How far a client has read is told by the media driver. Where the driver has its turns on this thread, the last one
 * may be many refusals ago; so a buffer counts as full only after the driver has had another.
 */
public final class ResponseWriter {

    /** In the publication. */
    public static final int SENT = 0;
    /** The client's buffer is full. */
    public static final int FULL = 1;
    /** The client is not there any more. */
    public static final int GONE = 2;

    /** A term's rotation is over within a few tries. */
    private static final int ADMIN_ACTION_TRIES = 64;

    private final BufferClaim claim = new BufferClaim();
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final ResultEncoder result = new ResultEncoder();
    private final ChunkEncoder chunk = new ChunkEncoder();
    private final RejectEncoder reject = new RejectEncoder();
    private final HeartbeatEncoder heartbeat = new HeartbeatEncoder();
    private final GoodbyeEncoder goodbye = new GoodbyeEncoder();
    private final WelcomeEncoder welcome = new WelcomeEncoder();
    private final UnsafeBuffer detail = new UnsafeBuffer(
            BufferUtil.allocateDirectAligned(RejectDetail.MAX_LENGTH, BitUtil.CACHE_LINE_LENGTH));
    private final List<LoadedModel> models;
    private final int[] outputCounts;
    private final WelcomeLimits limits;
    private final AgentInvoker driver;

    /** The limits that a welcome states. */
    public record WelcomeLimits(
            int maxFrameLength,
            int maxInFlight,
            int maxSessions,
            int maxSteps,
            long heartbeatTimeoutMs,
            Durability durability,
            Overload overload,
            int retryWindow,
            int maxRatePerSecond) {
    }

    /** @param driver the media driver's turn, where it runs on egress's thread; else null. */
    public ResponseWriter(final List<LoadedModel> models, final WelcomeLimits limits, final AgentInvoker driver) {
        this.models = List.copyOf(models);
        this.limits = limits;
        this.driver = driver;
        outputCounts = LoadedModel.outputCounts(models);
    }

    /** Length of the longest frame that is ever said about these models: a result, a chunk, a reject or the welcome. */
    public static int longestLength(final List<LoadedModel> models) {
        final int maxOutputs = models.stream().mapToInt(model -> model.model().shape().outputCount()).max().orElse(0);
        final int answerLength = Math.max(Frames.resultLength(maxOutputs), Frames.chunkLength(maxOutputs));
        final int rejectLength = MessageHeaderEncoder.ENCODED_LENGTH + RejectEncoder.BLOCK_LENGTH +
                RejectEncoder.detailHeaderLength() + RejectDetail.MAX_LENGTH;
        return Math.max(Math.max(answerLength, rejectLength), welcomeLength(models.size()));
    }

    private static int welcomeLength(final int modelCount) {
        return MessageHeaderEncoder.ENCODED_LENGTH + WelcomeEncoder.BLOCK_LENGTH +
                WelcomeEncoder.ModelsEncoder.sbeHeaderSize() +
                modelCount * WelcomeEncoder.ModelsEncoder.sbeBlockLength();
    }

    /** A request's chunks, if it asked for them, and its result. */
    int result(final ExclusivePublication publication, final RequestSlot slot, final long sequence) {
        final int outputCount = slot.outputsLength == 0 ? 0 : outputCounts[slot.modelIndex];
        final int outputsLength = outputCount * Float.BYTES;
        final int lastOffset = slot.outputsLength - outputsLength;
        for (int offset = 0, step = 0; offset < lastOffset; offset += outputsLength, step++) {
            final int status = chunk(publication, slot.correlationId, slot.sessionKey, sequence, step,
                    slot.modelIndex, outputCount, slot.outputs, offset);
            if (status != SENT) {
                return status;
            }
        }
        final int status = claim(publication, Frames.resultLength(outputCount));
        if (status == SENT) {
            result.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .correlationId(slot.correlationId)
                    .sessionKey(slot.sessionKey)
                    .sequence(sequence)
                    .applianceNs(slot.applianceNs)
                    .modelId(slot.modelIndex)
                    .batchSize(slot.batchSize)
                    .outputCount(outputCount)
                    .status(slot.status);
            result.putOutputs(slot.outputs, lastOffset, outputsLength);
            claim.commit();
        }
        return status;
    }

    /** One frame of an answer that was given before, with the same bytes. */
    int repeat(final ExclusivePublication publication, final AnswerSlot kept) {
        if (!kept.isResult()) {
            return chunk(publication, kept.correlationId(), kept.sessionKey(), kept.sequence(), kept.stepIndex(),
                    kept.modelId(), kept.outputCount(), kept.outputs(), 0);
        }
        final int status = claim(publication, Frames.resultLength(kept.outputCount()));
        if (status == SENT) {
            result.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .correlationId(kept.correlationId())
                    .sessionKey(kept.sessionKey())
                    .sequence(kept.sequence())
                    .applianceNs(kept.applianceNs())
                    .modelId(kept.modelId())
                    .batchSize(kept.batchSize())
                    .outputCount(kept.outputCount())
                    .status(kept.status());
            result.putOutputs(kept.outputs(), 0, kept.outputCount() * Float.BYTES);
            claim.commit();
        }
        return status;
    }

    int welcome(final ExclusivePublication publication, final long nonce, final int clientId) {
        final int status = claim(publication, welcomeLength(models.size()));
        if (status == SENT) {
            final WelcomeEncoder.ModelsEncoder entries = welcome
                    .wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .nonce(nonce)
                    .clientId(clientId)
                    .maxFrameLength(limits.maxFrameLength())
                    .maxInFlight(limits.maxInFlight())
                    .maxSessions(limits.maxSessions())
                    .heartbeatTimeoutMs(limits.heartbeatTimeoutMs())
                    .maxSteps(limits.maxSteps())
                    .durability(limits.durability())
                    .overload(limits.overload())
                    .retryWindow(limits.retryWindow())
                    .maxRatePerSecond(limits.maxRatePerSecond())
                    .modelsCount(models.size());
            for (final LoadedModel model : models) {
                final ModelShape shape = model.model().shape();
                entries.next()
                        .modelId(model.modelId())
                        .featureCount(shape.featureCount())
                        .outputCount(shape.outputCount())
                        .alias(model.alias())
                        .putModelVersion(model.versionBytes(), 0, LoadedModel.VERSION_LENGTH);
            }
            claim.commit();
        }
        return status;
    }

    int reject(
            final ExclusivePublication publication,
            final long correlationId,
            final long offendingValue,
            final long allowedValue,
            final short code,
            final short templateId) {
        final RejectCode rejectCode = RejectCode.get(code & 0xFFFF);
        final int detailLength = RejectDetail.put(rejectCode, offendingValue, allowedValue, detail, 0);
        final int status = claim(publication, MessageHeaderEncoder.ENCODED_LENGTH + RejectEncoder.BLOCK_LENGTH +
                RejectEncoder.detailHeaderLength() + detailLength);
        if (status == SENT) {
            reject.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .correlationId(correlationId)
                    .offendingValue(offendingValue)
                    .allowedValue(allowedValue)
                    .code(rejectCode)
                    .templateId(templateId & 0xFFFF)
                    .putDetail(detail, 0, detailLength);
            claim.commit();
        }
        return status;
    }

    int journalUnavailable(final ExclusivePublication publication, final RequestSlot slot, final long sequence) {
        return reject(publication, slot.correlationId, sequence, 0, (short) RejectCode.JOURNAL_UNAVAILABLE.value(),
                (short) (slot.reset ? ResetSessionDecoder.TEMPLATE_ID : InferDecoder.TEMPLATE_ID));
    }

    int heartbeat(final ExclusivePublication publication, final long timestampNs) {
        final int status = claim(publication, MessageHeaderEncoder.ENCODED_LENGTH + HeartbeatEncoder.BLOCK_LENGTH);
        if (status == SENT) {
            heartbeat.wrapAndApplyHeader(claim.buffer(), claim.offset(), header).timestampNs(timestampNs);
            claim.commit();
        }
        return status;
    }

    int goodbye(final ExclusivePublication publication, final short reason) {
        final int status = claim(publication, MessageHeaderEncoder.ENCODED_LENGTH + GoodbyeEncoder.BLOCK_LENGTH);
        if (status == SENT) {
            goodbye.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .reason(GoodbyeReason.get((byte) reason));
            claim.commit();
        }
        return status;
    }

    private int chunk(
            final ExclusivePublication publication,
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final int stepIndex,
            final int modelId,
            final int outputCount,
            final DirectBuffer outputs,
            final int offset) {
        final int status = claim(publication, Frames.chunkLength(outputCount));
        if (status == SENT) {
            chunk.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .correlationId(correlationId)
                    .sessionKey(sessionKey)
                    .sequence(sequence)
                    .stepIndex(stepIndex)
                    .modelId(modelId)
                    .outputCount(outputCount);
            chunk.putOutputs(outputs, offset, outputCount * Float.BYTES);
            claim.commit();
        }
        return status;
    }

    private int claim(final ExclusivePublication publication, final int length) {
        final int status = tryClaim(publication, length);
        if (status == FULL && driver != null) {
            driver.invoke();
            return tryClaim(publication, length);
        }
        return status;
    }

    private int tryClaim(final ExclusivePublication publication, final int length) {
        for (int tries = 0; tries < ADMIN_ACTION_TRIES; tries++) {
            final long position = publication.tryClaim(length, claim);
            if (position > 0) {
                return SENT;
            }
            if (position == ExclusivePublication.BACK_PRESSURED) {
                return FULL;
            }
            if (position != ExclusivePublication.ADMIN_ACTION) {
                return GONE;
            }
        }
        return FULL;
    }
}
