package io.tiercel.appliance.session;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StateMemory;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.StepBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.LongFunction;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The states of all sessions of one model, and the arithmetic of a session's life: how it begins, how a step moves
 * it, how its hash is chained, how it is reset. The live pipeline and replay share this class; whatever either did
 * beside it would be a divergence.
 *
 * <p>A request of {@code stepCount} steps is, for each step: {@link ModelExecutor#step}, then {@link #settle}, which
 * chains the hash and computes ahead. An answer may leave between the last step and its {@code settle}; the next step
 * of the session may not begin there. {@link #steps} is the whole of it for one session. An expired request, and one
 * for which the session {@link #hasRoom has no room}, only calls {@link #ensureInitialised}: the session exists, its
 * state and hash stand.
 *
 * <p>A forked session has the full pages of its source's state in common with it ({@link StatePages}), until one of
 * them is written: then whoever writes has a page of its own. Hashes and copies are those of the canonical state.
 *
 * <p>The memory is one block, which the operating system fills in page by page as sessions come. Each slot begins on
 * a cache line of its own, so workers do not share any:
 * <pre>
 *   0                                               64
 *   +-----------------------------------------------+-----------------------------+
 *   | {@link SessionHeader}                         | state: stateBytes           |
 *   +-----------------------------------------------+-----------------------------+
 * </pre>
 *
 * <p>Threads: one index belongs to one infer worker at a time; different workers may use different indices at the same
 * time, and nothing here orders them. Allocates in the constructor only. Not usable after {@link #close}, which no
 * worker may still be running against.
 */
public final class SessionStates implements AutoCloseable {

    private static final int ALIGNMENT = 64;
    private static final int HEADER_BYTES = SessionHeader.BYTES;

    private final boolean[] initialised;
    private final long slotBytes;
    private final long genesisHash;
    private final ModelShape shape;
    private final StatePages pages;
    private final SharedPages sharedPages;
    private final FirstTouch firstTouch;
    private StateMemory memory;
    private long firstStateAddress;
    /** Of all that have been used the highest index, and one; a hint for who touches memory ahead of it. */
    private volatile int usedCount;

    /**
     * @param maxSessions  slots, from index 0.
     * @param modelVersion SHA-256 of the bundle: its first 8 bytes, little-endian, are every new session's hash.
     */
    public SessionStates(final int maxSessions, final Model model, final byte[] modelVersion) {
        this(maxSessions, model.shape(), model.pages(), model::newStateMemory, modelVersion);
    }

    /** @param newMemory makes a block of so many bytes. */
    SessionStates(
            final int maxSessions,
            final ModelShape shape,
            final StatePages pages,
            final LongFunction<StateMemory> newMemory,
            final byte[] modelVersion) {
        if (maxSessions < 1) {
            throw new IllegalArgumentException("maxSessions=" + maxSessions + " is below 1");
        }
        if (shape.stateBytes() < 0 || shape.stateBytes() % ALIGNMENT != 0) {
            throw new IllegalArgumentException("stateBytes=" + shape.stateBytes() + " is not a multiple of 64");
        }
        this.shape = shape;
        this.initialised = new boolean[maxSessions];
        this.slotBytes = HEADER_BYTES + (long) shape.stateBytes();
        this.genesisHash = genesisHash(modelVersion);
        this.pages = pages;
        this.memory = allocate(newMemory, maxSessions * slotBytes, maxSessions);
        this.firstStateAddress = memory.address() + HEADER_BYTES;
        this.firstTouch = new FirstTouch(memory.address(), maxSessions * slotBytes);
        this.sharedPages = pages.count() == 0 ? null : newSharedPages(newMemory, maxSessions);
    }

    /** The hash of a session that has not made a step: the first 8 bytes, little-endian, of the model version. */
    public static long genesisHash(final byte[] modelVersion) {
        return ByteBuffer.wrap(modelVersion).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    }

    public int maxSessions() {
        return initialised.length;
    }

    public ModelShape shape() {
        return shape;
    }

    /** Where the session's state lies: 64-byte aligned, {@code stateBytes} long, the same for the session's life. */
    public long stateAddress(final int sessionIndex) {
        return firstStateAddress + checkedIndex(sessionIndex) * slotBytes;
    }

    /** The session's chained hash as it stands. The session must be initialised. */
    public long hash(final int sessionIndex) {
        if (!initialised[sessionIndex]) {
            throw new IllegalStateException("sessionIndex=" + sessionIndex + " has no state yet");
        }
        return SessionHeader.hash(headerAddress(sessionIndex));
    }

    /** As {@link SessionHeader#lastUse}; known of a session that was told of it with {@link #use} or {@link #lend}. */
    public long lastUse(final int sessionIndex) {
        return SessionHeader.lastUse(headerAddress(sessionIndex));
    }

    /** The session was in a request, or stands in the order of last use as if it had been in that one. */
    public void use(final int sessionIndex, final long sequence) {
        SessionHeader.lastUse(headerAddress(sessionIndex), 2 * sequence + 1);
    }

    /** The session was the source of a request that copies it: it was used just before the copy. */
    public void lend(final int sessionIndex, final long sequence) {
        SessionHeader.lastUse(headerAddress(sessionIndex), 2 * sequence);
    }

    /** Says whose the session is, for whoever has a copy of it. */
    public void name(final int sessionIndex, final long principalId, final long sessionKey) {
        SessionHeader.name(headerAddress(sessionIndex), principalId, sessionKey);
    }

    /** Puts a new session where none, or another one, was. Before anything else that its first request does. */
    public void begin(
            final int sessionIndex, final ModelExecutor executor, final long principalId, final long sessionKey) {
        reset(sessionIndex, executor);
        name(sessionIndex, principalId, sessionKey);
    }

    /** Sets it: the state has been put there as a step had left it. */
    public void putHash(final int sessionIndex, final long hash) {
        SessionHeader.hash(headerAddress(sessionIndex), hash);
    }

    /** Gives a session that has none its first state and hash. Before anything else that a request does. */
    public void ensureInitialised(final int sessionIndex, final ModelExecutor executor) {
        if (!initialised[sessionIndex]) {
            reset(sessionIndex, executor);
        }
    }

    /** Puts a session, new or not, into the first state, with the first hash. */
    public void reset(final int sessionIndex, final ModelExecutor executor) {
        final long stateAddress = stateAddress(sessionIndex);
        release(sessionIndex, stateAddress);
        executor.initialise(stateAddress);
        SessionHeader.hash(stateAddress - HEADER_BYTES, genesisHash);
        onInitialised(sessionIndex);
    }

    /**
     * Whether a request of that many steps is computed: all of them or none. Asked after whatever the clock decides,
     * and decided by the session's state alone; the session must be initialised.
     */
    public boolean hasRoom(final int sessionIndex, final int stepCount, final ModelExecutor executor) {
        return shape.contextTokens() == 0 || executor.hasRoom(stateAddress(sessionIndex), stepCount);
    }

    /** Whether the session has a state: it has been in a request. */
    public boolean isInitialised(final int sessionIndex) {
        return initialised[sessionIndex];
    }

    /** Copies a session's header and, behind it, the canonical part of its state. The last step must be settled. */
    public void copyCanonical(final int sessionIndex, final long targetAddress) {
        UnsafeApi.copyMemory(headerAddress(sessionIndex), targetAddress, HEADER_BYTES);
        copyCanonicalState(sessionIndex, targetAddress + HEADER_BYTES);
    }

    /** A copy of the canonical part of a session's state. Allocates. */
    public byte[] canonicalState(final int sessionIndex) {
        final byte[] bytes = new byte[shape.canonicalBytes()];
        final UnsafeBuffer copy = new UnsafeBuffer(ByteBuffer.allocateDirect(bytes.length));
        copyCanonicalState(sessionIndex, copy.addressOffset());
        copy.getBytes(0, bytes);
        return bytes;
    }

    private void copyCanonicalState(final int sessionIndex, final long targetAddress) {
        pages.copyCanonical(stateAddress(sessionIndex), targetAddress, shape.canonicalBytes());
    }

    /**
     * Puts a session where another one was: in a snapshot, on another machine, with another backend. Allocates.
     *
     * @param canonical {@code shape().canonicalBytes()} bytes from offset 0.
     */
    public void restore(
            final int sessionIndex, final long hash, final DirectBuffer canonical, final ModelExecutor executor) {
        final long stateAddress = stateAddress(sessionIndex);
        release(sessionIndex, stateAddress);
        canonical.getBytes(0, new UnsafeBuffer(stateAddress, shape.canonicalBytes()), 0, shape.canonicalBytes());
        executor.restore(stateAddress);
        SessionHeader.hash(stateAddress - HEADER_BYTES, hash);
        onInitialised(sessionIndex);
    }

    /**
     * Puts a session, new or not, where another one stands, hash included. The source's last step must be settled; its
     * canonical state is not changed, but nobody else may be at work on it: its full pages come to be shared. Where
     * both are the same session, nothing changes.
     */
    public void fork(final int sourceIndex, final int sessionIndex) {
        if (sharedPages == null || sourceIndex == sessionIndex) {
            fork(this, sourceIndex, sessionIndex);
            return;
        }
        final long from = stateAddress(sourceIndex);
        final long to = stateAddress(sessionIndex);
        release(sessionIndex, to);
        putHash(sessionIndex, hash(sourceIndex));
        UnsafeApi.copyMemory(from, to, pages.offset());
        copyDerived(from, to);
        pages.clear(to);
        for (int page = 0; page < pages.count(); page++) {
            if (!pages.isFull(from, page) || !sharedPages.share(from, page, to)) {
                UnsafeApi.copyMemory(pages.address(from, page), pages.ownAddress(to, page), pages.bytes());
            }
        }
        onInitialised(sessionIndex);
    }

    /** Pages that sessions have in common, each counted once, at a moment when no worker is at work. */
    public int sharedPageCount() {
        return sharedPages == null ? 0 : sharedPages.heldCount();
    }

    /** As {@link #fork(int, int)}, where the source's state stands in another object, of the same model and backend. */
    public void fork(final SessionStates source, final int sourceIndex, final int sessionIndex) {
        final long from = source.stateAddress(sourceIndex);
        final long to = stateAddress(sessionIndex);
        if (from == to) {
            return;
        }
        release(sessionIndex, to);
        putHash(sessionIndex, source.hash(sourceIndex));
        source.copyCanonicalState(sourceIndex, to);
        copyDerived(from, to);
        pages.clear(to);
        onInitialised(sessionIndex);
    }

    /** Chains what the last step wrote into the session's hash. Once for each step, before {@code ahead}. */
    public void applyHash(final int sessionIndex, final ModelExecutor executor) {
        applyHashAt(stateAddress(sessionIndex), executor);
    }

    /**
     * What follows a step: chains each session's hash, then computes ahead. Every state of the batch must come from
     * {@link #stateAddress} of this object, or of another one of the same model.
     */
    public void settle(final StepBatch batch, final ModelExecutor executor) {
        for (int i = 0, size = batch.size(); i < size; i++) {
            applyHashAt(batch.stateAddress(i), executor);
        }
        executor.ahead(batch);
    }

    /**
     * All steps of one request of one session, settled. Feature vectors follow each other.
     *
     * @param outputsStride bytes from one step's outputs to the next's: the size of the outputs to keep all (a
     *                      streamed request), 0 to keep the last.
     */
    public void steps(
            final int sessionIndex,
            final ModelExecutor executor,
            final long featuresAddress,
            final int stepCount,
            final long outputsAddress,
            final int outputsStride) {
        final long stateAddress = stateAddress(sessionIndex);
        final long headerAddress = stateAddress - HEADER_BYTES;
        SessionHeader.hash(headerAddress, executor.steps(stateAddress, featuresAddress, stepCount, outputsAddress,
                outputsStride, SessionHeader.hash(headerAddress)));
    }

    /**
     * Touches memory that new sessions will need; see {@link FirstTouch}. One thread, any, at a time; not after {@link
     * #close}.
     *
     * @return whether there was anything to touch.
     */
    public boolean touchAhead() {
        final boolean hasTouched = firstTouch.ahead(usedCount * slotBytes);
        return sharedPages != null && sharedPages.touchAhead() || hasTouched;
    }

    /** Gives the memory back; every address is invalid from here on. A second call does nothing. */
    @Override
    public void close() {
        if (memory != null) {
            memory.close();
            CloseHelper.close(sharedPages);
            memory = null;
            firstStateAddress = 0;
        }
    }

    /** With a table of pages, which is not to be the other one's. */
    private void copyDerived(final long from, final long to) {
        final int canonicalBytes = shape.canonicalBytes();
        UnsafeApi.copyMemory(from + canonicalBytes, to + canonicalBytes, shape.stateBytes() - (long) canonicalBytes);
    }

    private static void applyHashAt(final long stateAddress, final ModelExecutor executor) {
        final long headerAddress = stateAddress - HEADER_BYTES;
        SessionHeader.hash(headerAddress, executor.hash(stateAddress, SessionHeader.hash(headerAddress)));
    }

    private long headerAddress(final int sessionIndex) {
        return stateAddress(sessionIndex) - HEADER_BYTES;
    }

    private int checkedIndex(final int sessionIndex) {
        if (sessionIndex < 0 || sessionIndex >= initialised.length || memory == null) {
            throw new IndexOutOfBoundsException(
                    "sessionIndex=" + sessionIndex + " maxSessions=" + initialised.length +
                            " closed=" + (memory == null));
        }
        return sessionIndex;
    }

    private void onInitialised(final int sessionIndex) {
        initialised[sessionIndex] = true;
        if (sessionIndex >= usedCount) {
            usedCount = sessionIndex + 1;
        }
    }

    /** Whatever stands in a slot that is about to be overwritten. */
    private void release(final int sessionIndex, final long stateAddress) {
        if (initialised[sessionIndex]) {
            pages.release(stateAddress);
        }
    }

    private SharedPages newSharedPages(final LongFunction<StateMemory> newMemory, final int capacity) {
        return new SharedPages(
                allocate(newMemory, SharedPages.bytesOf(pages, capacity), capacity), pages, capacity);
    }

    private StateMemory allocate(final LongFunction<StateMemory> newMemory, final long bytes, final int maxSessions) {
        try {
            return newMemory.apply(bytes);
        } catch (final OutOfMemoryError ex) {
            throw new IllegalStateException(
                    "no memory for the states of maxSessions=" + maxSessions + " stateBytes=" + shape.stateBytes() +
                            " (" + bytes + " bytes)",
                    ex);
        }
    }
}
