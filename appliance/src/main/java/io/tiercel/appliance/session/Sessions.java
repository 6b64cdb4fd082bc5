package io.tiercel.appliance.session;

import io.tiercel.appliance.engine.LoadedModel;
import org.agrona.CloseHelper;

import java.util.List;

/**
 * All sessions of an appliance: who they are, and the states of each model's. Outlives the pipeline that works on it,
 * and is there before it, so that a recovery can fill it.
 *
 * <p>The table is ingress's alone, a state is that of the infer worker alone to which its session key falls. A place
 * that another session gets passes from worker to worker as {@code InferAgent} says.
 */
public final class Sessions implements AutoCloseable {

    private static final long SPREAD = 0x9E3779B97F4A7C15L;

    private final SessionTable table;
    private final SessionStates[] states;

    /** @param maxSessions of all models together. */
    public Sessions(final List<LoadedModel> models, final int maxSessions) {
        table = new SessionTable(maxSessions);
        states = new SessionStates[models.size()];
        for (int index = 0; index < states.length; index++) {
            final LoadedModel model = models.get(index);
            states[index] = new SessionStates(maxSessions, model.model(), model.versionBytes());
        }
    }

    public SessionTable table() {
        return table;
    }

    public SessionStates states(final int modelIndex) {
        return states[modelIndex];
    }

    public int modelCount() {
        return states.length;
    }

    /** Which of {@code workerCount} infer workers the session falls to. */
    public static int workerOf(final long sessionKey, final int workerCount) {
        return workerCount == 1 ? 0 : (int) (((sessionKey * SPREAD) >>> 33) % workerCount);
    }

    /** As {@link SessionStates#touchAhead}, of all models. */
    public boolean touchAhead() {
        boolean hasTouched = false;
        for (final SessionStates of : states) {
            hasTouched |= of.touchAhead();
        }
        return hasTouched;
    }

    /** Gives the states' memory back. No worker may run any more. */
    @Override
    public void close() {
        CloseHelper.closeAll(states);
    }
}
