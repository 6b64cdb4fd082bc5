package io.tiercel.replay;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.session.SessionStates;
import java.util.Arrays;

/**
 * The states of one model's sessions, by an index that all models of a journal share. A journal does not say how many
 * sessions it has, so their memory comes in blocks; one may be all but empty. Grown by one thread; any thread may ask
 * for a block that has been made before the session came to it.
 */
public final class SessionBlocks implements AutoCloseable {

    private static final int BLOCK_BITS = 8;
    private static final int BLOCK_SESSIONS = 1 << BLOCK_BITS;

    private final Model model;
    private final byte[] version;
    /** Replaced, never changed, once it is seen by others. */
    private volatile SessionStates[] blocks = new SessionStates[0];

    /** @param version SHA-256 of the bundle. */
    public SessionBlocks(final Model model, final byte[] version) {
        this.model = model;
        this.version = version.clone();
    }

    /** The block that holds the session, made if it is not there. */
    public SessionStates ensure(final int sessionIndex) {
        final int block = sessionIndex >>> BLOCK_BITS;
        if (block >= blocks.length || blocks[block] == null) {
            final SessionStates[] more = Arrays.copyOf(blocks, Math.max(blocks.length, block + 1));
            more[block] = new SessionStates(BLOCK_SESSIONS, model, version);
            blocks = more;
        }
        return blocks[block];
    }

    /** The block that holds the session, which {@link #ensure} has made. */
    public SessionStates of(final int sessionIndex) {
        return blocks[sessionIndex >>> BLOCK_BITS];
    }

    /** The session's index within its block. */
    public static int slot(final int sessionIndex) {
        return sessionIndex & (BLOCK_SESSIONS - 1);
    }

    @Override
    public void close() {
        for (final SessionStates states : blocks) {
            if (states != null) {
                states.close();
            }
        }
    }
}
