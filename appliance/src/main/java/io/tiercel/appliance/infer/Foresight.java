package io.tiercel.appliance.infer;

import io.tiercel.appliance.engine.Footprint;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.PreparedExecutor;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.generation.GenerateFrame;
import io.tiercel.appliance.generation.TokenDraw;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
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
 * <p>Of a session that makes tokens the next question is certain, and those behind it may be guessed from what the
 * text has said before ({@link io.tiercel.appliance.generation.TokenHistory}): a row of steps is computed in one pass,
 * and as many are put aside as were guessed right, which their draws say. Where such a row is asked for before there
 * was time for it, the step that is due takes the guesses with it, if nothing else waits: {@link #stepWithGuesses}.
 *
 * <p>A step is computed on the session's own state ({@link TokenExecutor#stepTentatively}), what it has changed is
 * copied ({@link Footprint}), and the step is taken back: nothing has changed, and nobody has seen it, as the states
 * are this thread's alone. Whatever changes a session lets go of what was foreseen of it. So the bits are those of the
 * step, because they are the step's.
 *
 * <p>One pass at a time, and so many tokens a session; a request that comes meanwhile waits for the rest of that one.
 * One object for each infer thread, called by it alone; allocates in the constructor only.
 */
final class Foresight {

    /** Sessions, those asked last, of which something is foreseen: looked through for each request. */
    private static final int PLACES = 16;

    private final ForeseenTokens limits;
    private final NanoClock clock;
    private final TokenExecutor[] executors;
    private final TokenDraw[] draws;
    private final Footprint[] footprints;
    private final ForeseenSession[] places;
    private final GenerateFrame generate = new GenerateFrame();
    /** Tokens to be asked. */
    private final UnsafeBuffer questions;
    private final int outputsStride;
    private final int footprintBytes;
    private final AtomicCounter foreseenCount;
    private final AtomicCounter hitCount;
    private final AtomicCounter missCount;
    private final AtomicCounter savedNs;
    private long stamp;

    /**
     * @param sessions of the models that the executors are of, by index.
     * @param draws    of the executors whose models name tokens.
     * @param clock    read before and after each pass.
     * @param counters may be null if there is nothing to foresee.
     */
    Foresight(
            final ForeseenTokens limits,
            final ModelExecutor[] modelExecutors,
            final TokenDraw[] draws,
            final Sessions sessions,
            final NanoClock clock,
            final Counters counters) {
        this.limits = limits;
        this.draws = draws;
        this.clock = clock;
        executors = new TokenExecutor[modelExecutors.length];
        footprints = new Footprint[modelExecutors.length];
        int outputsLength = 0;
        int mostBytes = 0;
        for (int index = 0; index < sessions.modelCount(); index++) {
            final ModelShape shape = sessions.states(index).shape();
            if (limits.most() > 0 && shape.namesTokens()) {
                executors[index] = (TokenExecutor) modelExecutors[index];
                footprints[index] = executors[index].footprint();
                outputsLength = Math.max(outputsLength, shape.outputCount() * Float.BYTES);
                mostBytes = Math.max(mostBytes, footprints[index].maxBytes());
            }
        }
        footprintBytes = mostBytes;
        outputsStride = outputsLength;
        places = new ForeseenSession[outputsLength == 0 ? 0 : PLACES];
        for (int index = 0; index < places.length; index++) {
            places[index] =
                    new ForeseenSession(limits.most(), outputsLength, footprintBytes, limits.generated() > 0);
        }
        questions = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                TokenExecutor.MAX_DRAFT * Integer.BYTES, BitUtil.CACHE_LINE_LENGTH));
        foreseenCount = counter(counters, CounterId.FORESEEN);
        hitCount = counter(counters, CounterId.FORESEEN_HITS);
        missCount = counter(counters, CounterId.FORESEEN_MISSES);
        savedNs = counter(counters, CounterId.FORESEEN_SAVED_NS);
    }

    /** A further version: what can be put aside of it is, which is all of it if it is like those before. */
    void serve(final PreparedExecutor prepared) {
        if (places.length > 0 && prepared.shape().namesTokens()) {
            final TokenExecutor executor = (TokenExecutor) prepared.executor();
            final Footprint footprint = executor.footprint();
            if (footprint.maxBytes() <= footprintBytes &&
                    prepared.shape().outputCount() * Float.BYTES <= outputsStride) {
                executors[prepared.index()] = executor;
                footprints[prepared.index()] = footprint;
            }
        }
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
        final ForeseenSession place = find(modelIndex, sessionIndex);
        if (place == null) {
            return false;
        }
        place.release();
        final int index = place.find(token);
        if (index == ForeseenSession.NOT_FORESEEN) {
            missed(place);
            return false;
        }
        recall(place, place.steps[index], states, sessionIndex, states.shape().outputCount(), outputsAddress);
        return true;
    }

    /**
     * The same for a generation's frame, of which the outputs are the token that it makes. What was foreseen to follow
     * stays, and so does the session's place if it is the generation that was expected to go on.
     */
    boolean recallMade(
            final SessionStates states, final int modelIndex, final int sessionIndex, final DirectBuffer frame,
            final int token, final long outputsAddress) {
        final ForeseenSession place = find(modelIndex, sessionIndex);
        if (place == null) {
            return false;
        }
        if (!place.isContinuedBy(generate.wrap(frame, 0), token)) {
            place.release();
            missed(place);
            return false;
        }
        if (!place.hasForeseen()) {
            return false;
        }
        recall(place, place.next(), states, sessionIndex, MADE_OUTPUT_COUNT, outputsAddress);
        return true;
    }

    private void missed(final ForeseenSession place) {
        if (place.hasForeseen()) {
            missCount.getAndAdd(1);
        }
    }

    private void recall(
            final ForeseenSession place, final ForeseenSession.Step step, final SessionStates states,
            final int sessionIndex, final int outputCount, final long outputsAddress) {
        UnsafeApi.copyMemory(step.outputsAddress, outputsAddress, (long) outputCount * Float.BYTES);
        footprints[place.modelIndex].copyIn(
                states.stateAddress(sessionIndex), step.position, step.changed.addressOffset());
        states.putHash(sessionIndex, step.hash);
        hitCount.getAndAdd(1);
        savedNs.getAndAdd(step.durationNs);
    }

    /** The session is about to change in another way, or another one, of whatever model, gets its index. */
    void forget(final int sessionIndex) {
        for (final ForeseenSession place : places) {
            if (place.sessionIndex == sessionIndex) {
                place.release();
            }
        }
    }

    /** The session has been answered with these outputs, and is settled before anything is foreseen. */
    void expect(final int modelIndex, final int sessionIndex, final long outputsAddress, final int outputCount) {
        if (limits.likely() == 0 || executors[modelIndex] == null) {
            return;
        }
        final ForeseenSession place = placeFor(modelIndex, sessionIndex);
        place.expectOneOf(Math.min(limits.likely(), outputCount / MADE_OUTPUT_COUNT));
        for (int index = 0; index < place.tokenCount; index++) {
            place.tokens[index] =
                    UnsafeApi.getInt(outputsAddress + (long) index * MADE_OUTPUT_COUNT * Float.BYTES);
        }
    }

    /** The session has made a token by that frame, and is settled before anything is foreseen. */
    void expectNext(final int modelIndex, final int sessionIndex, final DirectBuffer frame, final int token) {
        if (limits.generated() == 0 || executors[modelIndex] == null) {
            return;
        }
        if (generate.wrap(frame, 0).isLast(token)) {
            forget(sessionIndex);
        } else {
            placeFor(modelIndex, sessionIndex).expectNext(frame, token);
        }
    }

    /** Computes one pass, if there is one to compute; all sessions are settled. */
    boolean onIdle(final Sessions sessions) {
        ForeseenSession newest = null;
        for (final ForeseenSession place : places) {
            if (place.hasWork() && (newest == null || place.stamp > newest.stamp)) {
                newest = place;
            }
        }
        if (newest == null) {
            return false;
        }
        final SessionStates states = sessions.states(newest.modelIndex);
        if (!states.hasRoom(newest.sessionIndex, 1, executors[newest.modelIndex])) {
            newest.release();
        } else if (newest.isGenerating()) {
            foreseeRow(newest, states, guess(newest, states), 0);
        } else {
            foresee(newest, states);
        }
        return true;
    }

    /**
     * Makes the step that a generation's frame asks for, which {@link #recallMade} did not find, in one pass with the
     * steps of guesses at what follows; these are put aside. All is as after the step alone, and the token is made.
     * False if there is nothing to guess; then nothing has changed.
     */
    boolean stepWithGuesses(
            final SessionStates states, final int modelIndex, final int sessionIndex, final long outputsAddress) {
        final ForeseenSession place = find(modelIndex, sessionIndex);
        if (place == null || !place.isGenerating()) {
            return false;
        }
        final int tokenCount = guess(place, states);
        if (tokenCount == 1) {
            return false;
        }
        foreseeRow(place, states, tokenCount, 1);
        UnsafeApi.copyMemory(place.next().outputsAddress, outputsAddress, TokenDraw.OUTPUTS_LENGTH);
        return true;
    }

    /** Tokens of the row, the certain one included, that the session has room for; it has for one. */
    private int guess(final ForeseenSession place, final SessionStates states) {
        int tokenCount = place.guess(limits.generated());
        while (!states.hasRoom(place.sessionIndex, tokenCount, executors[place.modelIndex])) {
            tokenCount--;
        }
        return tokenCount;
    }

    /** The step of the next token that may be asked for. */
    private void foresee(final ForeseenSession place, final SessionStates states) {
        final long startNs = clock.nanoTime();
        step(place, states, place.foreseenCount, 1);
        putAside(place, states, place.foreseenCount, 1, 0);
        place.foreseenCount++;
        foreseen(place, place.foreseenCount - 1, 1, startNs);
    }

    /** The steps of the row's tokens, of which the first ones are those of the session from now on. */
    private void foreseeRow(
            final ForeseenSession place, final SessionStates states, final int tokenCount, final int keptCount) {
        final long startNs = clock.nanoTime();
        step(place, states, 0, tokenCount);
        final int rightCount = draw(place, tokenCount);
        putAside(place, states, 0, rightCount, keptCount);
        place.tokenCount = rightCount;
        place.foreseenCount = rightCount;
        foreseen(place, 0, rightCount, startNs);
        foreseenCount.getAndAdd(tokenCount - rightCount - keptCount);
    }

    private void step(
            final ForeseenSession place, final SessionStates states, final int first, final int tokenCount) {
        for (int index = 0; index < tokenCount; index++) {
            questions.putInt(index * Integer.BYTES, place.tokens[first + index]);
        }
        executors[place.modelIndex].stepTentatively(states.stateAddress(place.sessionIndex),
                questions.addressOffset(), tokenCount, place.steps[first].outputsAddress, outputsStride);
    }

    /** Makes the token of each place of the row, for as long as the place behind it was guessed to be that. */
    private int draw(final ForeseenSession place, final int tokenCount) {
        final TokenDraw draw = draws[place.modelIndex];
        int count = 0;
        int made;
        do {
            final long outputsAddress = place.steps[count].outputsAddress;
            draw.draw(place.generate(), place.generate().madeTokens() + 1 + count, count, outputsAddress);
            made = UnsafeApi.getInt(outputsAddress);
            count++;
        } while (count < tokenCount && place.tokens[count] == made);
        return count;
    }

    /** Takes the last steps back one by one, down to those that are kept, with what each has changed put aside. */
    private void putAside(
            final ForeseenSession place, final SessionStates states, final int first, final int count,
            final int keptCount) {
        final TokenExecutor executor = executors[place.modelIndex];
        final Footprint footprint = footprints[place.modelIndex];
        final long stateAddress = states.stateAddress(place.sessionIndex);
        final long hash = states.hash(place.sessionIndex);
        for (int left = count; left > keptCount; left--) {
            final ForeseenSession.Step step = place.steps[first + left - 1];
            step.hash = executor.keep(stateAddress, left, hash);
            step.position = footprint.position(stateAddress) - 1;
            footprint.copyOut(stateAddress, step.position, step.changed.addressOffset());
        }
        executor.keep(stateAddress, keptCount, hash);
    }

    private void foreseen(final ForeseenSession place, final int first, final int count, final long startNs) {
        final long durationNs = clock.nanoTime() - startNs;
        for (int index = first; index < first + count; index++) {
            place.steps[index].durationNs = durationNs / count;
        }
        foreseenCount.getAndAdd(count);
    }

    private ForeseenSession find(final int modelIndex, final int sessionIndex) {
        for (final ForeseenSession place : places) {
            if (place.sessionIndex == sessionIndex && place.modelIndex == modelIndex) {
                return place;
            }
        }
        return null;
    }

    /** The session's own, a free one, or that of the session whose answer is the oldest; its answer is the newest. */
    private ForeseenSession placeFor(final int modelIndex, final int sessionIndex) {
        ForeseenSession chosen = find(modelIndex, sessionIndex);
        if (chosen == null) {
            chosen = freeOrOldest();
            chosen.begin(modelIndex, sessionIndex);
        }
        chosen.stamp = ++stamp;
        return chosen;
    }

    private ForeseenSession freeOrOldest() {
        ForeseenSession oldest = places[0];
        for (final ForeseenSession place : places) {
            if (place.isFree()) {
                return place;
            }
            if (place.stamp < oldest.stamp) {
                oldest = place;
            }
        }
        return oldest;
    }
}
