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
    private volatile int modelCount;

    /** @param maxSessions of all models together. */
    public Sessions(final List<LoadedModel> models, final int maxSessions) {
        this(models, maxSessions, models.size());
    }

    /** @param capacity versions of models that there may come to be. */
    public Sessions(final List<LoadedModel> models, final int maxSessions, final int capacity) {
        table = new SessionTable(maxSessions);
        states = new SessionStates[capacity];
        models.forEach(model -> add(newStates(model)));
    }

    /** Room for all sessions with one more version. Whoever asks for it closes it, unless it is {@link #add added}. */
    public SessionStates newStates(final LoadedModel model) {
        return new SessionStates(table.maxSessions(), model.model(), model.versionBytes());
    }

    /** The next version's. One thread at a time; others see it when they see the version. */
    public void add(final SessionStates ofVersion) {
        states[modelCount] = ofVersion;
        modelCount = modelCount + 1; // One thread adds.
    }

    public SessionTable table() {
        return table;
    }

    public SessionStates states(final int modelIndex) {
        return states[modelIndex];
    }

    public int modelCount() {
        return modelCount;
    }

    /** Versions of models that there may come to be. */
    public int capacity() {
        return states.length;
    }

    /** Which of {@code workerCount} infer workers the session falls to. */
    public static int workerOf(final long sessionKey, final int workerCount) {
        return workerCount == 1 ? 0 : (int) (((sessionKey * SPREAD) >>> 33) % workerCount);
    }

    /** As {@link SessionStates#touchAhead}, of all models. */
    public boolean touchAhead() {
        boolean hasTouched = false;
        for (int index = 0, count = modelCount; index < count; index++) {
            hasTouched |= states[index].touchAhead();
        }
        return hasTouched;
    }

    /** Gives the states' memory back. No worker may run any more. */
    @Override
    public void close() {
        CloseHelper.closeAll(states);
    }
}
