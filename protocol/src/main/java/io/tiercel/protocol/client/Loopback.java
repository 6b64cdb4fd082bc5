package io.tiercel.protocol.client;

import io.aeron.Aeron;
import org.agrona.CloseHelper;

/**
 * A client connected to a responder in the same process, which answers every request at once and computes nothing: for
 * trying out and warming up what is built on {@link TiercelClient}, as {@link ClientWarmUp} does for the client alone.
 *
 * <p>Streams of its own, over IPC, on the media driver of the Aeron client that is given. One thread owns both sides:
 * it polls the responder here, and the client as always.
 */
public final class Loopback implements AutoCloseable {

    /** Handle of the one model that the responder pretends to serve. */
    public static final int MODEL_ID = WarmUpResponder.MODEL_ID;

    private static final int STREAM_ID_BASE = 0x5B00_0000;
    private static final int STREAM_ID_MASK = 0x00FF_FFFE;

    private final WarmUpResponder responder;
    private final TiercelClient client;

    private Loopback(final WarmUpResponder responder, final TiercelClient client) {
        this.responder = responder;
        this.client = client;
    }

    /**
     * Connects.
     *
     * @param aeron in invoker mode; stays the caller's.
     * @throws TiercelClientException if there is no media driver, or it stops.
     */
    public static Loopback connect(final Aeron aeron, final int featureCount, final int outputCount) {
        final int requestStreamId = STREAM_ID_BASE | ((int) (aeron.nextCorrelationId() << 1) & STREAM_ID_MASK);
        final WarmUpResponder responder =
                new WarmUpResponder(aeron, null, requestStreamId, featureCount, outputCount);
        final ClientContext context = new ClientContext()
                .aeron(aeron)
                .requestChannel(ClientContext.DEFAULT_CHANNEL)
                .requestStreamId(requestStreamId)
                .responseChannel(ClientContext.DEFAULT_CHANNEL)
                .responseStreamId(requestStreamId + 1)
                .principal("loopback")
                .keyFile(null);
        try (AsyncConnect connecting = TiercelClient.asyncConnect(context)) {
            TiercelClient client = connecting.poll();
            while (client == null) {
                responder.poll();
                client = connecting.poll();
            }
            return new Loopback(responder, client);
        } catch (final RuntimeException ex) {
            CloseHelper.quietClose(responder);
            throw ex;
        }
    }

    public TiercelClient client() {
        return client;
    }

    /** Answers what the client has sent. */
    public int pollResponder() {
        return responder.poll();
    }

    @Override
    public void close() {
        CloseHelper.closeAll(client, responder);
    }
}
