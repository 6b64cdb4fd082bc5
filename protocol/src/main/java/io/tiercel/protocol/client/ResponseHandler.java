package io.tiercel.protocol.client;

import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.util.List;
import org.agrona.DirectBuffer;

/**
 * What {@link TiercelClient#poll} delivers, on the thread that polls, in the order in which the appliance sent it.
 *
 * <p>{@code outputs} is the log buffer itself: little-endian binary32 values, valid until the method returns. A model
 * that names next tokens puts out pairs, likeliest first: the token, a 32-bit integer, then its probability. Sending
 * and {@link TiercelClient#close} are allowed in every method here; polling is not. What a method throws comes out of
 * {@code poll}; the frame counts as delivered.
 */
public interface ResponseHandler {

    /**
     * The answer to an Infer, ResetSession or ForkSession, or the end of a Generate's: the last callback for its
     * correlation id.
     *
     * @param sequence    place of the request in the appliance's journal.
     * @param status      OK with outputs; EXPIRED, RESET, CONTEXT_FULL, FORKED, CANCELLED or APPLIED without.
     *                    CONTEXT_FULL: that many steps do not fit into the session any more, and it did not step; a
     *                    reset makes room.
     * @param applianceNs from arrival to answer, inside the appliance; unsigned.
     * @param batchSize   requests computed together with this one; 0 if none was: its step had been computed before it
     *                    came, or there was nothing to compute.
     */
    void onResult(
            long correlationId,
            long sessionKey,
            long sequence,
            ResultStatus status,
            int applianceNs,
            int batchSize,
            DirectBuffer outputs,
            int offset,
            int outputCount);

    /**
     * Before the first frame of an answer whose session was not in the appliance's memory: it began with this request.
     * That is so of a session's first request; of a later one it says that the session's place was given to another
     * session meanwhile ({@code limits.sessions-when-full: evict}), and what it was asked before counts no more. An
     * appliance that speaks a version before 4 does not tell.
     */
    default void onSessionBegan(final long correlationId, final long sessionKey, final long sequence) {
    }

    /** One step's outputs of a streamed request, or a token that was made, before the Result with the last one. */
    void onChunk(
            long correlationId,
            long sessionKey,
            long sequence,
            int stepIndex,
            DirectBuffer outputs,
            int offset,
            int outputCount);

    /**
     * A frame was refused and had no effect: the last callback for its correlation id. The detail is text for a log
     * and is allocated here; a refusal is not a steady state.
     *
     * @param correlationId of the refused request, or 0 if it was none or could not be read.
     * @param code          why, or NULL_VAL if this version does not know the code.
     */
    void onReject(long correlationId, RejectCode code, long offendingValue, long allowedValue, String detail);

    /**
     * The answer to {@link AdminRequest#versions}.
     *
     * @param sequence of the last request whose effect is in it; -1 before the first.
     */
    default void onVersions(
            final long correlationId, final long sequence, final List<ServedVersion> versions) {
    }

    /** The appliance says that no more frames follow. {@link #onDisconnect} is next. */
    void onGoodbye(GoodbyeReason reason);

    /**
     * The connection is over: goodbye, the appliance vanished, or the media driver did. Called once, last, and not
     * after {@link TiercelClient#close}. Whether requests without an answer had an effect is unknown.
     */
    void onDisconnect();
}
