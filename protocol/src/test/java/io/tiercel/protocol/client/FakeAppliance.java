package io.tiercel.protocol.client;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.aeron.Aeron;
import io.aeron.ChannelUri;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.Header;
import io.tiercel.protocol.FrameValidator;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.wire.ApplianceProofEncoder;
import io.tiercel.protocol.wire.ChallengeEncoder;
import io.tiercel.protocol.wire.ChunkEncoder;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.GoodbyeEncoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HeartbeatDecoder;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.ProofDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectEncoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultEncoder;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.protocol.wire.WelcomeEncoder;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * The other end of the wire for client tests: one client, no model. It answers a request with as many outputs as
 * {@link #outputCount} says, each the sum of the step's features plus its index. What it does at a hello, and whether
 * it answers requests at all, a test sets. Single-threaded, polled by the test; answers to requests allocate nothing.
 */
final class FakeAppliance implements AutoCloseable {

    static final int MODEL_ID = 3;
    static final String ALIAS = "flow";
    private static final byte[] APPLIANCE_NONCE = new byte[Handshake.NONCE_LENGTH];
    static final int RETRY_WINDOW = 2_048;
    static final int MAX_RATE_PER_SECOND = 50_000;

    /** What it says after the proof that it has asked for, before the welcome. */
    enum Proving {
        BY_ITS_KEY, BY_THE_CLIENTS_OWN_PROOF, NOT_AT_ALL
    }

    /** With one it asks for a proof, which it does not look at. */
    byte[] key;
    Proving proving = Proving.BY_ITS_KEY;
    int featureCount = 5;
    int outputCount = 3;
    int maxFrameLength = 4096;
    int maxInFlight = 1024;
    int maxSteps = 8;
    int heartbeatTimeoutMs = 10_000;
    int vocabularySize;
    int contextTokens;
    /** The newest that it speaks. */
    int version = Frames.VERSION;
    ResultStatus answersInfersWith = ResultStatus.OK;
    /** Whether it says of each request that its session began with it. */
    boolean beginsSessions;
    boolean answersHello = true;
    boolean answersRequests = true;
    boolean reads = true;
    RejectCode refusesHelloWith;
    RejectCode refusesRequestsWith;

    int heartbeatCount;
    int requestCount;
    int brokenFrameCount;
    /** Of the frames that came since the client was forgotten. */
    int newestVersion;
    int helloCount;
    long lastSequence = -1;
    String principal;
    /** The newest request as it came, and its length. */
    final ExpandableArrayBuffer request = new ExpandableArrayBuffer();
    int requestLength;
    GoodbyeReason goodbye;

    private final Aeron aeron;
    private final Subscription requests;
    private final FragmentAssembler assembler = new FragmentAssembler(this::onFragment);
    private final BufferClaim claim = new BufferClaim();
    private final ExpandableArrayBuffer scratch = new ExpandableArrayBuffer();
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
    private final InferDecoder infer = new InferDecoder();
    private final ResetSessionDecoder reset = new ResetSessionDecoder();
    private final HeartbeatDecoder heartbeat = new HeartbeatDecoder();
    private final HeartbeatEncoder heartbeatEncoder = new HeartbeatEncoder();
    private final ResultEncoder result = new ResultEncoder();
    private final ChunkEncoder chunk = new ChunkEncoder();
    private final FrameValidator validator = new FrameValidator(1 << 20, 64);
    private long responsesRegistrationId = Aeron.NULL_VALUE;
    private ExclusivePublication responses;
    private long nonce;
    private long helloNonce;
    private byte[] hello;
    private int clientSessionId;
    private boolean isTooNew;
    private boolean isFirstFrame = true;

    FakeAppliance(final Aeron aeron, final int requestStreamId) {
        this.aeron = aeron;
        this.requests = aeron.addSubscription("aeron:ipc", requestStreamId);
    }

    int poll() {
        int workCount = aeron.conductorAgentInvoker().invoke();
        if (reads) {
            workCount += requests.poll(assembler, 16);
        }
        if (responses == null && responsesRegistrationId != Aeron.NULL_VALUE) {
            responses = aeron.getExclusivePublication(responsesRegistrationId);
        }
        if (responses != null && nonce != 0 && responses.isConnected()) {
            answerHello();
        }
        return workCount;
    }

    void sendGoodbye(final GoodbyeReason reason) {
        final GoodbyeEncoder encoder =
                new GoodbyeEncoder().wrapAndApplyHeader(scratch, 0, headerEncoder).reason(reason);
        send(scratch, Frames.HEADER_LENGTH + encoder.encodedLength());
    }

    void sendReject(final long correlationId, final RejectCode code, final int templateId, final String detail) {
        sendReject(correlationId, code, 5, templateId, detail);
    }

    private void sendReject(
            final long correlationId, final RejectCode code, final long allowedValue, final int templateId,
            final String detail) {
        final RejectEncoder encoder = new RejectEncoder().wrapAndApplyHeader(scratch, 0, headerEncoder)
                .correlationId(correlationId)
                .offendingValue(7)
                .allowedValue(allowedValue)
                .code(code)
                .templateId(templateId)
                .detail(detail);
        send(scratch, Frames.HEADER_LENGTH + encoder.encodedLength());
    }

    private void send(final MutableDirectBuffer buffer, final int length) {
        buffer.putShort(Frames.VERSION_OFFSET, (short) version, LITTLE_ENDIAN);
        sendAsItIs(buffer, length);
    }

    void sendAsItIs(final DirectBuffer buffer, final int length) {
        long position = responses.offer(buffer, 0, length);
        while (position == Publication.ADMIN_ACTION) {
            position = responses.offer(buffer, 0, length);
        }
        assertRoom(position);
    }

    /** Ready for another client. */
    void forgetClient() {
        responses.close();
        responses = null;
        responsesRegistrationId = Aeron.NULL_VALUE;
        newestVersion = 0;
    }

    void vanish() {
        CloseHelper.closeAll(responses, requests);
    }

    @Override
    public void close() {
        aeron.close();
    }

    private void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        if (validator.checkFromClient(buffer, offset, length) != FrameValidator.OK) {
            brokenFrameCount++;
            return;
        }
        header.wrap(buffer, offset);
        newestVersion = Math.max(newestVersion, header.version());
        switch (header.templateId()) {
            case InferDecoder.TEMPLATE_ID:
                keepRequest(buffer, offset, length);
                onInfer(infer.wrapAndApplyHeader(buffer, offset, header), buffer, offset);
                break;
            case ResetSessionDecoder.TEMPLATE_ID:
                keepRequest(buffer, offset, length);
                onReset(reset.wrapAndApplyHeader(buffer, offset, header));
                break;
            case ForkSessionDecoder.TEMPLATE_ID:
                keepRequest(buffer, offset, length);
                onFork(new ForkSessionDecoder().wrapAndApplyHeader(buffer, offset, header));
                break;
            case GenerateDecoder.TEMPLATE_ID:
                keepRequest(buffer, offset, length);
                onGenerate(new GenerateDecoder().wrapAndApplyHeader(buffer, offset, header));
                break;
            case HeartbeatDecoder.TEMPLATE_ID:
                onHeartbeat(heartbeat.wrapAndApplyHeader(buffer, offset, header));
                break;
            case HelloDecoder.TEMPLATE_ID:
                hello = new byte[length];
                buffer.getBytes(offset, hello);
                onHello(new HelloDecoder().wrapAndApplyHeader(buffer, offset, header), aeronHeader.sessionId());
                break;
            case ProofDecoder.TEMPLATE_ID:
                onProof(new ProofDecoder().wrapAndApplyHeader(buffer, offset, header));
                break;
            default:
                goodbye = new GoodbyeDecoder().wrapAndApplyHeader(buffer, offset, header).reason();
                break;
        }
    }

    private void keepRequest(final DirectBuffer buffer, final int offset, final int length) {
        request.putBytes(0, buffer, offset, length);
        requestLength = length;
    }

    private void onHello(final HelloDecoder hello, final int sessionId) {
        helloCount++;
        clientSessionId = sessionId;
        isTooNew = hello.actingVersion() > version;
        nonce = hello.nonce();
        principal = hello.principal();
        final int streamId = hello.responseStreamId();
        responsesRegistrationId = aeron.asyncAddExclusivePublication(
                ChannelUri.addSessionId(hello.responseChannel(), sessionId), streamId);
    }

    private void answerHello() {
        if (isTooNew) {
            sendReject(0, RejectCode.UNSUPPORTED_VERSION, version, HelloDecoder.TEMPLATE_ID, "version=2 newest=1");
            forgetClient();
        } else if (refusesHelloWith != null) {
            sendReject(0, refusesHelloWith, HelloDecoder.TEMPLATE_ID, "principal=" + principal);
        } else if (answersHello && key != null) {
            new ChallengeEncoder().wrapAndApplyHeader(scratch, 0, headerEncoder)
                    .nonce(nonce)
                    .putApplianceNonce(APPLIANCE_NONCE, 0, APPLIANCE_NONCE.length);
            send(scratch, Frames.CHALLENGE_LENGTH);
        } else if (answersHello) {
            sendWelcome();
        }
        helloNonce = nonce;
        nonce = 0;
    }

    private void onProof(final ProofDecoder decoder) {
        final byte[] clientNonce = new byte[Handshake.NONCE_LENGTH];
        decoder.getClientNonce(clientNonce, 0, clientNonce.length);
        final byte[] proof = new byte[Handshake.PROOF_LENGTH];
        decoder.getProof(proof, 0, proof.length);
        if (proving != Proving.NOT_AT_ALL) {
            final byte[] own = new Handshake().applianceProof(
                    key, clientSessionId, hello, APPLIANCE_NONCE, clientNonce);
            new ApplianceProofEncoder().wrapAndApplyHeader(scratch, 0, headerEncoder)
                    .putProof(proving == Proving.BY_ITS_KEY ? own : proof, 0, Handshake.PROOF_LENGTH);
            send(scratch, Frames.APPLIANCE_PROOF_LENGTH);
        }
        sendWelcome();
    }

    private void sendWelcome() {
        final WelcomeEncoder welcome = new WelcomeEncoder().wrapAndApplyHeader(scratch, 0, headerEncoder)
                .nonce(nonce == 0 ? helloNonce : nonce)
                .clientId(9)
                .maxFrameLength(maxFrameLength)
                .maxInFlight(maxInFlight)
                .maxSessions(4096)
                .heartbeatTimeoutMs(heartbeatTimeoutMs)
                .maxSteps(maxSteps)
                .durability(Durability.DISK)
                .overload(Overload.SHED)
                .retryWindow(RETRY_WINDOW)
                .maxRatePerSecond(MAX_RATE_PER_SECOND);
        final WelcomeEncoder.ModelsEncoder model = welcome.modelsCount(1).next()
                .modelId(MODEL_ID)
                .featureCount(featureCount)
                .outputCount(outputCount)
                .alias(ALIAS)
                .vocabularySize(vocabularySize)
                .contextTokens(contextTokens);
        for (int i = 0; i < 32; i++) {
            model.modelVersion(i, (short) (i * 8));
        }
        final int entryLength = Frames.welcomeModelLength(version);
        final int tailLength = WelcomeEncoder.ModelsEncoder.sbeBlockLength() - entryLength;
        scratch.putShort(Frames.HEADER_LENGTH + WelcomeEncoder.BLOCK_LENGTH, (short) entryLength, LITTLE_ENDIAN);
        send(scratch, Frames.HEADER_LENGTH + welcome.encodedLength() - tailLength);
    }

    private void onHeartbeat(final HeartbeatDecoder received) {
        heartbeatCount++;
        if (responses.tryClaim(Frames.HEARTBEAT_LENGTH, claim) > 0) {
            heartbeatEncoder.wrapAndApplyHeader(claim.buffer(), claim.offset(), headerEncoder)
                    .timestampNs(received.timestampNs());
            commit(claim.buffer(), Frames.HEARTBEAT_LENGTH);
        }
    }

    private void onReset(final ResetSessionDecoder request) {
        requestCount++;
        if (answersRequests) {
            sendResult(request.correlationId(), request.sessionKey(), ResultStatus.RESET, 0, 0);
        }
    }

    private void onFork(final ForkSessionDecoder request) {
        requestCount++;
        sendResult(request.correlationId(), request.sessionKey(), ResultStatus.FORKED, 0, 0);
    }

    private void onGenerate(final GenerateDecoder request) {
        requestCount++;
        sendResult(request.correlationId(), request.sessionKey(), ResultStatus.CANCELLED, 0, 0);
    }

    private void onInfer(final InferDecoder request, final DirectBuffer buffer, final int offset) {
        requestCount++;
        if (refusesRequestsWith != null) {
            sendReject(request.correlationId(), refusesRequestsWith, InferDecoder.TEMPLATE_ID,
                    "unfinished=65 allowed=64");
        }
        if (refusesRequestsWith != null || !answersRequests) {
            return;
        }
        final int stepCount = request.stepCount();
        final boolean stream = (buffer.getShort(request.offset() + InferDecoder.flagsEncodingOffset()) & 1) != 0;
        for (int step = 0; step < stepCount; step++) {
            float sum = 0;
            for (int i = 0; i < request.featureCount(); i++) {
                final int index = (step * request.featureCount() + i) * Float.BYTES;
                sum += buffer.getFloat(offset + Frames.FEATURES_OFFSET + index, LITTLE_ENDIAN);
            }
            if (answersInfersWith != ResultStatus.OK) {
                sendResult(request.correlationId(), request.sessionKey(), answersInfersWith, 0, 0);
                return;
            }
            if (step == stepCount - 1) {
                sendResult(request.correlationId(), request.sessionKey(), ResultStatus.OK, outputCount, sum);
            } else if (stream) {
                sendChunk(request.correlationId(), request.sessionKey(), step, sum);
            }
        }
    }

    private void sendResult(
            final long correlationId,
            final long sessionKey,
            final ResultStatus status,
            final int count,
            final float sum) {
        final int length = Frames.resultLength(count);
        final MutableDirectBuffer buffer = claimOrScratch(length);
        final int offset = buffer == scratch ? 0 : claim.offset();
        result.wrapAndApplyHeader(buffer, offset, headerEncoder)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .sequence(++lastSequence)
                .applianceNs(1234)
                .modelId(MODEL_ID)
                .batchSize(1)
                .outputCount(count)
                .status(status);
        result.flags().clear().sessionBegan(beginsSessions && isFirstFrame);
        isFirstFrame = true;
        putOutputs(buffer, result.limit(), count, sum);
        commit(buffer, length);
    }

    private void sendChunk(final long correlationId, final long sessionKey, final int stepIndex, final float sum) {
        final int length = Frames.chunkLength(outputCount);
        final MutableDirectBuffer buffer = claimOrScratch(length);
        final int offset = buffer == scratch ? 0 : claim.offset();
        chunk.wrapAndApplyHeader(buffer, offset, headerEncoder)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .sequence(lastSequence + 1)
                .stepIndex(stepIndex)
                .modelId(MODEL_ID)
                .outputCount(outputCount);
        chunk.flags().clear().sessionBegan(beginsSessions && stepIndex == 0);
        isFirstFrame = false;
        putOutputs(buffer, chunk.limit(), outputCount, sum);
        commit(buffer, length);
    }

    private static void putOutputs(
            final MutableDirectBuffer buffer, final int limit, final int count, final float sum) {
        buffer.putInt(limit, count * Float.BYTES, LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            buffer.putFloat(limit + Integer.BYTES + i * Float.BYTES, sum + i, LITTLE_ENDIAN);
        }
    }

    private MutableDirectBuffer claimOrScratch(final int length) {
        if (length > responses.maxPayloadLength()) {
            return scratch;
        }
        long position = responses.tryClaim(length, claim);
        while (position == Publication.ADMIN_ACTION) {
            position = responses.tryClaim(length, claim);
        }
        assertRoom(position);
        return claim.buffer();
    }

    private static void assertRoom(final long position) {
        if (position < 0) {
            throw new IllegalStateException("no room for a response: " + Publication.errorString(position));
        }
    }

    private void commit(final MutableDirectBuffer buffer, final int length) {
        if (buffer == scratch) {
            send(scratch, length);
        } else {
            buffer.putShort(claim.offset() + Frames.VERSION_OFFSET, (short) version, LITTLE_ENDIAN);
            claim.commit();
        }
    }
}
