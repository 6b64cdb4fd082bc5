package io.tiercel.protocol;

import io.tiercel.protocol.wire.AdministerDecoder;
import io.tiercel.protocol.wire.AnswerFlagsDecoder;
import io.tiercel.protocol.wire.ApplianceProofDecoder;
import io.tiercel.protocol.wire.CancelGenerationDecoder;
import io.tiercel.protocol.wire.ChallengeDecoder;
import io.tiercel.protocol.wire.ChunkDecoder;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.HeartbeatDecoder;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.ProofDecoder;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.VersionsDecoder;
import io.tiercel.protocol.wire.WelcomeDecoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A frame as the generated decoders read it: each field's value by name, and which field each byte belongs to.
 */
final class DecodedFrame {

    final Map<String, Object> values = new TreeMap<>();
    private final List<String> nameAtByte = new ArrayList<>();
    private final UnsafeBuffer frame;

    DecodedFrame(final UnsafeBuffer frame) {
        this.frame = frame;
        final MessageHeaderDecoder header = new MessageHeaderDecoder().wrap(frame, 0);
        field("blockLength", 2, header.blockLength());
        field("templateId", 2, header.templateId());
        field("schemaId", 2, header.schemaId());
        field("version", 2, header.version());
        switch (header.templateId()) {
            case HelloDecoder.TEMPLATE_ID:
                hello(new HelloDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case InferDecoder.TEMPLATE_ID:
                infer(new InferDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case ResetSessionDecoder.TEMPLATE_ID:
                resetSession(new ResetSessionDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case ForkSessionDecoder.TEMPLATE_ID:
                forkSession(new ForkSessionDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case GenerateDecoder.TEMPLATE_ID:
                generate(new GenerateDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case CancelGenerationDecoder.TEMPLATE_ID:
                field("correlationId", 8,
                        new CancelGenerationDecoder().wrapAndApplyHeader(frame, 0, header).correlationId());
                field("padding", 8, 0);
                break;
            case ProofDecoder.TEMPLATE_ID:
                field("clientNonce", 32, bytes(frame, 8, 32));
                field("proof", 32, bytes(frame, 40, 32));
                break;
            case ChallengeDecoder.TEMPLATE_ID:
                field("nonce", 8, new ChallengeDecoder().wrapAndApplyHeader(frame, 0, header).nonce());
                field("applianceNonce", 32, bytes(frame, 16, 32));
                field("padding", 8, 0);
                break;
            case ApplianceProofDecoder.TEMPLATE_ID:
                field("proof", 32, bytes(frame, 8, 32));
                break;
            case AdministerDecoder.TEMPLATE_ID:
                administer(new AdministerDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case VersionsDecoder.TEMPLATE_ID:
                versions(new VersionsDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case HeartbeatDecoder.TEMPLATE_ID:
                field("timestampNs", 8, new HeartbeatDecoder().wrapAndApplyHeader(frame, 0, header).timestampNs());
                break;
            case GoodbyeDecoder.TEMPLATE_ID:
                field("reason", 1, new GoodbyeDecoder().wrapAndApplyHeader(frame, 0, header).reasonRaw());
                break;
            case ResultDecoder.TEMPLATE_ID:
                result(new ResultDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case ChunkDecoder.TEMPLATE_ID:
                chunk(new ChunkDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case RejectDecoder.TEMPLATE_ID:
                reject(new RejectDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case WelcomeDecoder.TEMPLATE_ID:
                welcome(new WelcomeDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            default:
                throw new AssertionError("templateId=" + header.templateId());
        }
        if (nameAtByte.size() != frame.capacity()) {
            throw new AssertionError("fields cover " + nameAtByte.size() + " of " + frame.capacity() + " bytes");
        }
    }

    String fieldAt(final int index) {
        return nameAtByte.get(index);
    }

    private void hello(final HelloDecoder hello) {
        field("responseStreamId", 4, hello.responseStreamId());
        field("nonce", 8, hello.nonce());
        if (hello.actingVersion() >= Frames.ACCESS_SINCE_VERSION) {
            field("proof", 32, proofOf(hello));
        }
        data("principal", hello.principalLength(), hello.limit());
        hello.skipPrincipal();
        data("responseChannel", hello.responseChannelLength(), hello.limit());
    }

    private void administer(final AdministerDecoder administer) {
        field("correlationId", 8, administer.correlationId());
        field("modelId", 2, administer.modelId());
        field("command", 1, administer.commandRaw());
        field("modelVersion", 32, administer.modelVersion(0));
        field("padding", 17, 0);
        field("routes", 4, 0);
        for (final AdministerDecoder.RoutesDecoder route : administer.routes()) {
            field("weight", 2, route.weight());
            field("modelVersion", 32, route.modelVersion(0));
        }
        data("bundle", administer.bundleLength(), administer.limit());
    }

    private void versions(final VersionsDecoder versions) {
        field("correlationId", 8, versions.correlationId());
        field("sequence", 8, versions.sequence());
        field("served", 4, 0);
        for (final VersionsDecoder.ServedDecoder served : versions.served()) {
            field("modelId", 2, served.modelId());
            field("weight", 2, served.weight());
            field("formerWeight", 2, served.formerWeight());
            field("flags", 1, served.flags().drained());
            field("sessionCount", 4, served.sessionCount());
            field("modelVersion", 32, served.modelVersion(0));
        }
    }

    private void infer(final InferDecoder infer) {
        field("correlationId", 8, infer.correlationId());
        field("sessionKey", 8, infer.sessionKey());
        field("budgetNs", 8, infer.budgetNs());
        field("modelId", 2, infer.modelId());
        field("stepCount", 2, infer.stepCount());
        field("featureCount", 2, infer.featureCount());
        field("flags", 2, infer.flags().stream());
        field("padding", 4, 0);
        data("features", infer.featuresLength(), infer.limit());
    }

    private void resetSession(final ResetSessionDecoder reset) {
        field("correlationId", 8, reset.correlationId());
        field("sessionKey", 8, reset.sessionKey());
        field("modelId", 2, reset.modelId());
        field("padding", 2, 0);
    }

    private void forkSession(final ForkSessionDecoder fork) {
        field("correlationId", 8, fork.correlationId());
        field("sessionKey", 8, fork.sessionKey());
        field("sourceKey", 8, fork.sourceKey());
        field("modelId", 2, fork.modelId());
        field("padding", 2, 0);
    }

    private void generate(final GenerateDecoder generate) {
        field("correlationId", 8, generate.correlationId());
        field("sessionKey", 8, generate.sessionKey());
        field("budgetNs", 8, generate.budgetNs());
        field("seed", 8, generate.seed());
        field("temperature", 4, generate.temperature());
        field("modelId", 2, generate.modelId());
        field("tokenCount", 2, generate.tokenCount());
        field("maxTokens", 2, generate.maxTokens());
        field("madeTokens", 2, generate.madeTokens());
        field("topTokens", 2, generate.topTokens());
        field("stopCount", 2, generate.stopCount());
        field("padding", 4, 0);
        data("tokens", generate.tokensLength(), generate.limit());
        generate.skipTokens();
        data("stopTokens", generate.stopTokensLength(), generate.limit());
    }

    private void result(final ResultDecoder result) {
        field("correlationId", 8, result.correlationId());
        field("sessionKey", 8, result.sessionKey());
        field("sequence", 8, result.sequence());
        field("applianceNs", 4, result.applianceNs());
        field("modelId", 2, result.modelId());
        field("batchSize", 2, result.batchSize());
        field("outputCount", 2, result.outputCount());
        field("status", 1, result.statusRaw());
        field("flags", 1, answerFlags(result.flags()));
        data("outputs", result.outputsLength(), result.limit());
    }

    /** Before version 4 they are padding. */
    private static int answerFlags(final AnswerFlagsDecoder flags) {
        return flags == null ? 0 : flags.getRaw();
    }

    private void chunk(final ChunkDecoder chunk) {
        field("correlationId", 8, chunk.correlationId());
        field("sessionKey", 8, chunk.sessionKey());
        field("sequence", 8, chunk.sequence());
        field("stepIndex", 4, chunk.stepIndex());
        field("modelId", 2, chunk.modelId());
        field("outputCount", 2, chunk.outputCount());
        field("flags", 1, answerFlags(chunk.flags()));
        field("padding", 11, 0);
        data("outputs", chunk.outputsLength(), chunk.limit());
    }

    private void reject(final RejectDecoder reject) {
        field("correlationId", 8, reject.correlationId());
        field("offendingValue", 8, reject.offendingValue());
        field("allowedValue", 8, reject.allowedValue());
        field("code", 2, reject.codeRaw());
        field("templateId of the refused", 2, reject.templateId());
        data("detail", reject.detailLength(), reject.limit());
    }

    private void welcome(final WelcomeDecoder welcome) {
        field("nonce", 8, welcome.nonce());
        field("clientId", 4, welcome.clientId());
        field("maxFrameLength", 4, welcome.maxFrameLength());
        field("maxInFlight", 4, welcome.maxInFlight());
        field("maxSessions", 4, welcome.maxSessions());
        field("heartbeatTimeoutMs", 4, welcome.heartbeatTimeoutMs());
        field("maxSteps", 2, welcome.maxSteps());
        field("durability", 1, welcome.durabilityRaw());
        field("overload", 1, welcome.overloadRaw());
        field("retryWindow", 4, welcome.retryWindow());
        field("maxRatePerSecond", 4, welcome.maxRatePerSecond());
        final int groupOffset = welcome.limit();
        field("models.blockLength", 2, frame.getShort(groupOffset));
        field("models.numInGroup", 2, frame.getShort(groupOffset + 2));
        int index = 0;
        for (final WelcomeDecoder.ModelsDecoder model : welcome.models()) {
            field("modelId " + index, 2, model.modelId());
            field("featureCount " + index, 2, model.featureCount());
            field("outputCount " + index, 2, model.outputCount());
            field("alias " + index, 32, model.alias());
            field("modelVersion " + index, 32, version(model));
            if (welcome.actingVersion() > 1) {
                field("vocabularySize " + index, 4, model.vocabularySize());
                field("contextTokens " + index, 4, model.contextTokens());
            }
            index++;
        }
    }

    private static List<Short> version(final WelcomeDecoder.ModelsDecoder model) {
        final List<Short> version = new ArrayList<>();
        for (int i = 0; i < WelcomeDecoder.ModelsDecoder.modelVersionLength(); i++) {
            version.add(model.modelVersion(i));
        }
        return version;
    }

    private static List<Short> proofOf(final HelloDecoder hello) {
        final List<Short> proof = new ArrayList<>();
        for (int i = 0; i < HelloDecoder.proofLength(); i++) {
            proof.add(hello.proof(i));
        }
        return proof;
    }

    private void field(final String name, final int bytes, final Object value) {
        values.put(name, value);
        for (int i = 0; i < bytes; i++) {
            nameAtByte.add(name);
        }
    }

    private void data(final String name, final int length, final int limit) {
        field(name + " length", 4, length);
        field(name, length, bytes(frame, limit + 4, length));
    }

    private static List<Byte> bytes(final DirectBuffer buffer, final int offset, final int length) {
        final List<Byte> bytes = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            bytes.add(buffer.getByte(offset + i));
        }
        return bytes;
    }
}
