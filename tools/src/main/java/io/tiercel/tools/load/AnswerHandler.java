package io.tiercel.tools.load;

/** Told by a {@link LoadTarget} of each answer. */
public interface AnswerHandler {

    /**
     * @return the index of the request that this answers, or −1 if no request with this id is open: the answer is a
     *         duplicate, or of somebody else's.
     */
    long onAnswer(long correlationId, AnswerKind kind);

    /** No answer can come any more. */
    void onDisconnect();
}
