package io.tiercel.protocol;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.AdministerEncoder;
import io.tiercel.protocol.wire.ApplianceProofEncoder;
import io.tiercel.protocol.wire.CancelGenerationEncoder;
import io.tiercel.protocol.wire.ChallengeEncoder;
import io.tiercel.protocol.wire.ChunkEncoder;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.ForkSessionEncoder;
import io.tiercel.protocol.wire.GenerateEncoder;
import io.tiercel.protocol.wire.GoodbyeEncoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.HelloEncoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.ProofEncoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectEncoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import io.tiercel.protocol.wire.ResultEncoder;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.protocol.wire.VersionsEncoder;
import io.tiercel.protocol.wire.WelcomeEncoder;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.sbe.MessageEncoderFlyweight;

/** Frames as the generated encoders make them, each in a buffer of exactly its length. */
final class SampleFrames {

    private SampleFrames() {
    }

    static UnsafeBuffer hello(final int streamId, final long nonce, final String principal, final String channel) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new HelloEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .responseStreamId(streamId)
                .nonce(nonce)
                .principal(principal)
                .responseChannel(channel));
    }

    static UnsafeBuffer proof(final byte[] clientNonce, final byte[] proof) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new ProofEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .putClientNonce(clientNonce, 0, clientNonce.length)
                .putProof(proof, 0, proof.length));
    }

    static UnsafeBuffer challenge(final long nonce, final byte[] applianceNonce) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new ChallengeEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .nonce(nonce)
                .putApplianceNonce(applianceNonce, 0, applianceNonce.length));
    }

    static UnsafeBuffer applianceProof(final byte[] proof) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new ApplianceProofEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .putProof(proof, 0, proof.length));
    }

    /** As a version to come may have it: a field more in the block, and variable data more at the end. */
    static UnsafeBuffer helloOfLaterVersion(
            final int streamId, final long nonce, final String principal, final String channel) {
        final UnsafeBuffer known = hello(streamId, nonce, principal, channel);
        final int blockEnd = Frames.HEADER_LENGTH + HelloEncoder.BLOCK_LENGTH;
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[known.capacity() + 2 * Long.BYTES]);
        frame.putBytes(0, known, 0, blockEnd);
        frame.putShort(0, (short) (HelloEncoder.BLOCK_LENGTH + Long.BYTES), LITTLE_ENDIAN);
        frame.putShort(Frames.VERSION_OFFSET, (short) (Frames.VERSION + 1), LITTLE_ENDIAN);
        frame.putBytes(blockEnd + Long.BYTES, known, blockEnd, known.capacity() - blockEnd);
        return frame;
    }

    static UnsafeBuffer infer(
            final long correlationId,
            final long sessionKey,
            final long budgetNs,
            final int modelId,
            final int stepCount,
            final boolean stream,
            final float... features) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        final InferEncoder encoder = new InferEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .budgetNs(budgetNs)
                .modelId(modelId)
                .stepCount(stepCount)
                .featureCount(stepCount == 0 ? 0 : features.length / stepCount);
        encoder.flags().clear().stream(stream);
        encoder.putFeatures(bytes(features), 0, features.length * Float.BYTES);
        return exactly(buffer, encoder);
    }

    static UnsafeBuffer resetSession(final long correlationId, final long sessionKey, final int modelId) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new ResetSessionEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .modelId(modelId));
    }

    static UnsafeBuffer forkSession(
            final long correlationId, final long sessionKey, final long sourceKey, final int modelId) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new ForkSessionEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .sourceKey(sourceKey)
                .modelId(modelId));
    }

    /** To make three tokens with temperature 0.5 from the 40 likeliest. */
    static UnsafeBuffer generate(
            final long correlationId, final long seed, final int modelId, final int[] tokens,
            final int[] stopTokens) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        final GenerateEncoder encoder = new GenerateEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sessionKey(2)
                .budgetNs(3)
                .seed(seed)
                .temperature(0.5f)
                .modelId(modelId)
                .tokenCount(tokens.length)
                .maxTokens(3)
                .madeTokens(0)
                .topTokens(40)
                .stopCount(stopTokens.length);
        encoder.putTokens(bytes(tokens), 0, tokens.length * Integer.BYTES);
        encoder.putStopTokens(bytes(stopTokens), 0, stopTokens.length * Integer.BYTES);
        return exactly(buffer, encoder);
    }

    static UnsafeBuffer cancelGeneration(final long correlationId) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new CancelGenerationEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId));
    }

    /** Of a ROUTE: a version for each weight, the first with bytes 0, the next with bytes 1. */
    static UnsafeBuffer administer(
            final long correlationId, final AdminCommand command, final int modelId, final String bundle,
            final int... weights) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        final AdministerEncoder encoder = new AdministerEncoder()
                .wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .modelId(modelId)
                .command(command);
        final AdministerEncoder.RoutesEncoder routes = encoder.routesCount(weights.length);
        for (int index = 0; index < weights.length; index++) {
            routes.next().weight(weights[index]);
            for (int at = 0; at < AdministerEncoder.modelVersionLength(); at++) {
                routes.modelVersion(at, (short) index);
            }
        }
        encoder.bundle(bundle);
        return exactly(buffer, encoder);
    }

    static UnsafeBuffer versions(final long correlationId, final long sequence, final int... weights) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        final VersionsEncoder encoder = new VersionsEncoder()
                .wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sequence(sequence);
        final VersionsEncoder.ServedEncoder served = encoder.servedCount(weights.length);
        for (int index = 0; index < weights.length; index++) {
            served.next().modelId(0).weight(weights[index]).formerWeight(0).sessionCount(index + 5)
                    .flags().clear().drained(weights[index] == 0);
        }
        return exactly(buffer, encoder);
    }

    static UnsafeBuffer heartbeat(final long timestampNs) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new HeartbeatEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .timestampNs(timestampNs));
    }

    static UnsafeBuffer goodbye(final GoodbyeReason reason) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new GoodbyeEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .reason(reason));
    }

    static UnsafeBuffer result(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final long applianceNs,
            final ResultStatus status,
            final float... outputs) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new ResultEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .sequence(sequence)
                .applianceNs(applianceNs)
                .modelId(1)
                .batchSize(2)
                .outputCount(outputs.length)
                .status(status)
                .putOutputs(bytes(outputs), 0, outputs.length * Float.BYTES));
    }

    static UnsafeBuffer chunk(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final long stepIndex,
            final float... outputs) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new ChunkEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .sequence(sequence)
                .stepIndex(stepIndex)
                .modelId(1)
                .outputCount(outputs.length)
                .putOutputs(bytes(outputs), 0, outputs.length * Float.BYTES));
    }

    static UnsafeBuffer reject(
            final long correlationId,
            final long offendingValue,
            final long allowedValue,
            final RejectCode code,
            final int templateId,
            final String detail) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        return exactly(buffer, new RejectEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .offendingValue(offendingValue)
                .allowedValue(allowedValue)
                .code(code)
                .templateId(templateId)
                .detail(detail));
    }

    static UnsafeBuffer welcome(final long nonce, final int clientId, final long limit, final String... aliases) {
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        final WelcomeEncoder encoder = new WelcomeEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .nonce(nonce)
                .clientId(clientId)
                .maxFrameLength(limit)
                .maxInFlight(limit)
                .maxSessions(limit)
                .heartbeatTimeoutMs(limit)
                .maxSteps(64)
                .durability(Durability.PROCESS)
                .overload(Overload.SHED)
                .retryWindow(limit)
                .maxRatePerSecond(limit);
        final WelcomeEncoder.ModelsEncoder models = encoder.modelsCount(aliases.length);
        for (int i = 0; i < aliases.length; i++) {
            models.next().modelId(i).featureCount(20 + i).outputCount(3 + i).alias(aliases[i])
                    .vocabularySize(1000 * i).contextTokens(i);
            for (int j = 0; j < WelcomeEncoder.ModelsEncoder.modelVersionLength(); j++) {
                models.modelVersion(j, (short) ((i * 31 + j * 7) & 0xFF));
            }
        }
        return exactly(buffer, encoder);
    }

    /** As version 1 has it: shorter entries of models. */
    static UnsafeBuffer welcomeOfVersion1(
            final long nonce, final int clientId, final long limit, final String... aliases) {
        final UnsafeBuffer newest = welcome(nonce, clientId, limit, aliases);
        final int newestLength = Frames.welcomeModelLength(Frames.VERSION);
        final int entryLength = Frames.welcomeModelLength(1);
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[52 + aliases.length * entryLength]);
        frame.putBytes(0, newest, 0, 52);
        frame.putShort(Frames.VERSION_OFFSET, (short) 1, LITTLE_ENDIAN);
        frame.putShort(48, (short) entryLength, LITTLE_ENDIAN);
        for (int i = 0; i < aliases.length; i++) {
            frame.putBytes(52 + i * entryLength, newest, 52 + i * newestLength, entryLength);
        }
        return frame;
    }

    static UnsafeBuffer inferTokens(final long correlationId, final int modelId, final int... tokens) {
        final float[] cells = new float[tokens.length];
        final UnsafeBuffer frame = infer(correlationId, 2, 3, modelId, tokens.length, false, cells);
        for (int i = 0; i < tokens.length; i++) {
            frame.putInt(Frames.FEATURES_OFFSET + i * Integer.BYTES, tokens[i], LITTLE_ENDIAN);
        }
        return frame;
    }

    static byte[] bytes(final float... values) {
        final byte[] bytes = new byte[values.length * Float.BYTES];
        final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        for (int i = 0; i < values.length; i++) {
            buffer.putFloat(i * Float.BYTES, values[i], LITTLE_ENDIAN);
        }
        return bytes;
    }

    private static byte[] bytes(final int... values) {
        final byte[] bytes = new byte[values.length * Integer.BYTES];
        final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        for (int i = 0; i < values.length; i++) {
            buffer.putInt(i * Integer.BYTES, values[i], LITTLE_ENDIAN);
        }
        return bytes;
    }

    private static UnsafeBuffer exactly(final MutableDirectBuffer buffer, final MessageEncoderFlyweight encoder) {
        final byte[] bytes = new byte[Frames.HEADER_LENGTH + encoder.encodedLength()];
        buffer.getBytes(0, bytes);
        return new UnsafeBuffer(bytes);
    }
}
