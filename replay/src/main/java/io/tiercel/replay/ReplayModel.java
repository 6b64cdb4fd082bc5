package io.tiercel.replay;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.OutputComparison;
import io.tiercel.appliance.engine.bundle.Bundle;

/** One bundle of the journal, loaded, with the states of the sessions that use it. */
final class ReplayModel implements AutoCloseable {

    /** The journal does not say how many computed it; whoever wants several cores has several sessions computed. */
    private static final int THREADS = 1;

    private final int index;
    private final String versionHex;
    private final String backendName;
    private final Model model;
    /** Null unless the model is exact; it keeps nothing, so all threads have this one. */
    private final OutputComparison exactComparison;
    private final SessionBlocks sessions;

    ReplayModel(final int index, final Bundle bundle, final Backend backend) {
        this.index = index;
        this.versionHex = bundle.versionHex();
        this.backendName = backend.name();
        this.model = Backends.load(backend, bundle, THREADS);
        final OutputComparison comparison = new OutputComparison(model);
        exactComparison = comparison.isExact() ? comparison : null;
        sessions = new SessionBlocks(model, bundle.version());
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

    boolean isExact() {
        return exactComparison != null;
    }

    /** Of outputs in the journal with those computed again. One that is not exact adds up, and is made for each. */
    OutputComparison comparison() {
        return exactComparison == null ? new OutputComparison(model) : exactComparison;
    }

    /** Those of the reading thread to make, any thread's to use. */
    SessionBlocks sessions() {
        return sessions;
    }

    @Override
    public void close() {
        sessions.close();
        model.close();
    }
}
