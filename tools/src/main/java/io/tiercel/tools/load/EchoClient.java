package io.tiercel.tools.load;

import io.aeron.Aeron;
import io.aeron.ChannelUri;
import io.aeron.CommonContext;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.tools.ToolException;
import java.nio.ByteOrder;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The client of a raw echo: frames of a given length go out over an exclusive publication and come back on a
 * subscription with the same session id. Does what {@code TiercelClient} does to send and receive, less the codecs, so
 * it is driven by the same {@link LoadGenerator} and its figures can stand beside the appliance's.
 *
 * <p>One thread; the Aeron client must be in invoker mode and stays the caller's. Allocates nothing after
 * {@link #connect}.
 */
public final class EchoClient implements LoadTarget, AutoCloseable {

    private static final int FRAGMENT_LIMIT = 16;
    private static final int CONDUCTOR_INTERVAL = 64;

    private final ExclusivePublication publication;
    private final Subscription subscription;
    private final AgentInvoker conductor;
    private final int frameLength;
    private final UnsafeBuffer payload;
    private final BufferClaim claim = new BufferClaim();
    private final FragmentHandler fragmentHandler = this::onFragment;
    private AnswerHandler answers;
    private long lastId;
    private int turnsToConductor;

    private EchoClient(
            final ExclusivePublication publication,
            final Subscription subscription,
            final AgentInvoker conductor,
            final int frameLength) {
        this.publication = publication;
        this.subscription = subscription;
        this.conductor = conductor;
        this.frameLength = frameLength;
        this.payload = new UnsafeBuffer(new byte[frameLength]);
    }

    /** Length of the frame with which a client asks for one step of a model. */
    public static int inferFrameLength(final int featureCount) {
        return Frames.inferLength(featureCount);
    }

    /**
     * Connects to an echo; waits for both directions.
     *
     * @param frameLength bytes of each message, at least 8.
     * @return the client; or null if nobody echoes on these streams within the timeout.
     */
    public static EchoClient connect(
            final Aeron aeron,
            final String channel,
            final int requestStreamId,
            final int responseStreamId,
            final int frameLength,
            final NanoClock clock,
            final long timeoutNs) {
        if (frameLength < Long.BYTES) {
            throw ToolException.badArgument("frameLength=" + frameLength + " is below " + Long.BYTES);
        }
        final ChannelUri requestChannel = ChannelUri.parse(channel);
        if (requestChannel.get(CommonContext.TERM_LENGTH_PARAM_NAME) == null) { // as TiercelClient does
            requestChannel.put(
                    CommonContext.TERM_LENGTH_PARAM_NAME, Integer.toString(ClientContext.DEFAULT_REQUEST_TERM_LENGTH));
        }
        final ExclusivePublication publication =
                aeron.addExclusivePublication(requestChannel.toString(), requestStreamId);
        final ChannelUri responseChannel = ChannelUri.parse(channel);
        responseChannel.put(CommonContext.SESSION_ID_PARAM_NAME, Integer.toString(publication.sessionId()));
        final Subscription subscription = aeron.addSubscription(responseChannel.toString(), responseStreamId);
        final EchoClient client =
                new EchoClient(publication, subscription, aeron.conductorAgentInvoker(), frameLength);
        final long deadlineNs = clock.nanoTime() + timeoutNs;
        while (!client.isConnected()) {
            client.conductor.invoke();
            if (clock.nanoTime() - deadlineNs > 0) {
                client.close();
                return null;
            }
            Thread.yield();
        }
        return client;
    }

    @Override
    public long send(final long requestIndex) {
        long position = publication.tryClaim(frameLength, claim);
        if (position == ExclusivePublication.ADMIN_ACTION) { // the term was full and has been rotated: there is room
            position = publication.tryClaim(frameLength, claim);
        }
        if (position > 0) {
            final long id = ++lastId;
            claim.buffer().putBytes(claim.offset(), payload, 0, frameLength);
            claim.buffer().putLong(claim.offset(), id, ByteOrder.LITTLE_ENDIAN);
            claim.commit();
            return id;
        }
        return position == ExclusivePublication.BACK_PRESSURED || position == ExclusivePublication.ADMIN_ACTION
                ? BACK_PRESSURED
                : DISCONNECTED;
    }

    @Override
    public int poll(final AnswerHandler handler) {
        if (--turnsToConductor <= 0) {
            turnsToConductor = CONDUCTOR_INTERVAL;
            conductor.invoke();
            if (!isConnected()) {
                handler.onDisconnect();
            }
        }
        answers = handler;
        return subscription.poll(fragmentHandler, FRAGMENT_LIMIT);
    }

    private void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header header) {
        answers.onAnswer(buffer.getLong(offset, ByteOrder.LITTLE_ENDIAN), AnswerKind.OK);
    }

    private boolean isConnected() {
        return publication.isConnected() && subscription.isConnected();
    }

    @Override
    public void close() {
        CloseHelper.closeAll(publication, subscription);
    }
}
