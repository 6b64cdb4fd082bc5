package io.tiercel.appliance.transport;

import io.aeron.Aeron;
import io.aeron.ChannelUriStringBuilder;
import io.aeron.ExclusivePublication;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.exceptions.RegistrationException;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.Header;
import org.agrona.DirectBuffer;
import org.agrona.collections.Int2ObjectHashMap;
import org.agrona.concurrent.Agent;

import java.util.ArrayList;
import java.util.List;

/**
 * Returns every message unchanged: the raw transport in the same thread, to compare a request's round trip with.
 * Off unless the configuration asks for it. It polls one stream past the requests' and answers one stream further,
 * with the session id of the image, on the same channel.
 *
 * <p>Allocates only when a peer comes or goes. A peer that does not read loses its echoes, and so does one whose
 * session id is taken on the way back.
 */
public final class EchoAgent implements Agent {

    /** Streams beyond the request stream: where echoes are asked for, and where they are answered. */
    public static final int REQUEST_STREAM_STEP = 1;
    public static final int RESPONSE_STREAM_STEP = 2;

    private static final int FRAGMENT_LIMIT = 32;

    private final Aeron aeron;
    private final String channel;
    private final int responseStreamId;
    private final Subscription subscription;
    private final Int2ObjectHashMap<Peer> peerBySessionId = new Int2ObjectHashMap<>();
    private final ControlledFragmentHandler handler = this::onMessage;
    private final BufferClaim claim = new BufferClaim();
    private final LogPages pages = new LogPages();
    private final List<Peer> gone = new ArrayList<>();
    private boolean isSettled = true;

    /** One side that sends; its publication is there once Aeron has made it. */
    private static final class Peer {
        private final int sessionId;
        private long registrationId = Aeron.NULL_VALUE;
        private ExclusivePublication publication;
        private boolean isRefused;
        private boolean isTouched;

        private Peer(final int sessionId) {
            this.sessionId = sessionId;
        }
    }

    public EchoAgent(final Aeron aeron, final String channel, final int requestStreamId) {
        this.aeron = aeron;
        this.channel = channel;
        responseStreamId = requestStreamId + RESPONSE_STREAM_STEP;
        subscription = aeron.addSubscription(
                channel, requestStreamId + REQUEST_STREAM_STEP, this::onPeer, this::onPeerGone);
    }

    @Override
    public int doWork() {
        if (!isSettled) {
            settlePeers();
        }
        return subscription.controlledPoll(handler, FRAGMENT_LIMIT);
    }

    @Override
    public void onClose() {
        subscription.close();
        for (final Peer peer : peerBySessionId.values()) {
            close(peer);
        }
    }

    @Override
    public String roleName() {
        return "echo";
    }

    /** Aeron allows no call of its own from these two callbacks, so the work waits for the next round. */
    private void onPeer(final Image image) {
        peerBySessionId.put(image.sessionId(), new Peer(image.sessionId()));
        isSettled = false;
    }

    private void onPeerGone(final Image image) {
        final Peer peer = peerBySessionId.remove(image.sessionId());
        if (peer != null) {
            gone.add(peer);
            isSettled = false;
        }
    }

    private void settlePeers() {
        gone.forEach(this::close);
        gone.clear();
        isSettled = true;
        for (final Peer peer : peerBySessionId.values()) {
            if (peer.publication == null && !peer.isRefused) {
                open(peer);
                isSettled &= peer.publication != null || peer.isRefused;
            }
        }
    }

    private void open(final Peer peer) {
        if (peer.registrationId == Aeron.NULL_VALUE) {
            peer.registrationId = aeron.asyncAddExclusivePublication(
                    new ChannelUriStringBuilder(channel).sessionId(peer.sessionId).build(), responseStreamId);
        } else {
            getPublication(peer);
        }
    }

    private void getPublication(final Peer peer) {
        try {
            peer.publication = aeron.getExclusivePublication(peer.registrationId);
        } catch (final RegistrationException ex) {
            peer.isRefused = true;
        }
    }

    private void close(final Peer peer) {
        if (peer.registrationId != Aeron.NULL_VALUE) {
            aeron.asyncRemovePublication(peer.registrationId);
        }
    }

    /** With its first message, so that no later one waits for the operating system. */
    private void touch(final Peer peer, final DirectBuffer buffer, final Header header) {
        peer.isTouched = true;
        pages.begin(buffer, header);
        touchAll();
        pages.begin(peer.publication, claim);
        touchAll();
    }

    private void touchAll() {
        while (pages.hasMore()) {
            pages.touchSome();
        }
    }

    private ControlledFragmentHandler.Action onMessage(
            final DirectBuffer buffer, final int offset, final int length, final Header header) {
        final Peer peer = peerBySessionId.get(header.sessionId());
        if (peer != null && peer.isRefused) {
            return ControlledFragmentHandler.Action.CONTINUE;
        }
        if (peer == null || peer.publication == null || !peer.publication.isConnected()) {
            return ControlledFragmentHandler.Action.ABORT;
        }
        long position = peer.publication.tryClaim(length, claim);
        if (position == ExclusivePublication.ADMIN_ACTION) { // the term was full and has been rotated: there is room
            position = peer.publication.tryClaim(length, claim);
        }
        if (position > 0) {
            claim.buffer().putBytes(claim.offset(), buffer, offset, length);
            claim.commit();
            if (!peer.isTouched) {
                touch(peer, buffer, header);
            }
        }
        return ControlledFragmentHandler.Action.CONTINUE;
    }
}
