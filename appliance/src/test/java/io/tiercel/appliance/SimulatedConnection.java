package io.tiercel.appliance;

import io.aeron.Aeron;
import io.aeron.ChannelUri;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.Header;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.wire.ApplianceProofDecoder;
import io.tiercel.protocol.wire.ChallengeDecoder;
import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.GoodbyeEncoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HeartbeatDecoder;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.HelloEncoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.ProofEncoder;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.WelcomeDecoder;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A principal's way to the appliance and back: called for, let in, with a proof of who it is where there are keys, and
 * lost. It knows what the other end can know; when anything is done is its owner's affair.
 */
final class SimulatedConnection implements AutoCloseable {

    private static final String CHANNEL = "aeron:ipc";
    private static final String REQUEST_CHANNEL = "aeron:ipc?term-length=64k";
    private static final int RESPONSE_STREAM = 7301;
    private static final int PATIENCE_ACTS = 600;

    enum State { AWAY, CALLING, OPEN }

    /** Whose it is. */
    interface Owner {

        void onWelcome();

        /** Something to do while it is connected. */
        void talk();

        /** It is not connected any more, of its own will or not. */
        void leave(String why);

        /** A frame that is not about the connection. */
        void onFrame(MessageHeaderDecoder header, DirectBuffer buffer, int offset);
    }

    private final int nonce;
    private final int streamId;
    private final Aeron aeron;
    private final SimulatedPrincipal principal;
    private final SimulationCheck check;
    private final Owner owner;
    private final FragmentAssembler assembler = new FragmentAssembler(this::onFrame);
    private final ExpandableArrayBuffer frame = new ExpandableArrayBuffer();
    private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final Handshake handshake = new Handshake();
    private State state = State.AWAY;
    private ExclusivePublication publication;
    private Subscription subscription;
    private boolean isHelloSaid;
    private byte[] hello;
    private byte[] expectedProof;
    /** The answer to a challenge, until it has been sent. */
    private byte[] proofFrame;
    private boolean isLeaving;
    private int callingActs;

    /**
     * @param nonce    of its hellos.
     * @param streamId where the appliance is to hear it.
     */
    SimulatedConnection(
            final int nonce,
            final int streamId,
            final Aeron aeron,
            final SimulatedPrincipal principal,
            final SimulationCheck check,
            final Owner owner) {
        this.nonce = nonce;
        this.streamId = streamId;
        this.aeron = aeron;
        this.principal = principal;
        this.check = check;
        this.owner = owner;
    }

    /** Calls, waits to be heard, or lets its owner talk; who is calm calls at once. */
    void act(final boolean isCalm, final SplittableRandom random) {
        switch (state) {
            case AWAY -> {
                if (isCalm || random.nextInt(20) == 0) {
                    call();
                }
            }
            case CALLING -> {
                if (!greet()) {
                    owner.leave("unheard");
                }
            }
            case OPEN -> owner.talk();
            default -> throw new IllegalStateException(toString());
        }
    }

    /** The machine dies, and its owner with it. */
    void lose() {
        if (state != State.AWAY) {
            owner.leave("died too");
        }
    }

    State state() {
        return state;
    }

    private void call() {
        publication = aeron.addExclusivePublication(REQUEST_CHANNEL, streamId);
        subscription = aeron.addSubscription(
                ChannelUri.addSessionId(CHANNEL, publication.sessionId()), RESPONSE_STREAM);
        isHelloSaid = false;
        callingActs = 0;
        state = State.CALLING;
    }

    /** A moment of waiting for the welcome; false if it gives up. */
    private boolean greet() {
        if (!isHelloSaid && publication.isConnected()) {
            hello = newHello();
            isHelloSaid = offer(hello);
        }
        if (proofFrame != null && offer(proofFrame)) {
            proofFrame = null;
        }
        subscription.poll(assembler, 1);
        return (state != State.CALLING || ++callingActs <= PATIENCE_ACTS) && !isLeaving;
    }

    void poll(final int limit) {
        subscription.poll(assembler, limit);
    }

    /** Whether the appliance has ended it. */
    boolean isLost() {
        return isLeaving || !subscription.isConnected();
    }

    boolean offer(final byte[] bytes) {
        return publication.offer(new UnsafeBuffer(bytes), 0, bytes.length) > 0;
    }

    void offer(final DirectBuffer buffer, final int length) {
        publication.offer(buffer, 0, length);
    }

    void heartbeat(final long timestampNs) {
        new HeartbeatEncoder().wrapAndApplyHeader(frame, 0, headerEncoder).timestampNs(timestampNs);
        offer(frame, Frames.HEARTBEAT_LENGTH);
    }

    void goodbye() {
        new GoodbyeEncoder().wrapAndApplyHeader(frame, 0, headerEncoder).reason(GoodbyeReason.CLIENT_CLOSED);
        offer(frame, Frames.GOODBYE_LENGTH);
    }

    /** Gone, without a word. */
    void leave() {
        CloseHelper.closeAll(publication, subscription);
        assembler.clear();
        proofFrame = null;
        expectedProof = null;
        isLeaving = false;
        state = State.AWAY;
    }

    @Override
    public void close() {
        CloseHelper.closeAll(publication, subscription);
    }

    private byte[] newHello() {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[Frames.MAX_HELLO_LENGTH]);
        final HelloEncoder encoder = new HelloEncoder()
                .wrapAndApplyHeader(buffer, 0, headerEncoder)
                .responseStreamId(RESPONSE_STREAM)
                .nonce(nonce)
                .principal(principal.name())
                .responseChannel(CHANNEL);
        final byte[] bytes = Arrays.copyOf(buffer.byteArray(), encoder.limit());
        if (principal.key() != null) {
            final byte[] proof = handshake.helloProof(principal.key(), publication.sessionId(), bytes);
            System.arraycopy(proof, 0, bytes, Frames.HELLO_PROOF_OFFSET, proof.length);
        }
        return bytes;
    }

    private void onFrame(final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        header.wrap(buffer, offset);
        switch (header.templateId()) {
            case ChallengeDecoder.TEMPLATE_ID ->
                    onChallenge(new ChallengeDecoder().wrapAndApplyHeader(buffer, offset, header));
            case ApplianceProofDecoder.TEMPLATE_ID ->
                    onApplianceProof(new ApplianceProofDecoder().wrapAndApplyHeader(buffer, offset, header));
            case WelcomeDecoder.TEMPLATE_ID -> onWelcome();
            case GoodbyeDecoder.TEMPLATE_ID -> isLeaving = true;
            case HeartbeatDecoder.TEMPLATE_ID -> {}
            default -> {
                if (state == State.CALLING && header.templateId() == RejectDecoder.TEMPLATE_ID) {
                    isLeaving = true;
                } else {
                    owner.onFrame(header, buffer, offset);
                }
            }
        }
    }

    /** With a nonce that does not change: what would come of that is not what is simulated. */
    private void onChallenge(final ChallengeDecoder challenge) {
        final byte[] applianceNonce = new byte[Handshake.NONCE_LENGTH];
        challenge.getApplianceNonce(applianceNonce, 0, applianceNonce.length);
        final byte[] clientNonce = new byte[Handshake.NONCE_LENGTH];
        final int sessionId = publication.sessionId();
        expectedProof = handshake.applianceProof(principal.key(), sessionId, hello, applianceNonce, clientNonce);
        proofFrame = new byte[Frames.PROOF_LENGTH];
        new ProofEncoder().wrapAndApplyHeader(new UnsafeBuffer(proofFrame), 0, headerEncoder)
                .putClientNonce(clientNonce, 0, clientNonce.length)
                .putProof(handshake.clientProof(principal.key(), sessionId, hello, applianceNonce, clientNonce), 0,
                        Handshake.PROOF_LENGTH);
    }

    private void onApplianceProof(final ApplianceProofDecoder decoder) {
        final byte[] proof = new byte[Handshake.PROOF_LENGTH];
        decoder.getProof(proof, 0, proof.length);
        check.that(Arrays.equals(proof, expectedProof), () -> "an appliance that has another key: " + this);
        expectedProof = null;
    }

    private void onWelcome() {
        check.that(state == State.CALLING && expectedProof == null && proofFrame == null,
                () -> "a welcome that nobody waits for: " + this);
        state = State.OPEN;
        owner.onWelcome();
    }

    @Override
    public String toString() {
        return "principal=" + principal.name() + " state=" + state;
    }
}
