package io.tiercel.appliance.infer;

import io.tiercel.appliance.engine.Footprint;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;

import static io.tiercel.protocol.Frames.MADE_OUTPUT_COUNT;

/**
 * Answers before the question. A model that names next tokens says with each answer what it expects to be asked next.
 * When nothing else is there to do, the steps of the likeliest of these are computed, for the sessions that were asked
 * last, and put aside. When one of them is asked, its answer is there.
 *
 * <p>A step is computed on the session's own state, what it has changed is copied ({@link Footprint}), and the state is
 * put back as it was: nothing has changed, and nobody has seen it, as the states are this thread's alone. Whatever
 * changes a session lets go of what was foreseen of it. So the bits are those of the step, because they are the step's.
 *
 * <p>One step at a time, and so many a session; a request that comes meanwhile waits for the rest of that one. One
 * object for each infer thread, called by it alone; allocates in the constructor only.
 */
final class Foresight {

    /** Sessions, those asked last, of which something is foreseen: looked through for each request. */
    private static final int PLACES = 16;
    private static final int NOBODY = -1;
    private static final int NOT_FORESEEN = -1;

    private final int tokensPerSession;
    private final NanoClock clock;
    private final TokenExecutor[] executors;
    private final Footprint[] footprints;
    private final Place[] places;
    private final StepBatch batch = new StepBatch(1);
    /** A token to be asked, and the state as it was. */
    private final UnsafeBuffer question;
    private final UnsafeBuffer before;
    private final AtomicCounter foreseenCount;
    private final AtomicCounter hitCount;
    private final AtomicCounter missCount;
    private final AtomicCounter savedNs;
    private long stamp;

    /** What is foreseen of one session. */
    private static final class Place {
        private final int[] tokens;
        private final Foreseen[] foreseen;
        private int modelIndex = NOBODY;
        private int sessionIndex = NOBODY;
        private int tokenCount;
        private int foreseenCount;
        /** Of the last answer: the higher the later. */
        private long stamp;

        private Place(final int tokenCount, final int outputsLength, final int footprintBytes) {
            tokens = new int[tokenCount];
            foreseen = new Foreseen[tokenCount];
            for (int index = 0; index < tokenCount; index++) {
                foreseen[index] = new Foreseen(outputsLength, footprintBytes);
            }
        }

        private int find(final int token) {
            for (int index = 0; index < foreseenCount; index++) {
                if (tokens[index] == token) {
                    return index;
                }
            }
            return NOT_FORESEEN;
        }
    }

    /** A step that was computed before it was asked for. */
    private static final class Foreseen {
        private final UnsafeBuffer outputs;
        private final UnsafeBuffer changed;
        private long position;
        private long hash;
        private long durationNs;

        private Foreseen(final int outputsLength, final int footprintBytes) {
            outputs = allocate(outputsLength);
            changed = allocate(footprintBytes);
        }
    }

    /**
     * @param tokensPerSession likeliest next tokens whose steps are computed; 0 for none.
     * @param sessions         of the models that the executors are of, by index.
     * @param clock            read before and after each step.
     * @param counters         may be null if there is nothing to foresee.
     */
    Foresight(
            final int tokensPerSession,
            final ModelExecutor[] modelExecutors,
            final Sessions sessions,
            final NanoClock clock,
            final Counters counters) {
        this.clock = clock;
        executors = new TokenExecutor[modelExecutors.length];
        footprints = new Footprint[modelExecutors.length];
        int outputsLength = 0;
        int footprintBytes = 0;
        for (int index = 0; index < executors.length; index++) {
            final ModelShape shape = sessions.states(index).shape();
            if (tokensPerSession > 0 && shape.namesTokens()) {
                executors[index] = (TokenExecutor) modelExecutors[index];
                footprints[index] = executors[index].footprint();
                outputsLength = Math.max(outputsLength, shape.outputCount() * Float.BYTES);
                footprintBytes = Math.max(footprintBytes, footprints[index].maxBytes());
            }
        }
        this.tokensPerSession = outputsLength == 0 ? 0 : tokensPerSession;
        places = new Place[this.tokensPerSession == 0 ? 0 : PLACES];
        for (int index = 0; index < places.length; index++) {
            places[index] = new Place(tokensPerSession, outputsLength, footprintBytes);
        }
        question = allocate(Integer.BYTES);
        before = allocate(footprintBytes);
        foreseenCount = counter(counters, CounterId.FORESEEN);
        hitCount = counter(counters, CounterId.FORESEEN_HITS);
        missCount = counter(counters, CounterId.FORESEEN_MISSES);
        savedNs = counter(counters, CounterId.FORESEEN_SAVED_NS);
    }

    /** What is not foreseen is not counted either. */
    private AtomicCounter counter(final Counters counters, final CounterId id) {
        return places.length == 0 ? null : counters.get(id);
    }

    /**
     * Makes a step that was foreseen: outputs, state and hash are those of the step, but for the work ahead, which
     * follows as after any. False if it was not foreseen; then nothing has changed. In either case what was foreseen of
     * the session is let go of: it changes now.
     */
    boolean recall(
            final SessionStates states, final int modelIndex, final int sessionIndex, final int token,
            final long outputsAddress) {
        final Place place = find(modelIndex, sessionIndex);
        if (place == null) {
            return false;
        }
        final int index = place.find(token);
        place.sessionIndex = NOBODY;
        if (index == NOT_FORESEEN) {
            missCount.getAndAdd(1);
            return false;
        }
        final Foreseen foreseen = place.foreseen[index];
        UnsafeApi.copyMemory(foreseen.outputs.addressOffset(), outputsAddress,
                (long) states.shape().outputCount() * Float.BYTES);
        footprints[modelIndex].copyIn(
                states.stateAddress(sessionIndex), foreseen.position, foreseen.changed.addressOffset());
        states.putHash(sessionIndex, foreseen.hash);
        hitCount.getAndAdd(1);
        savedNs.getAndAdd(foreseen.durationNs);
        return true;
    }

    /** The session is about to change in another way, or another one, of whatever model, gets its index. */
    void forget(final int sessionIndex) {
        for (final Place place : places) {
            if (place.sessionIndex == sessionIndex) {
                place.sessionIndex = NOBODY;
            }
        }
    }

    /** The session has been answered with these outputs, and is settled before anything is foreseen. */
    void expect(final int modelIndex, final int sessionIndex, final long outputsAddress, final int outputCount) {
        if (places.length == 0 || executors[modelIndex] == null) {
            return;
        }
        final Place place = placeFor(modelIndex, sessionIndex);
        place.modelIndex = modelIndex;
        place.sessionIndex = sessionIndex;
        place.stamp = ++stamp;
        place.foreseenCount = 0;
        place.tokenCount = Math.min(tokensPerSession, outputCount / MADE_OUTPUT_COUNT);
        for (int index = 0; index < place.tokenCount; index++) {
            place.tokens[index] =
                    UnsafeApi.getInt(outputsAddress + (long) index * MADE_OUTPUT_COUNT * Float.BYTES);
        }
    }

    /** Computes one step, if there is one to compute; all sessions are settled. */
    boolean onIdle(final Sessions sessions) {
        Place newest = null;
        for (final Place place : places) {
            final boolean hasWork = place.sessionIndex != NOBODY && place.foreseenCount < place.tokenCount;
            if (hasWork && (newest == null || place.stamp > newest.stamp)) {
                newest = place;
            }
        }
        if (newest == null) {
            return false;
        }
        final SessionStates states = sessions.states(newest.modelIndex);
        final TokenExecutor executor = executors[newest.modelIndex];
        if (!states.hasRoom(newest.sessionIndex, 1, executor)) {
            newest.sessionIndex = NOBODY;
            return true;
        }
        foresee(newest, states, executor);
        return true;
    }

    private void foresee(final Place place, final SessionStates states, final TokenExecutor executor) {
        final long startNs = clock.nanoTime();
        final Foreseen foreseen = place.foreseen[place.foreseenCount];
        final Footprint footprint = footprints[place.modelIndex];
        final long stateAddress = states.stateAddress(place.sessionIndex);
        foreseen.position = footprint.position(stateAddress);
        footprint.copyOut(stateAddress, foreseen.position, before.addressOffset());
        question.putInt(0, place.tokens[place.foreseenCount]);
        batch.clear();
        batch.add(question.addressOffset(), stateAddress, foreseen.outputs.addressOffset());
        executor.step(batch);
        foreseen.hash = executor.hash(stateAddress, states.hash(place.sessionIndex));
        footprint.copyOut(stateAddress, foreseen.position, foreseen.changed.addressOffset());
        footprint.copyIn(stateAddress, foreseen.position, before.addressOffset());
        place.foreseenCount++;
        foreseen.durationNs = clock.nanoTime() - startNs;
        foreseenCount.getAndAdd(1);
    }

    private Place find(final int modelIndex, final int sessionIndex) {
        for (final Place place : places) {
            if (place.sessionIndex == sessionIndex && place.modelIndex == modelIndex) {
                return place;
            }
        }
        return null;
    }

    /** The session's own, a free one, or that of the session whose answer is the oldest. */
    private Place placeFor(final int modelIndex, final int sessionIndex) {
        final Place own = find(modelIndex, sessionIndex);
        if (own != null) {
            return own;
        }
        Place oldest = places[0];
        for (final Place place : places) {
            if (place.sessionIndex == NOBODY) {
                return place;
            }
            if (place.stamp < oldest.stamp) {
                oldest = place;
            }
        }
        return oldest;
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(Math.max(1, bytes), BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
    }
}
