package io.tiercel.replay;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.OutputComparison;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.generation.TokenDraw;
import io.tiercel.appliance.session.SessionStates;
import java.util.ArrayList;
import java.util.List;

/**
 * One bundle of the journal, loaded, with the states of the sessions that use it. A journal does not say how many
 * sessions it has, so their memory comes in blocks.
 */
final class ReplayModel implements AutoCloseable {

    private static final int BLOCK_BITS = 8;
    private static final int BLOCK_SESSIONS = 1 << BLOCK_BITS;

    /** The journal does not say how many computed it, and a verification asks for bits, not for speed. */
    private static final int THREADS = 1;

    private final int index;
    private final byte[] version;
    private final String versionHex;
    private final String backendName;
    private final Model model;
    private final ModelExecutor executor;
    private final OutputComparison comparison;
    /** Null unless the model names next tokens. */
    private final TokenDraw draw;
    private final List<SessionStates> blocks = new ArrayList<>();

    ReplayModel(final int index, final Bundle bundle, final Backend backend) {
        this.index = index;
        this.version = bundle.version().clone();
        this.versionHex = bundle.versionHex();
        this.backendName = backend.name();
        this.model = Backends.load(backend, bundle, THREADS);
        this.executor = model.newExecutor(1);
        comparison = new OutputComparison(model);
        draw = model.shape().namesTokens() ? new TokenDraw((TokenExecutor) executor) : null;
    }

    int index() {
        return index;
    }

    String versionHex() {
        return versionHex;
    }

    String backendName() {
        return backendName;
    }

    Model model() {
        return model;
    }

    ModelShape shape() {
        return model.shape();
    }

    ModelExecutor executor() {
        return executor;
    }

    /** Of outputs in the journal with those computed again. */
    OutputComparison comparison() {
        return comparison;
    }

    TokenDraw draw() {
        return draw;
    }

    /** The block that holds the session. Indices are shared by all models, so a block may be all but empty. */
    SessionStates states(final int sessionIndex) {
        final int block = sessionIndex >>> BLOCK_BITS;
        while (blocks.size() <= block) {
            blocks.add(null);
        }
        SessionStates states = blocks.get(block);
        if (states == null) {
            states = new SessionStates(BLOCK_SESSIONS, model, version);
            blocks.set(block, states);
        }
        return states;
    }

    /** The session's index within its block. */
    static int slot(final int sessionIndex) {
        return sessionIndex & (BLOCK_SESSIONS - 1);
    }

    @Override
    public void close() {
        for (final SessionStates states : blocks) {
            if (states != null) {
                states.close();
            }
        }
        executor.close();
        model.close();
    }
}
