package io.tiercel.replay;

/** What a {@link ReplayPass} is made for. The pass says on which thread it calls what. */
public interface ReplayWork {

    /**
     * Called on each thread that is to work at requests; the runner is that thread's alone.
     *
     * @param computer computes a request with the bundle that answered it, which a runner does first.
     */
    TaskRunner newRunner(ReplayComputer computer);

    /** The most requests, of one model and of different sessions, that a runner is given at once. */
    int maxBatch();

    /** The request has been read and is about to be handed over; on the reading thread, in sequence order. */
    void onRead(JoinedJournal journal, ReplayTask task);

    /**
     * The request has been run; on the reading thread, in sequence order.
     *
     * @return whether those that follow count.
     */
    boolean onDone(ReplayTask task);
}
