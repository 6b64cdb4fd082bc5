package io.tiercel.appliance.session;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Footprint;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import java.util.SplittableRandom;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/** Sessions that are forked from one another, and have pages in common, against the same with states of their own. */
public final class ForkCheck implements AutoCloseable {

    private static final int SESSIONS = 5;
    private static final int ROUNDS = 40;
    private static final int MAX_STEPS = 300;
    private static final int FIRST_STEPS = 140;

    private final int rounds;
    private final int maxSteps;
    private final TransformerSetting setting;
    private final SplittableRandom random;
    private final ModelExecutor executor;
    private final ModelExecutor plainExecutor;
    private final SessionStates states;
    private final SessionStates plainStates;
    private final UnsafeBuffer inputs;
    private final UnsafeBuffer outputs;
    private final UnsafeBuffer plainOutputs;
    private final UnsafeBuffer unread;

    private ForkCheck(
            final TransformerSetting setting, final Model model, final Model plainModel,
            final SplittableRandom random, final int rounds, final int maxSteps) {
        this.setting = setting;
        this.rounds = rounds;
        this.maxSteps = maxSteps;
        this.random = random;
        executor = model.newExecutor(1);
        plainExecutor = plainModel.newExecutor(1);
        states = new SessionStates(SESSIONS, model, new byte[Long.BYTES]);
        plainStates = new SessionStates(SESSIONS, plainModel, new byte[Long.BYTES]);
        inputs = allocate(Math.max(maxSteps, setting.sinks() + setting.window() + FIRST_STEPS) * setting.inputCount() *
                Integer.BYTES);
        outputs = allocate(model.shape().outputCount() * Float.BYTES);
        plainOutputs = allocate(model.shape().outputCount() * Float.BYTES);
        unread = allocate(model.shape().outputCount() * Float.BYTES);
    }

    /**
     * @param setting    of {@link TransformerSetting#randomOfPages}.
     * @param plainModel of the same bundle, maybe of another backend.
     * @throws AssertionError if a session is not what it would be without the others, or a page is lost.
     */
    public static void check(
            final TransformerSetting setting, final Model model, final Model plainModel, final long seed) {
        check(setting, model, plainModel, seed, ROUNDS, MAX_STEPS);
    }

    /** The same, shorter or longer. */
    public static void check(
            final TransformerSetting setting, final Model model, final Model plainModel, final long seed,
            final int rounds, final int maxSteps) {
        try (ForkCheck check =
                new ForkCheck(setting, model, plainModel, new SplittableRandom(seed), rounds, maxSteps)) {
            check.run();
        }
    }

    private void run() {
        for (int session = 0; session < SESSIONS; session++) {
            reset(session);
        }
        takeSteps(0, setting.sinks() + setting.window() + FIRST_STEPS);
        fork(0, 1);
        assertEquals(1, states.sharedPageCount(), setting::toString);
        for (int round = 0; round < rounds; round++) {
            final int session = random.nextInt(SESSIONS);
            switch (random.nextInt(12)) {
                case 0 -> reset(session);
                case 1 -> restore(session, (session + 1) % SESSIONS);
                case 2, 3, 4 -> fork(random.nextInt(SESSIONS), session);
                case 5, 6 -> takeSteps(session, 1 + random.nextInt(maxSteps));
                case 7 -> takeSteps(session, 1 + random.nextInt(20));
                case 8 -> takeForeseen(session, (session + 1 + random.nextInt(SESSIONS - 1)) % SESSIONS);
                default -> takeOneStep(session);
            }
            verify(session, round);
        }
        for (int session = 0; session < SESSIONS; session++) {
            verify(session, rounds);
            states.reset(session, executor);
        }
        assertEquals(0, states.sharedPageCount(), setting::toString);
    }

    private void reset(final int session) {
        states.reset(session, executor);
        plainStates.reset(session, plainExecutor);
    }

    /** As a recovery does. */
    private void restore(final int session, final int other) {
        final UnsafeBuffer state = new UnsafeBuffer(states.canonicalState(other));
        states.restore(session, states.hash(other), state, executor);
        plainStates.restore(session, states.hash(other), state, plainExecutor);
    }

    private void fork(final int source, final int session) {
        states.fork(source, session);
        plainStates.fork(plainStates, source, session);
        verify(source, -1);
    }

    private void takeSteps(final int session, final int count) {
        for (int step = 0; step < count; step++) {
            putInput(step);
        }
        states.steps(session, executor, inputs.addressOffset(), count, outputs.addressOffset(), 0);
        plainStates.steps(session, plainExecutor, inputs.addressOffset(), count, plainOutputs.addressOffset(), 0);
    }

    /** A row is foreseen, the session is forked, and then some of the row's steps are taken from what was put aside. */
    private void takeForeseen(final int session, final int fork) {
        if (setting.vocabulary() == 0) {
            return;
        }
        final TokenExecutor tokens = (TokenExecutor) executor;
        final Footprint footprint = tokens.footprint();
        final int count = 1 + random.nextInt(TokenExecutor.MAX_DRAFT);
        for (int step = 0; step < count; step++) {
            putInput(step);
        }
        final long state = states.stateAddress(session);
        final long position = footprint.position(state);
        final UnsafeBuffer[] changed = new UnsafeBuffer[count];
        final long[] hashes = new long[count];
        tokens.stepTentatively(state, inputs.addressOffset(), count, unread.addressOffset(), 0);
        for (int step = count - 1; step >= 0; step--) {
            changed[step] = allocate(footprint.maxBytes());
            hashes[step] = tokens.keep(state, step + 1, states.hash(session));
            footprint.copyOut(state, position + step, changed[step].addressOffset());
        }
        tokens.keep(state, 0, states.hash(session));
        fork(session, fork);
        final StepBatch batch = new StepBatch(1);
        batch.add(inputs.addressOffset(), state, unread.addressOffset());
        final int taken = 1 + random.nextInt(count);
        for (int step = 0; step < taken; step++) {
            footprint.copyIn(state, position + step, changed[step].addressOffset());
            states.putHash(session, hashes[step]);
            executor.ahead(batch);
        }
        plainStates.steps(session, plainExecutor, inputs.addressOffset(), taken, unread.addressOffset(), 0);
        verify(fork, -2);
    }

    private void takeOneStep(final int session) {
        putInput(0);
        takeOneStep(states, executor, session, outputs);
        takeOneStep(plainStates, plainExecutor, session, plainOutputs);
    }

    private void takeOneStep(
            final SessionStates of, final ModelExecutor by, final int session, final UnsafeBuffer to) {
        final StepBatch batch = new StepBatch(1);
        batch.add(inputs.addressOffset(), of.stateAddress(session), to.addressOffset());
        by.step(batch);
        of.settle(batch, by);
    }

    private void putInput(final int step) {
        final int[] input = setting.input(random);
        for (int i = 0; i < input.length; i++) {
            inputs.putInt((step * input.length + i) * Integer.BYTES, input[i]);
        }
    }

    private void verify(final int session, final int round) {
        final String what = setting + " round " + round + " session " + session;
        assertEquals(plainStates.hash(session), states.hash(session), what);
        assertEquals(plainOutputs, outputs, what);
        assertArrayEquals(plainStates.canonicalState(session), states.canonicalState(session), what);
        assertTrue(states.sharedPageCount() <= SESSIONS * setting.context() / 128, what);
    }

    @Override
    public void close() {
        states.close();
        plainStates.close();
        executor.close();
        plainExecutor.close();
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(bytes, BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
    }
}
