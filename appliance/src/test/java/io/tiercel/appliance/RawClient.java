package io.tiercel.appliance;

import io.aeron.ChannelUri;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.Header;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.wire.ApplianceProofDecoder;
import io.tiercel.protocol.wire.ChallengeDecoder;
import io.tiercel.protocol.wire.ChunkDecoder;
import io.tiercel.protocol.wire.ForkSessionEncoder;
import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.GoodbyeEncoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HeartbeatDecoder;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.HelloEncoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.ProofEncoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.protocol.wire.WelcomeDecoder;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

/**
 * A client that says what a test wants, right or wrong, and keeps what it hears. It never heartbeats, and it vanishes
 * without a goodbye.
 */
final class RawClient implements AutoCloseable {

    static final String CHANNEL = "aeron:ipc";
    static final int RESPONSE_STREAM = 7301;
    private static final int INFER_PADDING_OFFSET = 40;
    private static final int RESET_PADDING_OFFSET = 26;

    /** A refusal as it came. */
    record Rejection(long correlationId, RejectCode code, long offendingValue, long allowedValue, int templateId,
            String detail) {
    }

    /** A result without its outputs. */
    record Result(long correlationId, long sequence, ResultStatus status) {
    }

    final List<Rejection> rejections = new ArrayList<>();
    final List<Result> results = new ArrayList<>();
    final List<GoodbyeReason> goodbyes = new ArrayList<>();
    final List<Long> heartbeats = new ArrayList<>();
    final List<Long> welcomedNonces = new ArrayList<>();
    /** Of the newest welcome: each model's handle, and bytes of an entry. */
    final List<Integer> welcomedModels = new ArrayList<>();
    int welcomedEntryLength;
    /** Of every frame that was heard. */
    final Set<Integer> heardVersions = new TreeSet<>();
    int chunkCount;
    /** Of the log that the newest frame came in. */
    int heardTermLength;
    /** Each answer as it came: the bytes of its chunks and of its result. */
    final List<List<Byte>> answers = new ArrayList<>();
    private final List<Byte> pendingAnswer = new ArrayList<>();
    private final PipelineHarness harness;
    private final ExclusivePublication publication;
    private final FragmentAssembler assembler = new FragmentAssembler(this::onFrame);
    private final ExpandableArrayBuffer frame = new ExpandableArrayBuffer();
    private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private Subscription subscription;
    private final Handshake handshake = new Handshake();
    private byte[] key;
    /** The newest of each, as it came or was sent; empty before. */
    byte[] applianceNonce = {};
    byte[] applianceProof = {};
    byte[] sentHello = {};
    byte[] sentProof = {};
    /** Of the frames that it makes itself. */
    private int version = Frames.VERSION;

    RawClient(final PipelineHarness harness) {
        this(harness, CHANNEL);
    }

    /** With a publication of the test's own choice, such as one with the session id of another client. */
    RawClient(final PipelineHarness harness, final String requestChannel) {
        this.harness = harness;
        publication = harness.aeron().addExclusivePublication(requestChannel, PipelineHarness.REQUEST_STREAM);
        harness.roundsUntil("request publication connected", publication::isConnected);
        listen(RESPONSE_STREAM);
    }

    /** Makes its frames in another version of the protocol from here on. */
    RawClient version(final int newVersion) {
        version = newVersion;
        return this;
    }

    /** Its hellos and proofs are made with this key. */
    RawClient key(final byte[] newKey) {
        key = newKey;
        return this;
    }

    /** Where answers are to be heard; the earlier place is left. */
    RawClient listen(final int streamId) {
        CloseHelper.close(subscription);
        subscription = harness.aeron().addSubscription(
                ChannelUri.addSessionId(CHANNEL, publication.sessionId()), streamId);
        return this;
    }

    /** Says hello and waits for the welcome. */
    RawClient welcome(final String principal) {
        hello(principal);
        final int welcomeCount = welcomedNonces.size();
        until("welcome", () -> welcomedNonces.size() > welcomeCount);
        return this;
    }

    RawClient hello(final String principal) {
        return hello(principal, CHANNEL, subscription.streamId());
    }

    RawClient hello(final String principal, final String channel, final int streamId) {
        final HelloEncoder hello = new HelloEncoder()
                .wrapAndApplyHeader(frame, 0, headerEncoder)
                .responseStreamId(streamId)
                .nonce(harness.aeron().nextCorrelationId());
        final int blockLength = Frames.helloBlockLength(version);
        hello.limit(Frames.HEADER_LENGTH + blockLength);
        hello.principal(principal).responseChannel(channel);
        frame.putShort(0, (short) blockLength, LITTLE_ENDIAN);
        frame.putShort(Frames.VERSION_OFFSET, (short) version, LITTLE_ENDIAN);
        sentHello = bytes(frame, 0, hello.limit());
        if (key != null) {
            frame.putBytes(Frames.HELLO_PROOF_OFFSET, handshake.helloProof(key, sessionId(), sentHello));
            sentHello = bytes(frame, 0, hello.limit());
        }
        return sendOwn(hello.limit());
    }

    /** The answer to the newest challenge. */
    RawClient proof(final byte[] clientNonce) {
        new ProofEncoder().wrapAndApplyHeader(frame, 0, headerEncoder)
                .putClientNonce(clientNonce, 0, Handshake.NONCE_LENGTH)
                .putProof(handshake.clientProof(key, sessionId(), sentHello, applianceNonce, clientNonce), 0,
                        Handshake.PROOF_LENGTH);
        sentProof = bytes(frame, 0, Frames.PROOF_LENGTH);
        return sendOwn(Frames.PROOF_LENGTH);
    }

    /** A frame that was recorded. */
    RawClient send(final byte[] recorded) {
        return send(new UnsafeBuffer(recorded), recorded.length);
    }

    private static byte[] bytes(final DirectBuffer buffer, final int offset, final int length) {
        final byte[] bytes = new byte[length];
        buffer.getBytes(offset, bytes);
        return bytes;
    }

    RawClient infer(final long correlationId, final long sessionKey, final float... features) {
        return sendOwn(putInfer(frame, correlationId, sessionKey, features));
    }

    /** A request of several steps of model 0; {@code features} are those of all steps. */
    RawClient steps(
            final long correlationId,
            final long sessionKey,
            final int stepCount,
            final boolean isStreamed,
            final long budgetNs,
            final float... features) {
        return sendOwn(putSteps(frame, correlationId, sessionKey, stepCount, isStreamed, budgetNs, features));
    }

    RawClient reset(final long correlationId, final int modelId, final long sessionKey) {
        new ResetSessionEncoder()
                .wrapAndApplyHeader(frame, 0, headerEncoder)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .modelId(modelId);
        frame.putShort(RESET_PADDING_OFFSET, (short) 0);
        return sendOwn(Frames.RESET_SESSION_LENGTH);
    }

    RawClient fork(final long correlationId, final int modelId, final long sessionKey, final long sourceKey) {
        new ForkSessionEncoder()
                .wrapAndApplyHeader(frame, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .sourceKey(sourceKey)
                .modelId(modelId);
        return sendOwn(Frames.FORK_SESSION_LENGTH);
    }

    RawClient heartbeat(final long timestampNs) {
        new HeartbeatEncoder().wrapAndApplyHeader(frame, 0, headerEncoder).timestampNs(timestampNs);
        return sendOwn(Frames.HEARTBEAT_LENGTH);
    }

    RawClient goodbye() {
        new GoodbyeEncoder().wrapAndApplyHeader(frame, 0, headerEncoder).reason(GoodbyeReason.CLIENT_CLOSED);
        return sendOwn(Frames.GOODBYE_LENGTH);
    }

    /** A sound request of several steps of model 0; returns its length. */
    static int putSteps(
            final MutableDirectBuffer buffer,
            final long correlationId,
            final long sessionKey,
            final int stepCount,
            final boolean isStreamed,
            final long budgetNs,
            final float... features) {
        final int length = putInfer(buffer, correlationId, sessionKey, features);
        final InferEncoder infer = new InferEncoder()
                .wrap(buffer, Frames.HEADER_LENGTH)
                .budgetNs(budgetNs)
                .stepCount(stepCount)
                .featureCount(features.length / stepCount);
        infer.flags().stream(isStreamed);
        return length;
    }

    /** A sound one-step request of model 0; returns its length. */
    static int putInfer(
            final MutableDirectBuffer buffer, final long correlationId, final long sessionKey,
            final float... features) {
        final InferEncoder infer = new InferEncoder()
                .wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .budgetNs(0)
                .modelId(0)
                .stepCount(1)
                .featureCount(features.length);
        infer.flags().clear();
        buffer.putInt(INFER_PADDING_OFFSET, 0);
        buffer.putInt(infer.limit(), features.length * Float.BYTES, LITTLE_ENDIAN);
        for (int index = 0; index < features.length; index++) {
            buffer.putFloat(Frames.FEATURES_OFFSET + index * Float.BYTES, features[index], LITTLE_ENDIAN);
        }
        return Frames.inferLength(features.length);
    }

    private RawClient sendOwn(final int length) {
        frame.putShort(Frames.VERSION_OFFSET, (short) version, LITTLE_ENDIAN);
        return send(frame, length);
    }

    /** A request of one token for each step. */
    RawClient tokens(
            final long correlationId,
            final int modelId,
            final long sessionKey,
            final boolean isStreamed,
            final long budgetNs,
            final int... tokens) {
        final int length = putSteps(
                frame, correlationId, sessionKey, tokens.length, isStreamed, budgetNs, new float[tokens.length]);
        new InferEncoder().wrap(frame, Frames.HEADER_LENGTH).modelId(modelId);
        for (int step = 0; step < tokens.length; step++) {
            frame.putInt(Frames.FEATURES_OFFSET + step * Integer.BYTES, tokens[step], LITTLE_ENDIAN);
        }
        return sendOwn(length);
    }

    RawClient send(final DirectBuffer buffer, final int length) {
        harness.roundsUntil("sent", () -> publication.offer(buffer, 0, length) > 0);
        return this;
    }

    /** Whether it could be sent at once. */
    boolean trySend(final DirectBuffer buffer, final int length) {
        return publication.offer(buffer, 0, length) > 0;
    }

    int sessionId() {
        return publication.sessionId();
    }

    int maxUnfragmentedLength() {
        return publication.maxPayloadLength();
    }

    /** Rounds, listening, until something is so. */
    void until(final String what, final BooleanSupplier condition) {
        harness.roundsUntil(what, () -> {
            poll();
            return condition.getAsBoolean();
        });
    }

    int poll() {
        return subscription.poll(assembler, 64);
    }

    /** Whether the appliance still has the way back open. */
    boolean hears() {
        return subscription.isConnected();
    }

    /** Gone, without a word. */
    void vanish() {
        CloseHelper.closeAll(publication, subscription);
    }

    @Override
    public void close() {
        vanish();
    }

    private void onFrame(final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        header.wrap(buffer, offset);
        heardVersions.add(header.version());
        heardTermLength = aeronHeader.buffer().capacity();
        keepAnswer(buffer, offset, length);
        switch (header.templateId()) {
            case WelcomeDecoder.TEMPLATE_ID ->
                    onWelcome(new WelcomeDecoder().wrapAndApplyHeader(buffer, offset, header), buffer);
            case RejectDecoder.TEMPLATE_ID -> onReject(new RejectDecoder().wrapAndApplyHeader(buffer, offset, header));
            case ResultDecoder.TEMPLATE_ID -> onResult(new ResultDecoder().wrapAndApplyHeader(buffer, offset, header));
            case ChunkDecoder.TEMPLATE_ID -> chunkCount++;
            case HeartbeatDecoder.TEMPLATE_ID ->
                    heartbeats.add(new HeartbeatDecoder().wrapAndApplyHeader(buffer, offset, header).timestampNs());
            case ChallengeDecoder.TEMPLATE_ID -> {
                applianceNonce = new byte[Handshake.NONCE_LENGTH];
                new ChallengeDecoder().wrapAndApplyHeader(buffer, offset, header)
                        .getApplianceNonce(applianceNonce, 0, applianceNonce.length);
            }
            case ApplianceProofDecoder.TEMPLATE_ID -> applianceProof = bytes(buffer, offset, length);
            case GoodbyeDecoder.TEMPLATE_ID ->
                    goodbyes.add(new GoodbyeDecoder().wrapAndApplyHeader(buffer, offset, header).reason());
            default -> throw new AssertionError("templateId=" + header.templateId());
        }
    }

    private void onWelcome(final WelcomeDecoder welcome, final DirectBuffer buffer) {
        welcomedNonces.add(welcome.nonce());
        welcomedEntryLength = buffer.getShort(welcome.limit(), LITTLE_ENDIAN);
        welcomedModels.clear();
        for (final WelcomeDecoder.ModelsDecoder model : welcome.models()) {
            welcomedModels.add(model.modelId());
        }
    }

    private void keepAnswer(final DirectBuffer buffer, final int offset, final int length) {
        final boolean isResult = header.templateId() == ResultDecoder.TEMPLATE_ID;
        if (isResult || header.templateId() == ChunkDecoder.TEMPLATE_ID) {
            for (int index = 0; index < length; index++) {
                pendingAnswer.add(buffer.getByte(offset + index));
            }
        }
        if (isResult) {
            answers.add(List.copyOf(pendingAnswer));
            pendingAnswer.clear();
        }
    }

    private void onReject(final RejectDecoder reject) {
        rejections.add(new Rejection(reject.correlationId(), reject.code(), reject.offendingValue(),
                reject.allowedValue(), reject.templateId(), reject.detail()));
    }

    private void onResult(final ResultDecoder result) {
        results.add(new Result(result.correlationId(), result.sequence(), result.status()));
    }
}
