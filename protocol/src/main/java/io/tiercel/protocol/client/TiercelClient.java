package io.tiercel.protocol.client;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Image;
import io.aeron.ImageFragmentAssembler;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.logbuffer.Header;
import io.tiercel.protocol.FrameValidator;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.ChunkDecoder;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HeartbeatDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.VersionsDecoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A connection to an appliance: requests out, answers in, never blocking.
 *
 * <p><b>Thread.</b> One thread owns a client and does everything with it. That thread must poll, also when it expects
 * nothing: polling runs Aeron's conductor and sends the heartbeats. Poll ten times a second at the least; spin on it
 * for microseconds.
 *
 * <p><b>Allocation.</b> None for a request or an answer; a refusal's text is the exception, if it is not that of the
 * last one.
 *
 * <p><b>Failure.</b> Sending returns a sentinel below 0 where there is no room, no appliance or no driver; it throws
 * only for arguments that no appliance could accept. A lost connection is told once, by
 * {@link ResponseHandler#onDisconnect}; this client is then of no more use, and {@link #connect} makes another.
 *
 * <pre>{@code
 * try (TiercelClient client = TiercelClient.connect(new ClientContext().principal("desk-7"))) {
 *     final ModelInfo model = client.model("flow");
 *     final long correlationId = client.infer(model.modelId(), instrumentId, features, 20_000);
 *     while (client.isConnected()) {
 *         client.poll(handler, 16);
 *     }
 * }
 * }</pre>
 */
public final class TiercelClient implements AutoCloseable {

    /** No room now: poll, then send again. */
    public static final long BACK_PRESSURED = -1;
    /** The appliance is gone: poll to hear why, then connect anew. */
    public static final long NOT_CONNECTED = -2;
    /** This client was closed, or its media driver is gone. */
    public static final long CLOSED = -3;

    private static final long CONNECTED = 0;
    private static final int NO_MODEL = -1;
    /** Of Aeron, in a service: twenty thousand a second, even if that comes as rarely as may be. */
    static final int MAX_TURNS = 1_024;
    /** Between two services, if polls come slowly; a client that spins has the interval of its context. */
    private static final long SERVICE_NS = TimeUnit.MILLISECONDS.toNanos(50);

    /** {@link #CONNECTED}, or what sending returns from now on. */
    private long refusal = CONNECTED;
    private long nextCorrelationId;
    private int inFlightCount;
    private int pollsUntilService = 1;
    private boolean hasSentSinceService;
    private boolean isPolling;
    private ResponseHandler handler;
    private String lastDetail = "";

    private final Image image;
    private final RequestWriter writer;
    private final int maxFloatCount;
    private final int maxInFlight;
    private final int maxSteps;
    private final int version;
    private final int[] featureCounts;
    private final int[] vocabularySizes;
    private final FrameValidator validator;
    private final ImageFragmentAssembler assembler = new ImageFragmentAssembler(this::onFragment);
    private final MessageHeaderDecoder headerDecoder = new MessageHeaderDecoder();
    private final ResultDecoder result = new ResultDecoder();
    private final ChunkDecoder chunk = new ChunkDecoder();
    private final RejectDecoder reject = new RejectDecoder();
    private final UnsafeBuffer detail = new UnsafeBuffer(0, 0);

    private final AgentInvoker conductorInvoker;
    private final AgentInvoker driverInvoker;
    private final NanoClock clock;
    private final int serviceInterval;
    private final long heartbeatIntervalNs;
    private long lastServiceNs;
    private long lastSentNs;
    private int pollsPerService = 1;

    private final Aeron aeron;
    private final boolean ownsAeron;
    private final AeronFailure aeronFailure;
    private final ExclusivePublication publication;
    private final Subscription subscription;
    private final Greeting greeting;
    private String disconnectCause = "";
    private boolean isClosed;
    private boolean isReleased;

    TiercelClient(
            final ClientContext context,
            final Aeron aeron,
            final boolean ownsAeron,
            final AeronFailure aeronFailure,
            final ExclusivePublication publication,
            final Subscription subscription,
            final Greeting greeting,
            final int version) {
        this.aeron = aeron;
        this.ownsAeron = ownsAeron;
        this.aeronFailure = aeronFailure;
        this.publication = publication;
        this.subscription = subscription;
        this.greeting = greeting;
        image = subscription.imageAtIndex(0);
        conductorInvoker = aeron.conductorAgentInvoker();
        driverInvoker = context.driverInvoker();
        clock = context.nanoClock();
        serviceInterval = context.serviceInterval();
        heartbeatIntervalNs = Math.min(
                context.heartbeatIntervalNs(), TimeUnit.MILLISECONDS.toNanos(greeting.heartbeatTimeoutMs()) / 3);
        final int maxFrameLength = Math.min(greeting.maxFrameLength(), publication.maxMessageLength());
        writer = new RequestWriter(publication, maxFrameLength, version);
        maxFloatCount = (maxFrameLength - Frames.FEATURES_OFFSET) / Float.BYTES;
        maxInFlight = greeting.maxInFlight();
        maxSteps = greeting.maxSteps();
        this.version = version;
        featureCounts = byModelId(greeting.models(), ModelInfo::featureCount);
        vocabularySizes = byModelId(greeting.models(), ModelInfo::vocabularySize);
        validator = new FrameValidator(Integer.MAX_VALUE, maxSteps);
        nextCorrelationId = context.firstCorrelationId() != 0
                ? context.firstCorrelationId()
                : CorrelationIds.first(context.epochNanoClock().nanoTime(), aeron.clientId(), publication.sessionId());
        lastServiceNs = clock.nanoTime();
        lastSentNs = lastServiceNs;
    }

    /**
     * Connects, waiting for the welcome at most {@link ClientContext#connectTimeoutNs}.
     *
     * @throws TiercelClientException if the appliance refuses or does not answer in time.
     */
    public static TiercelClient connect(final ClientContext context) {
        try (AsyncConnect connecting = asyncConnect(context)) {
            final IdleStrategy idleStrategy = context.idleStrategy();
            TiercelClient client = connecting.poll();
            while (client == null) {
                idleStrategy.idle();
                client = connecting.poll();
            }
            return client;
        }
    }

    /** Begins to connect; poll what is returned until it returns the client. */
    public static AsyncConnect asyncConnect(final ClientContext context) {
        return new AsyncConnect(context);
    }

    /**
     * Steps a session through as many steps as {@code features} holds, and asks for the last one's outputs.
     *
     * @param features all steps' features, step by step: a multiple of the model's feature count.
     * @param budgetNs 0, or nanoseconds from arrival after which an answer is of no use.
     * @return the correlation id of the answer, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     * @throws IllegalArgumentException for a model, count or length that the welcome rules out.
     */
    public long infer(final int modelId, final long sessionKey, final float[] features, final long budgetNs) {
        return counted(sendInfer(nextCorrelationId, modelId, sessionKey, features, budgetNs));
    }

    /**
     * Sends a request again under the id that it had, on this connection or an earlier one of this principal. If the
     * appliance has taken it and it is one of the {@link #retryWindow} newest, the answer is that of the first time,
     * and the session is not stepped again; if not, it is taken now. Every argument must be what it was: another
     * request under a known id is refused with {@code CORRELATION_ID_REUSED}. It counts as in flight.
     *
     * @param correlationId what {@link #infer} returned.
     * @return {@code correlationId}, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     * @throws IllegalArgumentException for an id, model, count or length that the welcome rules out.
     */
    public long inferAgain(
            final long correlationId,
            final int modelId,
            final long sessionKey,
            final float[] features,
            final long budgetNs) {
        checkCorrelationId(correlationId);
        return sendInfer(correlationId, modelId, sessionKey, features, budgetNs);
    }

    /**
     * Steps a session; the features are copied as they stand.
     *
     * @param features  little-endian binary32 values, {@code stepCount} times the model's feature count, from
     *                  {@code offset}; of a model with a vocabulary {@code stepCount} tokens, 4 bytes each.
     * @param budgetNs  0, or nanoseconds from arrival after which an answer is of no use.
     * @param stream    whether each step's outputs are wanted, as chunks before the result.
     * @return the correlation id of the answer, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     * @throws IllegalArgumentException for a model, count or length that the welcome rules out.
     */
    public long infer(
            final int modelId,
            final long sessionKey,
            final DirectBuffer features,
            final int offset,
            final int stepCount,
            final long budgetNs,
            final boolean stream) {
        return counted(sendInfer(
                nextCorrelationId, modelId, sessionKey, features, offset, stepCount, budgetNs, stream));
    }

    /**
     * Sends a request again under the id that it had: see {@link #inferAgain(long, int, long, float[], long)}. The
     * answer to a streamed request has its chunks again.
     *
     * @param correlationId what {@link #infer} returned.
     * @return {@code correlationId}, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     * @throws IllegalArgumentException for an id, model, count or length that the welcome rules out.
     */
    public long inferAgain(
            final long correlationId,
            final int modelId,
            final long sessionKey,
            final DirectBuffer features,
            final int offset,
            final int stepCount,
            final long budgetNs,
            final boolean stream) {
        checkCorrelationId(correlationId);
        return sendInfer(correlationId, modelId, sessionKey, features, offset, stepCount, budgetNs, stream);
    }

    /**
     * Steps a session through tokens, and asks for the last one's outputs.
     *
     * @param tokens   one for each step, from 0 to below the model's {@link ModelInfo#vocabularySize}.
     * @param budgetNs 0, or nanoseconds from arrival after which an answer is of no use.
     * @return the correlation id of the answer, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     * @throws IllegalArgumentException for a model, token, count or length that the welcome rules out.
     */
    public long inferTokens(final int modelId, final long sessionKey, final int[] tokens, final long budgetNs) {
        return inferTokens(modelId, sessionKey, tokens, 0, tokens.length, budgetNs, false);
    }

    /**
     * Steps a session through a part of an array of tokens.
     *
     * @param tokens    of which those from {@code offset} are sent, one for each step, from 0 to below the model's
     *                  {@link ModelInfo#vocabularySize}.
     * @param budgetNs  0, or nanoseconds from arrival after which an answer is of no use.
     * @param stream    whether each step's outputs are wanted, as chunks before the result.
     * @return the correlation id of the answer, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     * @throws IllegalArgumentException for a model, token, count or length that the welcome rules out.
     */
    public long inferTokens(
            final int modelId,
            final long sessionKey,
            final int[] tokens,
            final int offset,
            final int stepCount,
            final long budgetNs,
            final boolean stream) {
        return counted(sendTokens(nextCorrelationId, modelId, sessionKey, tokens, offset, stepCount, budgetNs, stream));
    }

    /**
     * Sends a request again under the id that it had: see {@link #inferAgain(long, int, long, float[], long)}.
     *
     * @param correlationId what {@link #inferTokens} returned.
     * @return {@code correlationId}, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     * @throws IllegalArgumentException for an id, model, token, count or length that the welcome rules out.
     */
    public long inferTokensAgain(
            final long correlationId,
            final int modelId,
            final long sessionKey,
            final int[] tokens,
            final int offset,
            final int stepCount,
            final long budgetNs,
            final boolean stream) {
        checkCorrelationId(correlationId);
        return sendTokens(correlationId, modelId, sessionKey, tokens, offset, stepCount, budgetNs, stream);
    }

    /**
     * Puts a session back to its first state, in order with its other requests.
     *
     * @return the correlation id of the answer, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     */
    public long resetSession(final int modelId, final long sessionKey) {
        return counted(sendResetSession(nextCorrelationId, modelId, sessionKey));
    }

    /**
     * Sends a reset again under the id that it had: see {@link #inferAgain(long, int, long, float[], long)}. If it was
     * taken before, the session is not reset again.
     *
     * @param correlationId what {@link #resetSession} returned.
     * @return {@code correlationId}, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     */
    public long resetSessionAgain(final long correlationId, final int modelId, final long sessionKey) {
        checkCorrelationId(correlationId);
        return sendResetSession(correlationId, modelId, sessionKey);
    }

    /**
     * Puts a session, new or not, where another one of the model stands, in order with the requests of both: what it
     * is asked from then on does not disturb the other.
     *
     * @param sessionKey of the copy.
     * @param sourceKey  of the session that is copied; it must have been asked something.
     * @return the correlation id of the answer, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     * @throws UnsupportedOperationException if the appliance speaks version 2 or 1.
     */
    public long forkSession(final int modelId, final long sessionKey, final long sourceKey) {
        return counted(sendForkSession(nextCorrelationId, modelId, sessionKey, sourceKey));
    }

    /**
     * Sends a fork again under the id that it had: see {@link #inferAgain(long, int, long, float[], long)}. If it was
     * taken before, nothing is copied again.
     *
     * @param correlationId what {@link #forkSession} returned.
     * @return {@code correlationId}, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     */
    public long forkSessionAgain(
            final long correlationId, final int modelId, final long sessionKey, final long sourceKey) {
        checkCorrelationId(correlationId);
        return sendForkSession(correlationId, modelId, sessionKey, sourceKey);
    }

    /**
     * Steps a session through tokens, and then through those that the model makes of them: each comes as a chunk when
     * it is made, the last one with the result. One output pair each: the token, then its probability. The last token
     * has not been stepped through: to go on, begin with it.
     *
     * @param tokens   at least one, each from 0 to below the model's {@link ModelInfo#vocabularySize}.
     * @param budgetNs 0, or nanoseconds from arrival after which the first token is of no use.
     * @return the correlation id of the answers, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     *         It and the {@code maxTokens - 1} that follow it are the generation's.
     * @throws IllegalArgumentException for a model, token, count or length that the welcome rules out.
     * @throws UnsupportedOperationException if the appliance speaks version 2 or 1.
     */
    public long generate(
            final int modelId,
            final long sessionKey,
            final int[] tokens,
            final Generation generation,
            final long budgetNs) {
        final long sent = sendGenerate(nextCorrelationId, modelId, sessionKey, tokens, generation, budgetNs);
        if (sent > 0) {
            nextCorrelationId += generation.maxTokens();
        }
        return sent;
    }

    /**
     * Sends a generation again under the id that it had: see {@link #inferAgain(long, int, long, float[], long)}. The
     * tokens that were made come again, and if it was broken off, it goes on from there.
     *
     * @param correlationId what {@link #generate} returned.
     * @return {@code correlationId}, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     */
    public long generateAgain(
            final long correlationId,
            final int modelId,
            final long sessionKey,
            final int[] tokens,
            final Generation generation,
            final long budgetNs) {
        checkCorrelationId(correlationId);
        return sendGenerate(correlationId, modelId, sessionKey, tokens, generation, budgetNs);
    }

    /**
     * Asks for no more tokens of a generation of this connection. Its result says CANCELLED, or is what it would have
     * been if it was there first.
     *
     * @param correlationId what {@link #generate} returned.
     * @return {@code correlationId}, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     */
    public long cancelGeneration(final long correlationId) {
        checkCorrelationId(correlationId);
        checkHasGenerations();
        if (refusal != CONNECTED) {
            return refusal;
        }
        final long position = writer.open(Frames.CANCEL_GENERATION_LENGTH);
        if (position < 0) {
            return refused(position);
        }
        writer.putCancelGeneration(correlationId);
        writer.send(Frames.CANCEL_GENERATION_LENGTH);
        hasSentSinceService = true;
        return correlationId;
    }

    /**
     * Asks for what an administrator may ask for, on a connection to the administrators' stream: answered by {@link
     * ResponseHandler#onResult} with APPLIED, by {@link ResponseHandler#onVersions}, or by a reject. Whether a command
     * without an answer has had its effect, the versions tell. Allocates; not for a hot path.
     *
     * @return the correlation id of the answer, or {@link #BACK_PRESSURED}, {@link #NOT_CONNECTED}, {@link #CLOSED}.
     * @throws UnsupportedOperationException if the appliance speaks an earlier version than 6.
     */
    public long administer(final AdminRequest request) {
        if (version < Frames.ADMIN_SINCE_VERSION) {
            throw new UnsupportedOperationException(
                    "version=" + version + " of the appliance is below " + Frames.ADMIN_SINCE_VERSION);
        }
        final int length = Frames.administerLength(request.routes().size(), request.bundle().length());
        if (length > maxFrameLength()) {
            throw new IllegalArgumentException("frameLength=" + length + " maxFrameLength=" + maxFrameLength());
        }
        final long refused = open(length);
        if (refused != CONNECTED) {
            return refused;
        }
        writer.putAdminister(nextCorrelationId, request);
        return counted(send(nextCorrelationId, length));
    }

    /**
     * Delivers what has arrived, at most {@code fragmentLimit} frames, and does the client's housekeeping.
     *
     * @return work done: 0 means that the caller may idle.
     */
    public int poll(final ResponseHandler handler, final int fragmentLimit) {
        int workCount = 0;
        if (refusal == CONNECTED) {
            this.handler = handler;
            workCount = pollImage(fragmentLimit);
            if (--pollsUntilService <= 0 && refusal == CONNECTED) {
                workCount += service();
            }
        }
        if (refusal != CONNECTED && !isReleased) {
            workCount++;
            endConnection(handler);
        }
        return workCount;
    }

    /** Whether requests can be sent. */
    public boolean isConnected() {
        return refusal == CONNECTED;
    }

    /** Requests without an answer yet; at {@link #maxInFlight} sending returns {@link #BACK_PRESSURED}. */
    public int inFlight() {
        return inFlightCount;
    }

    /**
     * The model of that name.
     *
     * @throws IllegalArgumentException if the appliance does not serve it.
     */
    public ModelInfo model(final String alias) {
        for (final ModelInfo model : greeting.models()) {
            if (model.alias().equals(alias)) {
                return model;
            }
        }
        throw new IllegalArgumentException("alias=" + alias + " is not served; models=" + greeting.models());
    }

    public List<ModelInfo> models() {
        return greeting.models();
    }

    /** Index of this connection in the appliance's counters. */
    public int clientId() {
        return greeting.clientId();
    }

    /** Bytes of a frame, header included. */
    public int maxFrameLength() {
        return greeting.maxFrameLength();
    }

    public int maxInFlight() {
        return maxInFlight;
    }

    public int maxSteps() {
        return maxSteps;
    }

    /** Sessions in the whole appliance. */
    public int maxSessions() {
        return greeting.maxSessions();
    }

    /** What an answered request survives. */
    public Durability durability() {
        return greeting.durability();
    }

    /** What the appliance does with requests that come faster than it computes. */
    public Overload overload() {
        return greeting.overload();
    }

    /** Newest requests of this principal whose repetition is answered and not computed again; 0: none. */
    public int retryWindow() {
        return greeting.retryWindow();
    }

    /** Requests a second that the appliance takes of this client; 0: no limit. */
    public int maxRatePerSecond() {
        return greeting.maxRatePerSecond();
    }

    /** Why the connection is over, in words for a log; empty while it is not. */
    public String disconnectCause() {
        return disconnectCause;
    }

    /** Says goodbye and lets go of everything. May be called in a callback. */
    @Override
    public void close() {
        if (refusal == CONNECTED) {
            sendGoodbye();
            disconnectCause = "closed by its owner";
        }
        refusal = CLOSED;
        isClosed = true;
        if (!isPolling) {
            release();
        }
    }

    private long sendInfer(
            final long correlationId,
            final int modelId,
            final long sessionKey,
            final float[] features,
            final long budgetNs) {
        final int featureCount = featureCount(modelId);
        final int stepCount = features.length == featureCount ? 1 : stepCountOf(modelId, featureCount, features.length);
        checkInfer(features.length, stepCount, budgetNs);
        final int length = Frames.inferLength(features.length);
        final long refused = open(length);
        if (refused != CONNECTED) {
            return refused;
        }
        writer.putInfer(correlationId, sessionKey, budgetNs, modelId, stepCount, featureCount, false);
        writer.putFeatures(features);
        return send(correlationId, length);
    }

    private long sendInfer(
            final long correlationId,
            final int modelId,
            final long sessionKey,
            final DirectBuffer features,
            final int offset,
            final int stepCount,
            final long budgetNs,
            final boolean stream) {
        final int featureCount = featureCount(modelId);
        checkInfer((long) stepCount * featureCount, stepCount, budgetNs);
        final int featuresLength = stepCount * featureCount * Float.BYTES;
        checkRange(features, offset, featuresLength);
        final int length = Frames.FEATURES_OFFSET + featuresLength;
        final long refused = open(length);
        if (refused != CONNECTED) {
            return refused;
        }
        writer.putInfer(correlationId, sessionKey, budgetNs, modelId, stepCount, featureCount, stream);
        writer.putFeatures(features, offset, featuresLength);
        return send(correlationId, length);
    }

    private long sendTokens(
            final long correlationId,
            final int modelId,
            final long sessionKey,
            final int[] tokens,
            final int offset,
            final int stepCount,
            final long budgetNs,
            final boolean stream) {
        featureCount(modelId);
        checkInfer(stepCount, stepCount, budgetNs);
        checkTokens(modelId, tokens, offset, stepCount);
        final int length = Frames.inferLength(stepCount);
        final long refused = open(length);
        if (refused != CONNECTED) {
            return refused;
        }
        writer.putInfer(correlationId, sessionKey, budgetNs, modelId, stepCount, 1, stream);
        writer.putTokens(tokens, offset, stepCount);
        return send(correlationId, length);
    }

    private long sendResetSession(final long correlationId, final int modelId, final long sessionKey) {
        featureCount(modelId);
        final long refused = open(Frames.RESET_SESSION_LENGTH);
        if (refused != CONNECTED) {
            return refused;
        }
        writer.putResetSession(correlationId, sessionKey, modelId);
        return send(correlationId, Frames.RESET_SESSION_LENGTH);
    }

    private long sendForkSession(
            final long correlationId, final int modelId, final long sessionKey, final long sourceKey) {
        checkHasGenerations();
        featureCount(modelId);
        final long refused = open(Frames.FORK_SESSION_LENGTH);
        if (refused != CONNECTED) {
            return refused;
        }
        writer.putForkSession(correlationId, sessionKey, sourceKey, modelId);
        return send(correlationId, Frames.FORK_SESSION_LENGTH);
    }

    private long sendGenerate(
            final long correlationId,
            final int modelId,
            final long sessionKey,
            final int[] tokens,
            final Generation generation,
            final long budgetNs) {
        checkHasGenerations();
        featureCount(modelId);
        final int length = Frames.generateLength(tokens.length, generation.stopTokens().length);
        checkInfer((length - Frames.FEATURES_OFFSET) / Float.BYTES, tokens.length, budgetNs);
        checkTokens(modelId, tokens, 0, tokens.length);
        final long refused = open(length);
        if (refused != CONNECTED) {
            return refused;
        }
        writer.putGenerate(correlationId, sessionKey, budgetNs, modelId, tokens, generation);
        return send(correlationId, length);
    }

    private void checkHasGenerations() {
        if (version < Frames.GENERATIONS_SINCE_VERSION) {
            throw new UnsupportedOperationException("version=" + version + " of the appliance is below " +
                    Frames.GENERATIONS_SINCE_VERSION);
        }
    }

    private long open(final int length) {
        if (refusal != CONNECTED) {
            return refusal;
        }
        if (inFlightCount >= maxInFlight) {
            return BACK_PRESSURED;
        }
        final long position = writer.open(length);
        return position > 0 ? CONNECTED : refused(position);
    }

    private long send(final long correlationId, final int length) {
        final long position = writer.send(length);
        if (position < 0) {
            return refused(position);
        }
        hasSentSinceService = true;
        inFlightCount++;
        return correlationId;
    }

    /** Of a request that had the next id: if it was sent, the one after it is the next. */
    private long counted(final long sent) {
        if (sent > 0) {
            nextCorrelationId++;
        }
        return sent;
    }

    /** Room comes from the driver and the conductor, so they get a turn here: the caller may be about to spin. */
    private long refused(final long position) {
        if (position == Publication.MAX_POSITION_EXCEEDED) {
            disconnect(CLOSED, "the request log is at its last position");
        } else {
            service();
        }
        if (refusal != CONNECTED) {
            return refusal;
        }
        return position == Publication.NOT_CONNECTED ? NOT_CONNECTED : BACK_PRESSURED;
    }

    private int pollImage(final int fragmentLimit) {
        isPolling = true;
        try {
            return image.poll(assembler, fragmentLimit);
        } finally {
            isPolling = false;
        }
    }

    private void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        if (refusal != CONNECTED) {
            return;
        }
        final int code = validator.checkFromAppliance(buffer, offset, length);
        if (code != FrameValidator.OK) {
            throw protocolBroken(code);
        }
        headerDecoder.wrap(buffer, offset);
        switch (headerDecoder.templateId()) {
            case ResultDecoder.TEMPLATE_ID:
                onResult(buffer, offset);
                break;
            case ChunkDecoder.TEMPLATE_ID:
                onChunk(buffer, offset);
                break;
            case VersionsDecoder.TEMPLATE_ID:
                onVersions(new VersionsDecoder().wrapAndApplyHeader(buffer, offset, headerDecoder));
                break;
            case RejectDecoder.TEMPLATE_ID:
                onReject(reject.wrapAndApplyHeader(buffer, offset, headerDecoder));
                break;
            case GoodbyeDecoder.TEMPLATE_ID:
                onGoodbye(new GoodbyeDecoder().wrapAndApplyHeader(buffer, offset, headerDecoder));
                break;
            case HeartbeatDecoder.TEMPLATE_ID:
                break;
            default:
                throw protocolBroken(FrameValidator.OK);
        }
    }

    private void onResult(final DirectBuffer buffer, final int offset) {
        result.wrapAndApplyHeader(buffer, offset, headerDecoder);
        inFlightCount--;
        if (headerDecoder.version() >= Frames.BEGINNINGS_SINCE_VERSION && result.flags().sessionBegan()) {
            handler.onSessionBegan(result.correlationId(), result.sessionKey(), result.sequence());
        }
        handler.onResult(
                result.correlationId(),
                result.sessionKey(),
                result.sequence(),
                result.status(),
                (int) result.applianceNs(),
                result.batchSize(),
                buffer,
                offset + Frames.RESULT_OUTPUTS_OFFSET,
                result.outputsLength() / Float.BYTES);
    }

    private void onChunk(final DirectBuffer buffer, final int offset) {
        chunk.wrapAndApplyHeader(buffer, offset, headerDecoder);
        if (headerDecoder.version() >= Frames.BEGINNINGS_SINCE_VERSION && chunk.flags().sessionBegan()) {
            handler.onSessionBegan(chunk.correlationId(), chunk.sessionKey(), chunk.sequence());
        }
        handler.onChunk(
                chunk.correlationId(),
                chunk.sessionKey(),
                chunk.sequence(),
                (int) chunk.stepIndex(),
                buffer,
                offset + Frames.CHUNK_OUTPUTS_OFFSET,
                chunk.outputCount());
    }

    private void onVersions(final VersionsDecoder versions) {
        inFlightCount--;
        final long correlationId = versions.correlationId();
        final long sequence = versions.sequence();
        final byte[] version = new byte[VersionsDecoder.ServedDecoder.modelVersionLength()];
        final List<ServedVersion> all = new ArrayList<>();
        for (final VersionsDecoder.ServedDecoder served : versions.served()) {
            served.getModelVersion(version, 0, version.length);
            all.add(new ServedVersion(served.modelId(), HexFormat.of().formatHex(version), served.weight(),
                    served.formerWeight(), served.flags().drained(), served.sessionCount()));
        }
        handler.onVersions(correlationId, sequence, all);
    }

    private void onReject(final RejectDecoder refused) {
        if (Frames.isRequest(refused.templateId())) {
            inFlightCount--;
        }
        handler.onReject(
                refused.correlationId(),
                Codes.rejectCode(refused.codeRaw()),
                refused.offendingValue(),
                refused.allowedValue(),
                detailOf(refused));
    }

    /** An overloaded appliance says the same thing very often: then it is the same string. */
    private String detailOf(final RejectDecoder refused) {
        refused.wrapDetail(detail);
        if (!isLastDetail()) {
            lastDetail = detail.getStringWithoutLengthAscii(0, detail.capacity());
        }
        return lastDetail;
    }

    private boolean isLastDetail() {
        if (detail.capacity() != lastDetail.length()) {
            return false;
        }
        for (int i = 0; i < lastDetail.length(); i++) {
            if (detail.getByte(i) != lastDetail.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private void onGoodbye(final GoodbyeDecoder goodbye) {
        final GoodbyeReason reason = Codes.goodbyeReason(goodbye.reasonRaw());
        disconnect(NOT_CONNECTED, "the appliance said goodbye: reason=" + reason);
        handler.onGoodbye(reason);
    }

    /** What the other side says cannot be understood, so nothing after it can be trusted either. */
    private TiercelClientException protocolBroken(final int code) {
        disconnect(NOT_CONNECTED, "the appliance broke the protocol: code=" + code +
                " templateId=" + validator.templateId() + " offendingValue=" + validator.offendingValue() +
                " allowedValue=" + validator.allowedValue());
        return new TiercelClientException(disconnectCause);
    }

    /** The part of polling that needs the clock and can wait for some polls; see {@link ClientContext}. */
    private int service() {
        int workCount = AeronTurns.take(driverInvoker, 1);
        workCount += AeronTurns.take(conductorInvoker, MAX_TURNS);
        final long nowNs = clock.nanoTime();
        final long pollsInTime = pollsPerService * SERVICE_NS / (nowNs - lastServiceNs + 1);
        pollsPerService = (int) Math.max(1, Math.min(serviceInterval, pollsInTime));
        pollsUntilService = pollsPerService;
        lastServiceNs = nowNs;
        checkConnection();
        if (hasSentSinceService) {
            hasSentSinceService = false;
            lastSentNs = nowNs;
        } else if (refusal == CONNECTED && nowNs - lastSentNs >= heartbeatIntervalNs) {
            lastSentNs = nowNs;
            workCount += sendHeartbeat(nowNs);
        }
        return workCount;
    }

    private void checkConnection() {
        if (publication.isClosed()) {
            final Throwable cause = aeronFailure.first();
            disconnect(CLOSED, cause == null ? "the Aeron client was closed" : cause.getMessage());
        } else if (image.isClosed() || image.isEndOfStream()) {
            disconnect(NOT_CONNECTED, "the appliance's response stream ended without a goodbye");
        }
    }

    private void disconnect(final long sentinel, final String cause) {
        refusal = sentinel;
        disconnectCause = cause;
    }

    /** A heartbeat that finds no room is not missed: frames of this client that wait to be read are before it. */
    private int sendHeartbeat(final long nowNs) {
        if (writer.open(Frames.HEARTBEAT_LENGTH) < 0) {
            return 0;
        }
        writer.putHeartbeat(nowNs);
        writer.send(Frames.HEARTBEAT_LENGTH);
        return 1;
    }

    private void sendGoodbye() {
        if (writer.open(Frames.GOODBYE_LENGTH) > 0) {
            writer.putGoodbye(GoodbyeReason.CLIENT_CLOSED);
            writer.send(Frames.GOODBYE_LENGTH);
        }
    }

    private void endConnection(final ResponseHandler handler) {
        release();
        if (!isClosed) {
            handler.onDisconnect();
        }
    }

    private void release() {
        if (!isReleased) {
            isReleased = true;
            CloseHelper.quietCloseAll(publication, subscription);
            if (ownsAeron) {
                CloseHelper.quietClose(aeron);
            }
        }
    }

    private int featureCount(final int modelId) {
        final int featureCount = modelId >= 0 && modelId < featureCounts.length ? featureCounts[modelId] : NO_MODEL;
        if (featureCount == NO_MODEL) {
            throw new IllegalArgumentException("modelId=" + modelId + " is not one of models=" + greeting.models());
        }
        return featureCount;
    }

    private int stepCountOf(final int modelId, final int featureCount, final int floatCount) {
        if (featureCount == 0 || floatCount % featureCount != 0) {
            throw new IllegalArgumentException("features.length=" + floatCount + " is not a multiple of featureCount=" +
                    featureCount + " of modelId=" + modelId);
        }
        return floatCount / featureCount;
    }

    private static void checkCorrelationId(final long correlationId) {
        if (correlationId < 1) {
            throw new IllegalArgumentException("correlationId=" + correlationId + " must be above 0");
        }
    }

    private void checkInfer(final long floatCount, final int stepCount, final long budgetNs) {
        if (stepCount < 1 || stepCount > maxSteps) {
            throw new IllegalArgumentException("stepCount=" + stepCount + " must be 1 to maxSteps=" + maxSteps);
        }
        if (floatCount > maxFloatCount) {
            throw new IllegalArgumentException("floatCount=" + floatCount + " of stepCount=" + stepCount +
                    " is above " + maxFloatCount + ", what maxFrameLength=" + greeting.maxFrameLength() + " holds");
        }
        if (budgetNs < 0) {
            throw new IllegalArgumentException("budgetNs=" + budgetNs + " must not be below 0");
        }
    }

    /** Not left to Agrona, whose checks can be switched off: what lies beside the features must not leave. */
    private static void checkRange(final DirectBuffer features, final int offset, final int length) {
        if (offset < 0 || offset > features.capacity() - length) {
            throw new IllegalArgumentException("offset=" + offset + " length=" + length +
                    " is outside of features.capacity=" + features.capacity());
        }
    }

    private void checkTokens(final int modelId, final int[] tokens, final int offset, final int count) {
        if (offset < 0 || offset > tokens.length - count) {
            throw new IllegalArgumentException("offset=" + offset + " stepCount=" + count +
                    " is outside of tokens.length=" + tokens.length);
        }
        final int vocabularySize = vocabularySizes[modelId];
        for (int i = offset; i < offset + count; i++) {
            if (tokens[i] < 0 || tokens[i] >= vocabularySize) {
                throw new IllegalArgumentException("tokens[" + i + "]=" + tokens[i] + " must be from 0 to below " +
                        "vocabularySize=" + vocabularySize + " of modelId=" + modelId);
            }
        }
    }

    private static int[] byModelId(final List<ModelInfo> models, final ToIntFunction<ModelInfo> value) {
        final int size = models.stream().mapToInt(ModelInfo::modelId).max().orElse(NO_MODEL) + 1;
        final int[] values = new int[size];
        Arrays.fill(values, NO_MODEL);
        for (final ModelInfo model : models) {
            values[model.modelId()] = value.applyAsInt(model);
        }
        return values;
    }
}
