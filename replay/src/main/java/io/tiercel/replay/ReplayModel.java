package io.tiercel.replay;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.OutputComparison;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.protocol.journal.Arithmetic;
import java.util.HexFormat;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** One bundle of the journal, loaded, with the states of the sessions that use it. */
final class ReplayModel implements AutoCloseable {

    /** The journal does not say how many computed it; whoever wants several cores has several sessions computed. */
    private static final int THREADS = 1;

    private static final int VERSION_BYTES = 32;

    private final int index;
    private final String versionHex;
    private final UnsafeBuffer version;
    private final String backendName;
    private final Model model;
    private final ModelShape shape;
    private final Arithmetic arithmetic;
    /** Null unless the model is exact; it keeps nothing, so all threads have this one. */
    private final OutputComparison exactComparison;
    private final SessionBlocks sessions;

    ReplayModel(final int index, final Bundle bundle, final Backend backend) {
        this.index = index;
        this.versionHex = bundle.versionHex();
        this.version = new UnsafeBuffer(bundle.version());
        this.backendName = backend.name();
        this.model = Backends.load(backend, bundle, THREADS);
        this.shape = model.shape();
        this.arithmetic = model.arithmetic();
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

    /** Whether these are the bytes of its SHA-256. */
    boolean isOfVersion(final DirectBuffer candidate) {
        return areSameVersion(version, candidate);
    }

    /** Word by word, as it is asked of every record. */
    static boolean areSameVersion(final DirectBuffer version, final DirectBuffer other) {
        return version.getLong(0) == other.getLong(0) &&
                version.getLong(Long.BYTES) == other.getLong(Long.BYTES) &&
                version.getLong(2 * Long.BYTES) == other.getLong(2 * Long.BYTES) &&
                version.getLong(3 * Long.BYTES) == other.getLong(3 * Long.BYTES);
    }

    static String versionHex(final DirectBuffer version) {
        final byte[] bytes = new byte[VERSION_BYTES];
        version.getBytes(0, bytes);
        return HexFormat.of().formatHex(bytes);
    }

    String backendName() {
        return backendName;
    }

    Model model() {
        return model;
    }

    ModelShape shape() {
        return shape;
    }

    Arithmetic arithmetic() {
        return arithmetic;
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
