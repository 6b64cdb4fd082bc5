package io.tiercel.protocol.client;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.aeron.Aeron;
import io.aeron.ChannelUri;
import io.aeron.CommonContext;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.exceptions.AeronException;
import io.aeron.logbuffer.Header;
import io.tiercel.protocol.FrameValidator;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.wire.ApplianceProofDecoder;
import io.tiercel.protocol.wire.ChallengeDecoder;
import io.tiercel.protocol.wire.HelloEncoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.ProofEncoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.WelcomeDecoder;
import java.io.File;
import java.util.concurrent.TimeUnit;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A connection in the making. Each {@link #poll} does what can be done now and returns, so one thread can connect
 * and at the same time run the media driver, or other connections.
 *
 * <pre>
 *   driver ─▶ publication ─▶ subscription ─▶ appliance subscribes ─▶ hello sent ─▶ welcome
 *                                                                         └─▶ challenge ─▶ proof sent ─▶┘
 * </pre>
 *
 * <p>The publication comes first: its session id is what the response subscription listens for. An appliance that does
 * not speak this version says which one it does, and everything begins again in that. A client with a key
 * takes no welcome that the appliance's proof does not stand before, and speaks no version that has none.
 * Single-threaded; allocates; any failure closes what was opened and comes out of {@code poll} as a {@link
 * TiercelClientException}.
 */
public final class AsyncConnect implements AutoCloseable {

    /** What the connection waits for; the words are for a timeout's message. */
    private enum State {
        DRIVER("no media driver runs in aeronDirectoryName"),
        PUBLICATION("the media driver has not added the publication"),
        SUBSCRIPTION("the media driver has not added the subscription"),
        APPLIANCE("no appliance listens on requestChannel and requestStreamId"),
        HELLO("the hello finds no room"),
        WELCOME("the appliance has not answered the hello"),
        PROOF("the proof finds no room"),
        ADMITTANCE("the appliance has not answered the proof");

        private final String missing;

        State(final String missing) {
            this.missing = missing;
        }
    }

    private static final long DRIVER_PROBE_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(5);

    private final ClientContext context;
    private final NanoClock clock;
    private final AgentInvoker driverInvoker;
    private final long deadlineNs;
    private final AeronFailure aeronFailure = new AeronFailure();
    private final FragmentAssembler assembler = new FragmentAssembler(this::onFragment);
    private final FrameValidator validator = new FrameValidator(Integer.MAX_VALUE, Integer.MAX_VALUE);
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final Handshake handshake = new Handshake();
    private final byte[] key;

    private State state = State.DRIVER;
    private long nextDriverProbeNs;
    private Aeron aeron;
    private boolean ownsAeron;
    private long registrationId = Aeron.NULL_VALUE;
    private ExclusivePublication publication;
    private Subscription subscription;
    private int version = Frames.VERSION;
    /** What the appliance offers to speak instead, or 0. */
    private int offeredVersion;
    private long nonce;
    private byte[] hello;
    private byte[] applianceNonce;
    private byte[] clientNonce;
    private boolean hasApplianceProved;
    private Greeting greeting;
    private TiercelClientException failure;
    private boolean isOver;

    AsyncConnect(final ClientContext context) {
        this.context = context.conclude();
        clock = context.nanoClock();
        key = context.key();
        driverInvoker = context.driverInvoker();
        aeron = context.aeron();
        final long nowNs = clock.nanoTime();
        deadlineNs = nowNs + context.connectTimeoutNs();
        nextDriverProbeNs = nowNs;
    }

    /**
     * Takes the next steps.
     *
     * @return the client, once; before that, null.
     * @throws TiercelClientException if the appliance refused, or the time is up, or this was closed.
     */
    public TiercelClient poll() {
        if (isOver) {
            throw failure != null ? failure : new TiercelClientException("the connection was made or given up before");
        }
        advanceOrFail();
        if (failure != null) {
            close();
            throw failure;
        }
        if (greeting == null) {
            return null;
        }
        isOver = true;
        return new TiercelClient(
                context, aeron, ownsAeron, aeronFailure, publication, subscription, greeting, version);
    }

    /** Gives up. Has no effect on a client that was returned. */
    @Override
    public void close() {
        if (!isOver) {
            isOver = true;
            CloseHelper.quietCloseAll(publication, subscription);
            if (ownsAeron) {
                CloseHelper.quietClose(aeron);
            }
        }
    }

    private void advanceOrFail() {
        try {
            invoke();
            advance();
        } catch (final AeronException ex) {
            fail("aeron: " + ex.getMessage(), ex);
        }
        if (failure == null && aeronFailure.first() != null) {
            fail("aeron: " + aeronFailure.first().getMessage(), aeronFailure.first());
        }
        if (failure == null && greeting == null && clock.nanoTime() - deadlineNs >= 0) {
            fail("timeout: connectTimeoutNs=" + context.connectTimeoutNs() + " " + state.missing + " " + context, null);
        }
    }

    private void invoke() {
        AeronTurns.take(driverInvoker, 1);
        if (aeron != null) {
            AeronTurns.take(aeron.conductorAgentInvoker(), TiercelClient.MAX_TURNS);
        }
    }

    private void advance() {
        switch (state) {
            case DRIVER:
                awaitDriver();
                break;
            case PUBLICATION:
                awaitPublication();
                break;
            case SUBSCRIPTION:
                awaitSubscription();
                break;
            case APPLIANCE:
                if (publication.isConnected()) {
                    state = State.HELLO;
                }
                break;
            case HELLO:
                sendHello();
                break;
            case PROOF:
                sendProof();
                break;
            default:
                awaitWelcome();
                break;
        }
    }

    private void awaitDriver() {
        if (aeron == null) {
            connectAeron();
        }
        if (aeron != null) {
            registrationId = aeron.asyncAddExclusivePublication(requestUri(), context.requestStreamId());
            state = State.PUBLICATION;
        }
    }

    /** Asks first whether a driver is alive: Aeron's own connect would block until one is. */
    private void connectAeron() {
        final long nowNs = clock.nanoTime();
        if (nowNs - nextDriverProbeNs < 0) {
            return;
        }
        nextDriverProbeNs = nowNs + DRIVER_PROBE_INTERVAL_NS;
        final File directory = new File(context.aeronDirectoryName());
        if (CommonContext.isDriverActive(directory, context.driverTimeoutMs(), message -> {})) {
            aeron = Aeron.connect(new Aeron.Context()
                    .aeronDirectoryName(context.aeronDirectoryName())
                    .clientName("tiercel-client " + context.principal())
                    .driverTimeoutMs(context.driverTimeoutMs())
                    .driverAgentInvoker(driverInvoker)
                    .useConductorAgentInvoker(true)
                    .preTouchMappedMemory(true)
                    .errorHandler(aeronFailure)
                    .subscriberErrorHandler(AeronFailure::rethrow));
            ownsAeron = true;
        }
    }

    private void awaitPublication() {
        publication = aeron.getExclusivePublication(registrationId);
        if (publication != null) {
            final String uri = ChannelUri.addSessionId(context.responseChannel(), publication.sessionId());
            registrationId = aeron.asyncAddSubscription(uri, context.responseStreamId());
            state = State.SUBSCRIPTION;
        }
    }

    private void awaitSubscription() {
        subscription = aeron.getSubscription(registrationId);
        if (subscription != null) {
            state = State.APPLIANCE;
        }
    }

    private void sendHello() {
        nonce = aeron.nextCorrelationId();
        final UnsafeBuffer frame = new UnsafeBuffer(
                BufferUtil.allocateDirectAligned(Frames.MAX_HELLO_LENGTH, BitUtil.CACHE_LINE_LENGTH));
        final int blockLength = Frames.helloBlockLength(version);
        final HelloEncoder encoder = new HelloEncoder()
                .wrapAndApplyHeader(frame, 0, new MessageHeaderEncoder())
                .responseStreamId(context.responseStreamId())
                .nonce(nonce);
        encoder.limit(Frames.HEADER_LENGTH + blockLength);
        encoder.principal(context.principal()).responseChannel(context.responseChannel());
        frame.putShort(MessageHeaderEncoder.blockLengthEncodingOffset(), (short) blockLength, LITTLE_ENDIAN);
        frame.putShort(Frames.VERSION_OFFSET, (short) version, LITTLE_ENDIAN);
        hello = new byte[encoder.limit()];
        frame.getBytes(0, hello);
        if (key != null) {
            frame.putBytes(Frames.HELLO_PROOF_OFFSET, handshake.helloProof(key, publication.sessionId(), hello));
            frame.getBytes(0, hello);
        }
        offer(frame, hello.length, State.WELCOME);
    }

    private void sendProof() {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[Frames.PROOF_LENGTH]);
        new ProofEncoder().wrapAndApplyHeader(frame, 0, new MessageHeaderEncoder())
                .putClientNonce(clientNonce, 0, Handshake.NONCE_LENGTH)
                .putProof(handshake.clientProof(key, publication.sessionId(), hello, applianceNonce, clientNonce),
                        0, Handshake.PROOF_LENGTH);
        frame.putShort(Frames.VERSION_OFFSET, (short) version, LITTLE_ENDIAN);
        offer(frame, Frames.PROOF_LENGTH, State.ADMITTANCE);
    }

    private void offer(final UnsafeBuffer frame, final int length, final State next) {
        final long position = publication.offer(frame, 0, length);
        if (position > 0) {
            state = next;
        } else if (position == Publication.NOT_CONNECTED && next == State.WELCOME) {
            state = State.APPLIANCE;
        }
    }

    private void awaitWelcome() {
        subscription.poll(assembler, 1);
        if (offeredVersion != 0 && failure == null) {
            beginAgain();
        } else if (greeting == null && failure == null && !publication.isConnected()) {
            fail("the appliance went away before it answered the hello", null);
        }
    }

    private void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        final int code = validator.checkFromAppliance(buffer, offset, length);
        if (code != FrameValidator.OK) {
            fail("the appliance broke the protocol: code=" + RejectCode.get(code) +
                    " offendingValue=" + validator.offendingValue(), null);
            return;
        }
        header.wrap(buffer, offset);
        if (header.templateId() == WelcomeDecoder.TEMPLATE_ID) {
            onWelcome(new WelcomeDecoder().wrapAndApplyHeader(buffer, offset, header));
        } else if (header.templateId() == RejectDecoder.TEMPLATE_ID) {
            onReject(new RejectDecoder().wrapAndApplyHeader(buffer, offset, header));
        } else if (header.templateId() == ChallengeDecoder.TEMPLATE_ID && state == State.WELCOME) {
            onChallenge(new ChallengeDecoder().wrapAndApplyHeader(buffer, offset, header));
        } else if (header.templateId() == ApplianceProofDecoder.TEMPLATE_ID && state == State.ADMITTANCE) {
            onApplianceProof(new ApplianceProofDecoder().wrapAndApplyHeader(buffer, offset, header));
        } else {
            fail("the appliance broke the protocol: templateId=" + header.templateId() + " before a welcome", null);
        }
    }

    private void onChallenge(final ChallengeDecoder challenge) {
        if (key == null) {
            fail("the appliance asks for a proof, and there is no key for principal=" + context.principal(), null);
        } else if (challenge.nonce() != nonce) {
            fail("the appliance broke the protocol: nonce=" + challenge.nonce() + " expected=" + nonce, null);
        } else {
            applianceNonce = new byte[Handshake.NONCE_LENGTH];
            challenge.getApplianceNonce(applianceNonce, 0, applianceNonce.length);
            clientNonce = new byte[Handshake.NONCE_LENGTH];
            context.randomBytes().accept(clientNonce);
            state = State.PROOF;
        }
    }

    private void onApplianceProof(final ApplianceProofDecoder decoder) {
        final byte[] proof = new byte[Handshake.PROOF_LENGTH];
        decoder.getProof(proof, 0, proof.length);
        hasApplianceProved = Handshake.isEqual(proof,
                handshake.applianceProof(key, publication.sessionId(), hello, applianceNonce, clientNonce));
        if (!hasApplianceProved) {
            failUnproved("the appliance's proof is wrong: it does not have the key");
        }
    }

    private void onWelcome(final WelcomeDecoder welcome) {
        final Greeting offered = Greeting.of(welcome);
        if (key != null && !hasApplianceProved) {
            failUnproved(
                    "the appliance has not proved that it has the key: it runs without access.keys, or is another " +
                            "one");
            return;
        }
        if (offered.nonce() != nonce) {
            fail("the appliance broke the protocol: nonce=" + offered.nonce() + " expected=" + nonce, null);
        } else {
            greeting = offered;
        }
    }

    private void onReject(final RejectDecoder reject) {
        final RejectCode code = Codes.rejectCode(reject.codeRaw());
        if (code == RejectCode.UNSUPPORTED_VERSION && reject.allowedValue() > 0 && reject.allowedValue() < version) {
            offeredVersion = (int) reject.allowedValue();
            if (key != null && offeredVersion < Frames.ACCESS_SINCE_VERSION) {
                failUnproved("the appliance speaks version=" + offeredVersion + ", which has no proofs");
            }
        } else {
            failure = new TiercelClientException(code, reject.detail());
        }
    }

    /** A refused connection is over: the next hello goes out on a publication of its own. */
    private void beginAgain() {
        version = offeredVersion;
        offeredVersion = 0;
        hasApplianceProved = false;
        CloseHelper.quietCloseAll(publication, subscription);
        state = State.DRIVER;
    }

    private void fail(final String detail, final Throwable cause) {
        failure = new TiercelClientException(detail, cause);
    }

    private void failUnproved(final String detail) {
        failure = TiercelClientException.applianceUnproved(detail + " principal=" + context.principal());
    }

    private String requestUri() {
        final ChannelUri uri = ChannelUri.parse(context.requestChannel());
        if (!uri.containsKey(CommonContext.TERM_LENGTH_PARAM_NAME)) {
            uri.put(CommonContext.TERM_LENGTH_PARAM_NAME, Integer.toString(context.requestTermLength()));
        }
        return uri.toString();
    }
}
