package io.tiercel.appliance.engine;

/**
 * Computes steps of one model on one thread. Allocates nothing; every address is of memory that the caller owns, and
 * is valid for the length that {@link ModelShape} states. Feature and output vectors are little-endian binary32,
 * 4-byte aligned; states are 64-byte aligned. Where the model has a vocabulary the one feature is a token, a
 * little-endian 32-bit integer that the caller has checked.
 *
 * <p>The life of a session's state: {@link #initialise} once; then for each request {@link #step}, after which the
 * answer can leave, then {@link #hash}, then {@link #ahead}. {@code ahead} comes before the next {@code step} of
 * the session, always: its result is bit-identical whenever it is computed, so when is only a matter of latency.
 */
public interface ModelExecutor extends AutoCloseable {

    /** Writes the state of a new session, ready for its first step (ahead included). */
    void initialise(long stateAddress);

    /**
     * Whether the session can take that many steps more before it is reset. The answer follows from the canonical state
     * alone, so it is the same in every replay. Asked only of models with {@link ModelShape#contextTokens}.
     */
    default boolean hasRoom(final long stateAddress, final int stepCount) {
        return true;
    }

    /**
     * One step of each session in the batch: reads its features and state, writes its outputs and state. No session
     * stands twice in a batch; the batch has no effect on any bit of a result. Until a position's {@link #hash} or
     * {@link #ahead} has returned its features stay as they are, and its executor makes no other step.
     */
    void step(StepBatch batch);

    /**
     * The session's chained hash after a step: the previous hash mixed with the canonical bytes that the step wrote.
     * See {@link StateHash}.
     */
    long hash(long stateAddress, long previousHash);

    /** Computes for each session in the batch what its next step needs and the next input does not change. */
    void ahead(StepBatch batch);

    /**
     * All steps of one request of one session, settled: for each {@link #step}, {@link #hash} and {@link #ahead}.
     * An executor that can do better than one after the other does; the bits are the same.
     *
     * @param featuresAddress of the first step's input; the others follow it.
     * @param outputsStride   bytes from one step's outputs to the next's, 0 to keep the last alone.
     * @return the session's hash after the last step.
     */
    long steps(
            long stateAddress, long featuresAddress, int stepCount, long outputsAddress, int outputsStride,
            long previousHash);

    /**
     * Makes the derived part of a state whose canonical part has been put there from outside (a snapshot, another
     * backend).
     */
    void restore(long stateAddress);

    /** Whether it computes in place of one whose device was lost. */
    default boolean isOnStandby() {
        return false;
    }

    @Override
    void close();
}
