package io.tiercel.appliance.session;

/**
 * What the appliance knows of each principal's newest requests, so that one that comes again gets the answer it got:
 * the index, which is ingress's, and the answers, which are egress's. Made by whoever builds the pipeline, outlives
 * it, and may be filled before its stages run.
 *
 * <p>The window of a principal is its newest answer slots: a streamed request takes one for each step, any other
 * request one. All of it follows from the requests and their answers in order of sequence.
 */
public final class RetryWindow implements AutoCloseable {

    private final RetryIndex index;
    private final AnswerStore answers;

    /** Takes answers as they are read. */
    @FunctionalInterface
    public interface Visitor {
        /** @param answer the caller's own, filled again for the next one. */
        void onAnswer(KnownAnswer answer);
    }

    /**
     * @param principalCount principals that have a window at once.
     * @param slotCount      answer slots of each; 0: no request is known.
     * @param maxOutputCount floats of one step, of the model that has the most.
     */
    public RetryWindow(final int principalCount, final int slotCount, final int maxOutputCount) {
        index = new RetryIndex(principalCount, slotCount);
        answers = new AnswerStore(index.placeCount(), slotCount, maxOutputCount);
    }

    /** Ingress's part. */
    public RetryIndex index() {
        return index;
    }

    /** Egress's part. */
    public AnswerStore answers() {
        return answers;
    }

    /**
     * Makes a request and its answer known, as if it had just been answered. Before the pipeline runs; in order of
     * sequence, or in the order of {@link #forEachUpTo}. A request that has the id of one before it takes its place.
     */
    public void restore(final KnownAnswer answer) {
        final int place = index.take(answer.principalId, RetryIndex.NO_PLACE);
        final long position = index.nextPosition(place, answer.slotCount);
        index.forget(place, answer.correlationId);
        index.add(place, answer.correlationId, answer.sequence, answer.slotCount);
        if (position != AnswerPosition.NONE) {
            answers.put(position, answer);
        }
    }

    /**
     * Reads every known answer whose sequence is at most {@code sequence}, which must have been sent, while egress
     * goes on: principal by principal, the one whose last answer is the oldest first, and each one's answers in order
     * of sequence. An answer that later requests push out of the window meanwhile may be missing. Any thread.
     */
    public void forEachUpTo(final long sequence, final Visitor visitor) {
        new AnswerReader(answers, sequence).forEach(visitor);
    }

    /** Gives the answers' memory back. Neither pipeline nor reader may run any more. */
    @Override
    public void close() {
        answers.close();
    }
}
