package io.tiercel.appliance.infer;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StepBatch;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.ArrayList;
import java.util.List;

/**
 * Keeps models warm while nothing comes: after some time without a request, and again each time that it has passed, one
 * model makes a whole step of a session that nobody sees. Weights stay in the caches, code too, and branch predictors
 * keep what they have learnt; the sessions' states, and so every answer, stay what they are.
 *
 * <p>One object for each infer thread, called by it alone. Allocates nothing after {@link #add}. A rehearsal delays a
 * request that comes in the middle of it, so it takes at most a {@value #SHARE}th of the time: a model that needs long
 * is rehearsed less often.
 */
public final class Rehearsal {

    private static final int SHARE = 50;

    private final long intervalNs;
    private final NanoClock clock;
    private final List<Session> sessions = new ArrayList<>();
    private int nextSession;
    private long dueNs;
    private boolean isScheduled;

    /** A session that nobody sees. The buffers own what the batch points at. */
    private static final class Session {
        private final ModelExecutor executor;
        private final UnsafeBuffer features;
        private final UnsafeBuffer state;
        private final UnsafeBuffer outputs;
        private final StepBatch batch = new StepBatch(1);
        private long hash;

        private Session(final ModelShape shape, final ModelExecutor executor) {
            this.executor = executor;
            features = allocate(shape.featureCount() * Float.BYTES);
            state = allocate(shape.stateBytes());
            outputs = allocate(shape.outputCount() * Float.BYTES);
            batch.add(features.addressOffset(), state.addressOffset(), outputs.addressOffset());
            executor.initialise(state.addressOffset());
        }

        private void step() {
            executor.step(batch);
            hash = executor.hash(state.addressOffset(), hash);
            executor.ahead(batch);
        }

        private static UnsafeBuffer allocate(final int bytes) {
            return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                    BitUtil.align(bytes, BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
        }
    }

    /**
     * @param intervalNs how long nothing must have come, and the least time between two rehearsals; 0 never rehearses.
     * @param clock      read once after each rehearsal.
     */
    public Rehearsal(final long intervalNs, final NanoClock clock) {
        this.intervalNs = intervalNs;
        this.clock = clock;
    }

    /** A further model to be rehearsed; by turns, if there are several. */
    public void add(final ModelShape shape, final ModelExecutor executor) {
        if (intervalNs > 0) {
            sessions.add(new Session(shape, executor));
        }
    }

    /** Something came: the time without a request begins anew. */
    public void onWork() {
        isScheduled = false;
    }

    /** Nothing came. Rehearses if it is time; true if it did. */
    public boolean onIdle(final long nowNs) {
        if (sessions.isEmpty()) {
            return false;
        }
        if (!isScheduled) {
            isScheduled = true;
            dueNs = nowNs + intervalNs;
        }
        if (nowNs - dueNs < 0) {
            return false;
        }
        sessions.get(nextSession).step();
        nextSession = nextSession + 1 == sessions.size() ? 0 : nextSession + 1;
        final long endNs = clock.nanoTime();
        dueNs = endNs + Math.max(intervalNs, SHARE * (endNs - nowNs));
        return true;
    }
}
