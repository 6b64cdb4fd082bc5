package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.protocol.journal.Arithmetic;

/**
 * A loaded model: immutable weights, shared by all threads. What a thread needs to compute with it stands in its own
 * {@link ModelExecutor}.
 */
public interface Model extends AutoCloseable {

    ModelShape shape();

    /** Whether outputs are compared bit for bit where they are computed again; states always are. */
    Arithmetic arithmetic();

    /** How near outputs that are computed again are to those before, where {@link #arithmetic} is not exact. */
    default Tolerance tolerance() {
        return Tolerance.NONE;
    }

    /**
     * A new executor for one thread, with its own scratch memory. All that it will ever allocate, it allocates here.
     */
    ModelExecutor newExecutor(int maxBatch);

    /** Pages that sessions' states can have in common. */
    default StatePages pages() {
        return StatePages.NONE;
    }

    /**
     * Memory for states and pages of them, where executors of this model like it best.
     *
     * @throws OutOfMemoryError if there is none.
     */
    default StateMemory newStateMemory(final long bytes) {
        return StateMemory.plain(bytes);
    }

    @Override
    void close();
}
