package io.tiercel.appliance.session;

import com.lmax.disruptor.Sequence;
import io.aeron.ExclusivePublication;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.transport.LogPages;
import io.tiercel.protocol.Frames;

/**
 * One of the places for a connected client. A place is used again for the next client; its generation tells the
 * requests of one from those of another.
 *
 * <p>Ingress owns the place: it opens and releases it. Egress owns the publication from the moment it reads the
 * {@code OPEN} command (the command queue orders the plain write of it) until it has closed it; then it sets
 * {@code released}, and only then does ingress give the place to another client.
 */
public final class ClientConnection {

    /** Life of a place, as ingress sees it. */
    public enum State {
        /** No client. */
        FREE,
        /** Hello read; the response publication is on its way. */
        CONNECTING,
        /** Challenged: it has to prove who it is. */
        PROVING,
        /** Welcomed. */
        OPEN,
        /** Gone; egress has yet to let go of the publication. */
        CLOSING
    }

    /** Index in the table and in the welcome message. */
    public final int index;

    // Ingress only.
    public State state = State.FREE;
    public int generation;
    public int aeronSessionId;
    public String principal;
    public long principalId;
    /** What the principal may do; from the hello on. */
    public Rights rights;
    public long nonce;
    public long publicationRegistrationId;
    public long connectDeadlineTickNs;
    public long lastHeardTickNs;
    public long submittedCount;
    /** The principal's place in the {@link RetryIndex} when it was last looked up; -1 at first. */
    public int retryPlace = RetryIndex.NO_PLACE;
    /** How often it may ask. */
    public final TokenBucket rate = new TokenBucket();
    /** By model: whether it may ask it; of an administrator, whether it may administer it. */
    public boolean[] served = {};
    /** Whether it came in on the administrators' stream, and may. */
    public boolean isAdmin;
    /** By which the hello was proved, or null where anybody may connect. */
    public byte[] key;
    /** The hello as it came; until the client is welcomed. */
    public byte[] hello;
    /** Whether egress has been asked to close; a full command queue may delay it. */
    public boolean closeRequested;
    /** The refusal to send instead of a welcome once the publication is there, or null. */
    public PendingRefusal refusal;
    /** Of the log that the client's hello lies in; touched once it is welcomed. */
    public final LogPages requestPages = new LogPages();

    /** Of the protocol, in which the client said hello and is spoken to; egress reads it from the OPEN command on. */
    public int version;

    // Written by ingress before the command that says it; egress reads it then.
    public byte[] applianceNonce;
    public byte[] applianceProof;
    /** Versions that the welcome tells, one of each model that is served. */
    public int[] told = {};

    // Written by ingress before the OPEN command, then egress only.
    public ExclusivePublication publication;
    /** Generation whose responses egress sends; egress only. */
    public int openGeneration = -1;
    /** Of the log of its publication, from the welcome on; egress only. */
    public final LogPages responsePages = new LogPages();

    // Written by egress (release), read by ingress (acquire).
    private final Sequence answeredCount = new Sequence(0);
    private final Sequence releasedGeneration = new Sequence(-1);
    private final Sequence droppedGeneration = new Sequence(-1);

    public ClientConnection(final int index) {
        this.index = index;
    }

    /** Whether the client may ask, or administer, a model, and its version has words for what is said. Not hot. */
    public boolean canUse(final LoadedModel model) {
        final ModelShape shape = model.model().shape();
        return (isAdmin ? rights.mayAdminister(model.alias()) : rights.mayAsk(model.alias())) && hasWordsFor(shape);
    }

    private boolean hasWordsFor(final ModelShape shape) {
        return version >= Frames.TOKENS_SINCE_VERSION || shape.vocabularySize() == 0 && shape.contextTokens() == 0;
    }

    /** Requests that went into the ring and have not come out of egress. Ingress's view, never too low. */
    public long inFlightCount() {
        return submittedCount - answeredCount.get();
    }

    /** Egress: one more request of this client has left, whether its response could be sent or not. */
    public void onAnswered() {
        answeredCount.set(answeredCount.get() + 1);
    }

    /** Egress: the publication of this generation is closed. */
    public void onReleased(final int generationReleased) {
        releasedGeneration.set(generationReleased);
    }

    /** Egress: this generation could not be written to. */
    public void onDropped(final int generationDropped) {
        droppedGeneration.set(generationDropped);
    }

    /** Ingress: whether egress has given up on the client that has the place now. */
    public boolean isDropped() {
        return droppedGeneration.get() == generation;
    }

    /** Ingress: whether the place may be given to another client. */
    public boolean isReleased() {
        return releasedGeneration.get() == generation && inFlightCount() == 0;
    }

    /** Why a hello is refused; said as soon as the client can be spoken to. */
    public record PendingRefusal(short code, long offendingValue, long allowedValue) {
    }
}
