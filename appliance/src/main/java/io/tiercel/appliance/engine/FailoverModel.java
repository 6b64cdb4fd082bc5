package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.protocol.journal.Arithmetic;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model on a device that can be lost, and the same on a backend that cannot, ready to go on for it. Both compute the
 * same bits, so nothing but the time of an answer says which one did; or, of a bundle that states a tolerance, within
 * that. Owns both.
 *
 * <p>A session's state has room for either one's derived part, and at its end a word that says whose it is: so an
 * executor knows what it can use of a state that another one has left.
 * <pre>
 *   0                  canonicalBytes                          stateBytes - 64
 *   +------------------+---------------------------------------+---------------------------+
 *   | canonical        | derived, by the primary or the standby| int64 owner, then nothing |
 *   +------------------+---------------------------------------+---------------------------+
 * </pre>
 */
public final class FailoverModel implements Model {

    private static final Logger LOG = LoggerFactory.getLogger(FailoverModel.class);
    /** A cache line, so that the state stays a multiple of one. */
    private static final int OWNER_BYTES = 64;

    private final String primaryName;
    private final Model primary;
    private final String standbyName;
    private final Model standby;
    private final ModelShape shape;
    private final AtomicBoolean hasSaidSo = new AtomicBoolean();

    /**
     * @param primaryName of its backend, for the log; likewise {@code standbyName}.
     * @throws IllegalArgumentException if the two would not compute the same: other sizes or another tolerance.
     */
    public FailoverModel(
            final String primaryName, final Model primary, final String standbyName, final Model standby) {
        this.primaryName = primaryName;
        this.primary = primary;
        this.standbyName = standbyName;
        this.standby = standby;
        final ModelShape one = primary.shape();
        final ModelShape other = standby.shape();
        if (one.canonicalBytes() != other.canonicalBytes() || one.vocabularySize() != other.vocabularySize() ||
                one.contextTokens() != other.contextTokens() || one.namesTokens() != other.namesTokens() ||
                !primary.pages().isLike(standby.pages()) ||
                primary.arithmetic() != standby.arithmetic() || !primary.tolerance().equals(standby.tolerance())) {
            throw new IllegalArgumentException(
                    "backend=" + standbyName + " cannot stand in for backend=" + primaryName + ": " + other + " " +
                            standby.arithmetic() + ", " + one + " " + primary.arithmetic());
        }
        shape = new ModelShape(one.family(), one.featureCount(), one.outputCount(),
                Math.max(one.stateBytes(), other.stateBytes()) + OWNER_BYTES, one.canonicalBytes(),
                one.vocabularySize(), one.contextTokens(), one.namesTokens());
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    @Override
    public Arithmetic arithmetic() {
        return standby.arithmetic();
    }

    @Override
    public Tolerance tolerance() {
        return standby.tolerance();
    }

    /** Where they stand is said in the same way by both. */
    @Override
    public StatePages pages() {
        return standby.pages();
    }

    @Override
    public StateMemory newStateMemory(final long bytes) {
        return standby.newStateMemory(bytes);
    }

    /** On the standby from the start if the device cannot begin. */
    @Override
    public ModelExecutor newExecutor(final int maxBatch) {
        final ModelExecutor onStandby = standby.newExecutor(maxBatch);
        ModelExecutor onPrimary = null;
        try {
            onPrimary = primary.newExecutor(maxBatch);
        } catch (final DeviceLostException ex) {
            onLost(ex);
        }
        return onStandby instanceof TokenExecutor
                ? new FailoverTokenExecutor(this, (TokenExecutor) onPrimary, (TokenExecutor) onStandby, maxBatch)
                : new FailoverExecutor(this, onPrimary, onStandby, maxBatch);
    }

    @Override
    public void close() {
        primary.close();
        standby.close();
    }

    /** Where in a state it is said whose the derived part is. */
    int ownerOffset() {
        return shape.stateBytes() - OWNER_BYTES;
    }

    /** Says so, once, whichever executor sees it first. */
    void onLost(final DeviceLostException ex) {
        if (hasSaidSo.compareAndSet(false, true)) {
            LOG.error("backend={} is lost, backend={} goes on for it: {}", primaryName, standbyName, ex.getMessage());
        }
    }
}
