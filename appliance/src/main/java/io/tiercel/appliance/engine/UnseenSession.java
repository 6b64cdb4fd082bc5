package io.tiercel.appliance.engine;

import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A session that no client has, to keep a model warm or to measure it: one step after the other of the same input. Has
 * the memory that its batch points at. The executor's thread; allocates in the constructor only.
 */
public final class UnseenSession {

    private final ModelExecutor executor;
    private final UnsafeBuffer features;
    private final UnsafeBuffer state;
    private final UnsafeBuffer outputs;
    private final StepBatch batch = new StepBatch(1);
    private long hash;

    /** Its input is zeros, which are a feature vector, and a token of every vocabulary. */
    public UnseenSession(final ModelShape shape, final ModelExecutor executor) {
        this.executor = executor;
        features = allocate(shape.featureCount() * Float.BYTES);
        state = allocate(shape.stateBytes());
        outputs = allocate(shape.outputCount() * Float.BYTES);
        batch.add(features.addressOffset(), state.addressOffset(), outputs.addressOffset());
        executor.initialise(state.addressOffset());
    }

    /** The step, up to where an answer could leave. A session that is full begins anew. */
    public void answer() {
        if (!executor.hasRoom(state.addressOffset(), 1)) {
            executor.initialise(state.addressOffset());
        }
        executor.step(batch);
    }

    /** What follows the answer. */
    public void settle() {
        hash = executor.hash(state.addressOffset(), hash);
        executor.ahead(batch);
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(bytes, BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
    }
}
