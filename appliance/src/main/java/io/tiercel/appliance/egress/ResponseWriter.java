package io.tiercel.appliance.egress;

import io.aeron.ExclusivePublication;
import io.aeron.logbuffer.BufferClaim;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.routing.AdminAnswers;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.session.AnswerSlot;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.RejectDetail;
import io.tiercel.protocol.wire.ApplianceProofEncoder;
import io.tiercel.protocol.wire.ChallengeEncoder;
import io.tiercel.protocol.wire.ChunkEncoder;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.GoodbyeEncoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectEncoder;
import io.tiercel.protocol.wire.ResultEncoder;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.protocol.wire.WelcomeEncoder;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.List;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

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

    private static final int WELCOME_GROUP_OFFSET = MessageHeaderEncoder.ENCODED_LENGTH + WelcomeEncoder.BLOCK_LENGTH;
    private static final int WELCOME_MODELS_OFFSET =
            WELCOME_GROUP_OFFSET + WelcomeEncoder.ModelsEncoder.sbeHeaderSize();

    private static final int CHALLENGE_PADDING_OFFSET =
            ChallengeEncoder.applianceNonceEncodingOffset() + Handshake.NONCE_LENGTH;

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
    private final WelcomeLimits limits;
    private final AgentInvoker driver;

    /** The limits that a welcome states, of all clients; it states those of its principal beside them. */
    public record WelcomeLimits(
            int maxFrameLength,
            int maxSteps,
            long heartbeatTimeoutMs,
            Durability durability,
            Overload overload,
            int retryWindow) {
    }

    /** @param driver the media driver's turn, where it runs on egress's thread; else null. */
    public ResponseWriter(final List<LoadedModel> models, final WelcomeLimits limits, final AgentInvoker driver) {
        this.models = models;
        this.limits = limits;
        this.driver = driver;
    }

    /**
     * Length of the longest frame that is ever said about these models: a result, a chunk, a reject, the welcome, or
     * what administrators are told.
     *
     * @param maxVersions that there may come to be of all models together.
     */
    public static int longestLength(final List<LoadedModel> models, final int maxVersions) {
        final int maxOutputs = models.stream().mapToInt(model -> model.model().shape().outputCount()).max().orElse(0);
        final int answerLength = Math.max(Frames.resultLength(maxOutputs), Frames.chunkLength(maxOutputs));
        final int rejectLength = MessageHeaderEncoder.ENCODED_LENGTH + RejectEncoder.BLOCK_LENGTH +
                RejectEncoder.detailHeaderLength() + Math.max(RejectDetail.MAX_LENGTH, AdminAnswers.MAX_TEXT_LENGTH);
        return Math.max(Math.max(answerLength, rejectLength),
                Math.max(welcomeLength(models.size()), Frames.versionsLength(maxVersions)));
    }

    private static int welcomeLength(final int modelCount) {
        return WELCOME_MODELS_OFFSET + modelCount * WelcomeEncoder.ModelsEncoder.sbeBlockLength();
    }

    /** A request's chunks, if it asked for them, and its result. */
    int answer(final ClientConnection client, final RequestSlot slot, final long sequence) {
        final int outputCount = slot.outputCount;
        final int outputsLength = outputCount * Float.BYTES;
        final int lastOffset = slot.outputsLength - outputsLength;
        for (int offset = 0, step = 0; offset < lastOffset; offset += outputsLength, step++) {
            final int status = chunk(client, slot.correlationId, slot.sessionKey, sequence, step,
                    slot.modelId, slot.begins && step == 0, outputCount, slot.outputs, offset);
            if (status != SENT) {
                return status;
            }
        }
        return result(client, slot.correlationId, slot, sequence);
    }

    /** The last step's outputs of a request, under that id. */
    int result(final ClientConnection client, final long correlationId, final RequestSlot slot, final long sequence) {
        final int outputCount = slot.outputCount;
        final int outputsLength = outputCount * Float.BYTES;
        final int status = claim(client, Frames.resultLength(outputCount));
        if (status == SENT) {
            result.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .correlationId(correlationId)
                    .sessionKey(slot.sessionKey)
                    .sequence(sequence)
                    .applianceNs(slot.applianceNs)
                    .modelId(slot.modelId)
                    .batchSize(slot.batchSize)
                    .outputCount(outputCount)
                    .status(slot.status);
            result.flags().clear().sessionBegan(hears(client, slot.begins && slot.outputsLength == outputsLength));
            result.putOutputs(slot.outputs, slot.outputsLength - outputsLength, outputsLength);
            commit(client);
        }
        return status;
    }

    /** One frame of an answer that was given before, with the same bytes. */
    int repeat(final ClientConnection client, final AnswerSlot kept) {
        return kept.isResult()
                ? result(client, kept.correlationId(), kept)
                : chunk(client, kept.correlationId(), kept.sessionKey(), kept.sequence(), kept.stepIndex(),
                        kept.modelId(), kept.hasSessionBegun() && kept.stepIndex() == 0, kept.outputCount(),
                        kept.outputs(), 0);
    }

    /** A result that was given before, under that id. */
    int result(final ClientConnection client, final long correlationId, final AnswerSlot kept) {
        final int status = claim(client, Frames.resultLength(kept.outputCount()));
        if (status == SENT) {
            result.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .correlationId(correlationId)
                    .sessionKey(kept.sessionKey())
                    .sequence(kept.sequence())
                    .applianceNs(kept.applianceNs())
                    .modelId(kept.modelId())
                    .batchSize(kept.batchSize())
                    .outputCount(kept.outputCount())
                    .status(kept.status());
            result.flags().clear().sessionBegan(hears(client, kept.hasSessionBegun() && kept.stepIndex() == 0));
            result.putOutputs(kept.outputs(), 0, kept.outputCount() * Float.BYTES);
            commit(client);
        }
        return status;
    }

    /** Asks a client to prove who it is. */
    int challenge(final ClientConnection client, final long nonce) {
        final int status = claim(client, Frames.CHALLENGE_LENGTH);
        if (status == SENT) {
            final ChallengeEncoder challenge = new ChallengeEncoder()
                    .wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .nonce(nonce)
                    .putApplianceNonce(client.applianceNonce, 0, Handshake.NONCE_LENGTH);
            claim.buffer().putLong(challenge.offset() + CHALLENGE_PADDING_OFFSET, 0);
            commit(client);
        }
        return status;
    }

    /** Proves to a client that has proved who it is that the appliance is the one, and welcomes it. */
    int admit(final ClientConnection client, final long nonce) {
        final int status = claim(client, Frames.APPLIANCE_PROOF_LENGTH);
        if (status == SENT) {
            new ApplianceProofEncoder()
                    .wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .putProof(client.applianceProof, 0, Handshake.PROOF_LENGTH);
            commit(client);
        }
        return status == SENT ? welcome(client, nonce) : status;
    }

    /** Says what the client's version has words for: an older one's entries are shorter, and may be fewer. */
    int welcome(final ClientConnection client, final long nonce) {
        final ExpandableArrayBuffer newest = new ExpandableArrayBuffer();
        final int modelCount = putWelcome(newest, client, nonce);
        final int newestLength = Frames.welcomeModelLength(Frames.VERSION);
        final int modelLength = Frames.welcomeModelLength(client.version);
        final int status = claim(client, WELCOME_MODELS_OFFSET + modelCount * modelLength);
        if (status == SENT) {
            final MutableDirectBuffer frame = claim.buffer();
            frame.putBytes(claim.offset(), newest, 0, WELCOME_MODELS_OFFSET);
            frame.putShort(claim.offset() + WELCOME_GROUP_OFFSET, (short) modelLength, LITTLE_ENDIAN);
            for (int index = 0; index < modelCount; index++) {
                frame.putBytes(claim.offset() + WELCOME_MODELS_OFFSET + index * modelLength,
                        newest, WELCOME_MODELS_OFFSET + index * newestLength, modelLength);
            }
            commit(client);
            client.responsePages.begin(client.publication, claim);
        }
        return status;
    }

    /** As the newest version has it; returns the number of models. */
    private int putWelcome(final MutableDirectBuffer buffer, final ClientConnection client, final long nonce) {
        final int[] told = client.told;
        final WelcomeEncoder.ModelsEncoder entries = welcome
                .wrapAndApplyHeader(buffer, 0, header)
                .nonce(nonce)
                .clientId(client.index)
                .maxFrameLength(limits.maxFrameLength())
                .maxInFlight(client.rights.maxInFlight())
                .maxSessions(client.rights.maxSessions())
                .heartbeatTimeoutMs(limits.heartbeatTimeoutMs())
                .maxSteps(limits.maxSteps())
                .durability(limits.durability())
                .overload(limits.overload())
                .retryWindow(limits.retryWindow())
                .maxRatePerSecond(client.rights.maxRatePerSecond())
                .modelsCount(told.length);
        for (final int index : told) {
            final LoadedModel model = models.get(index);
            final ModelShape shape = models.get(model.modelId()).model().shape();
            entries.next()
                    .modelId(model.modelId())
                    .featureCount(shape.featureCount())
                    .outputCount(shape.outputCount())
                    .alias(model.alias())
                    .putModelVersion(model.versionBytes(), 0, LoadedModel.VERSION_LENGTH)
                    .vocabularySize(shape.vocabularySize())
                    .contextTokens(shape.contextTokens());
        }
        return told.length;
    }

    int reject(
            final ClientConnection client,
            final long correlationId,
            final long offendingValue,
            final long allowedValue,
            final short code,
            final short templateId) {
        return reject(client, correlationId, offendingValue, allowedValue, code, templateId, 0);
    }

    /** @param step whose token is refused, if one is. */
    int reject(
            final ClientConnection client,
            final long correlationId,
            final long offendingValue,
            final long allowedValue,
            final short code,
            final short templateId,
            final int step) {
        final RejectCode rejectCode = RejectCode.get(code & 0xFFFF);
        final int detailLength = rejectCode == RejectCode.TOKEN_OUT_OF_VOCABULARY
                ? RejectDetail.putOfStep(rejectCode, step, offendingValue, allowedValue, detail, 0)
                : RejectDetail.put(rejectCode, offendingValue, allowedValue, detail, 0);
        final int status = claim(client, MessageHeaderEncoder.ENCODED_LENGTH + RejectEncoder.BLOCK_LENGTH +
                RejectEncoder.detailHeaderLength() + detailLength);
        if (status == SENT) {
            reject.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .correlationId(correlationId)
                    .offendingValue(offendingValue)
                    .allowedValue(allowedValue)
                    .code(rejectCode)
                    .templateId(templateId & 0xFFFF)
                    .putDetail(detail, 0, detailLength);
            commit(client);
        }
        return status;
    }

    /** A generation has ended because its client wished it. */
    int cancelled(
            final ClientConnection client, final long correlationId, final long sequence, final long sessionKey,
            final int modelId) {
        final int status = claim(client, Frames.resultLength(0));
        if (status == SENT) {
            result.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .correlationId(correlationId)
                    .sessionKey(sessionKey)
                    .sequence(sequence)
                    .applianceNs(0)
                    .modelId(modelId)
                    .batchSize(0)
                    .outputCount(0)
                    .status(ResultStatus.CANCELLED);
            result.flags().clear();
            result.putOutputs(detail, 0, 0);
            commit(client);
        }
        return status;
    }

    /** What ingress has written, all of it. */
    int frame(final ClientConnection client, final DirectBuffer frame) {
        final int status = claim(client, frame.capacity());
        if (status == SENT) {
            claim.buffer().putBytes(claim.offset(), frame, 0, frame.capacity());
            commit(client);
        }
        return status;
    }

    int journalUnavailable(
            final ClientConnection client, final long correlationId, final RequestSlot slot, final long sequence) {
        return reject(client, correlationId, sequence, 0, (short) RejectCode.JOURNAL_UNAVAILABLE.value(),
                (short) slot.kind.templateId());
    }

    int heartbeat(final ClientConnection client, final long timestampNs) {
        final int status = claim(client, MessageHeaderEncoder.ENCODED_LENGTH + HeartbeatEncoder.BLOCK_LENGTH);
        if (status == SENT) {
            heartbeat.wrapAndApplyHeader(claim.buffer(), claim.offset(), header).timestampNs(timestampNs);
            commit(client);
        }
        return status;
    }

    int goodbye(final ClientConnection client, final short reason) {
        final int status = claim(client, MessageHeaderEncoder.ENCODED_LENGTH + GoodbyeEncoder.BLOCK_LENGTH);
        if (status == SENT) {
            goodbye.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .reason(GoodbyeReason.get((byte) reason));
            commit(client);
        }
        return status;
    }

    /** @param hasSessionBegun whether it is the first frame of a request that its session began with. */
    int chunk(
            final ClientConnection client,
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final int stepIndex,
            final int modelId,
            final boolean hasSessionBegun,
            final int outputCount,
            final DirectBuffer outputs,
            final int offset) {
        final int status = claim(client, Frames.chunkLength(outputCount));
        if (status == SENT) {
            chunk.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
                    .correlationId(correlationId)
                    .sessionKey(sessionKey)
                    .sequence(sequence)
                    .stepIndex(stepIndex)
                    .modelId(modelId)
                    .outputCount(outputCount);
            chunk.flags().clear().sessionBegan(hears(client, hasSessionBegun));
            chunk.putOutputs(outputs, offset, outputCount * Float.BYTES);
            commit(client);
        }
        return status;
    }

    /** That a session began. To an older version it is padding, where zeros stand. */
    private static boolean hears(final ClientConnection client, final boolean hasSessionBegun) {
        return hasSessionBegun && client.version >= Frames.BEGINNINGS_SINCE_VERSION;
    }

    /** The client is spoken to in its own version. */
    private void commit(final ClientConnection client) {
        claim.buffer().putShort(claim.offset() + Frames.VERSION_OFFSET, (short) client.version, LITTLE_ENDIAN);
        claim.commit();
    }

    private int claim(final ClientConnection client, final int length) {
        final int status = tryClaim(client.publication, length);
        if (status == FULL && driver != null) {
            driver.invoke();
            return tryClaim(client.publication, length);
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
