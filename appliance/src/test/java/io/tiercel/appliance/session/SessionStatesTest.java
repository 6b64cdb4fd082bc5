package io.tiercel.appliance.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StateHash;
import io.tiercel.appliance.engine.StateMemory;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.StepByStep;
import org.agrona.UnsafeApi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SessionStatesTest {

    private static final ModelShape SHAPE = new ModelShape("sum", 1, 1, 128, 8);
    private static final byte[] VERSION = new byte[32];
    private static final long GENESIS = 0x0807060504030201L;

    private final SummingExecutor executor = new SummingExecutor();
    private final StepBatch batch = new StepBatch(4);
    private SessionStates states;
    private long features;
    private long outputs;

    @BeforeEach
    void setUp() {
        for (int i = 0; i < 8; i++) {
            VERSION[i] = (byte) (i + 1);
        }
        states = statesOf(5, SHAPE);
        features = UnsafeApi.allocateMemory(64);
        outputs = UnsafeApi.allocateMemory(64);
        for (int i = 0; i < 16; i++) {
            UnsafeApi.putFloat(features + i * 4L, i + 1);
        }
    }

    @AfterEach
    void tearDown() {
        states.close();
        UnsafeApi.freeMemory(features);
        UnsafeApi.freeMemory(outputs);
    }

    @Test
    void shouldBeginWithTheModelVersionAsHash() {
        states.ensureInitialised(3, executor);

        assertEquals(GENESIS, states.hash(3));
        assertEquals(GENESIS, SessionStates.genesisHash(VERSION));
        assertThrows(IllegalStateException.class, () -> states.hash(2), "a session that nobody has begun has none");
    }

    @Test
    void shouldLeaveASessionAloneWhenItHasAState() {
        states.ensureInitialised(0, executor);
        states.steps(0, executor, features, 1, outputs, 0);
        final long hash = states.hash(0);

        states.ensureInitialised(0, executor);

        assertEquals(hash, states.hash(0));
        assertEquals(1.0f, UnsafeApi.getFloat(states.stateAddress(0)));
    }

    @Test
    void shouldAlignStatesAndKeepThemApart() {
        for (int i = 0; i < 5; i++) {
            assertEquals(0, states.stateAddress(i) & 63);
            if (i > 0) {
                assertTrue(states.stateAddress(i) - states.stateAddress(i - 1) >= 128 + 64);
            }
        }
    }

    @Test
    void shouldChainTheHashOncePerStepWhenARequestHasSeveral() {
        states.ensureInitialised(0, executor);
        states.ensureInitialised(1, executor);

        states.steps(0, executor, features, 3, outputs, 4);
        for (int step = 0; step < 3; step++) {
            states.steps(1, executor, features + step * 4L, 1, outputs + 16, 0);
        }

        assertEquals(states.hash(0), states.hash(1));
        assertNotEquals(GENESIS, states.hash(0));
        assertEquals(1.0f, UnsafeApi.getFloat(outputs));
        assertEquals(3.0f, UnsafeApi.getFloat(outputs + 4));
        assertEquals(6.0f, UnsafeApi.getFloat(outputs + 8));
        assertEquals(6.0f, UnsafeApi.getFloat(outputs + 16));
        assertEquals(6, executor.aheadCount);
    }

    @Test
    void shouldSettleEverySessionOfABatchAsIfItWereAlone() {
        for (int i = 0; i < 4; i++) {
            states.ensureInitialised(i, executor);
        }
        batch.clear();
        for (int i = 0; i < 3; i++) {
            batch.add(features + i * 4L, states.stateAddress(i), outputs + i * 4L);
        }
        executor.step(batch);
        states.settle(batch, executor);
        states.steps(3, executor, features + 8, 1, outputs, 0);

        assertEquals(states.hash(2), states.hash(3));
        assertNotEquals(states.hash(0), states.hash(2));
    }

    @Test
    void shouldReturnToTheFirstStateWhenReset() {
        states.ensureInitialised(0, executor);
        states.steps(0, executor, features, 2, outputs, 0);

        states.reset(0, executor);

        assertEquals(GENESIS, states.hash(0));
        assertEquals(0.0f, UnsafeApi.getFloat(states.stateAddress(0)));
    }

    @Test
    void shouldKeepOnlyAHashWhenTheModelHasNoState() {
        try (SessionStates stateless = statesOf(2, new ModelShape("none", 1, 1, 0, 0))) {
            stateless.reset(0, new StatelessExecutor());
            stateless.reset(1, new StatelessExecutor());
            stateless.applyHash(0, new StatelessExecutor());

            assertEquals(StateHash.mix(GENESIS, 0, 0), stateless.hash(0));
            assertEquals(GENESIS, stateless.hash(1));
        }
    }

    @Test
    void shouldRefuseAnIndexOutOfRangeAndAnyAfterClose() {
        assertThrows(IndexOutOfBoundsException.class, () -> states.stateAddress(5));
        assertThrows(IndexOutOfBoundsException.class, () -> states.stateAddress(-1));
        assertThrows(IllegalStateException.class, () -> states.hash(0));
        states.close();
        assertThrows(IndexOutOfBoundsException.class, () -> states.stateAddress(0));
    }

    @Test
    void shouldPlaceTheLastSessionFarOutWhenThereAreMany() {
        try (SessionStates wide = statesOf(20_000, new ModelShape("wide", 1, 1, 64 << 10, 8))) {
            wide.reset(19_999, executor);
            assertEquals(GENESIS, wide.hash(19_999));
        }
    }

    private static SessionStates statesOf(final int maxSessions, final ModelShape shape) {
        return new SessionStates(maxSessions, shape, StatePages.NONE, StateMemory::plain, VERSION);
    }

    /** State: one float, the sum of all inputs; output: the sum. */
    private static final class SummingExecutor implements ModelExecutor {
        private int aheadCount;

        @Override
        public void initialise(final long stateAddress) {
            UnsafeApi.putLong(stateAddress, 0L);
        }

        @Override
        public void step(final StepBatch steps) {
            for (int i = 0; i < steps.size(); i++) {
                final float sum = UnsafeApi.getFloat(steps.stateAddress(i)) +
                        UnsafeApi.getFloat(steps.featuresAddress(i));
                UnsafeApi.putFloat(steps.stateAddress(i), sum);
                UnsafeApi.putFloat(steps.outputsAddress(i), sum);
            }
        }

        @Override
        public long hash(final long stateAddress, final long previousHash) {
            return StateHash.mix(previousHash, stateAddress, 8);
        }

        @Override
        public void ahead(final StepBatch steps) {
            aheadCount++;
        }

        @Override
        public long steps(
                final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
                final int outputsStride, final long previousHash) {
            return new StepByStep(this, SHAPE.featureCount()).steps(
                    stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
        }

        @Override
        public void restore(final long stateAddress) {
        }

        @Override
        public void close() {
        }
    }

    private static final class StatelessExecutor implements ModelExecutor {

        @Override
        public void initialise(final long stateAddress) {
        }

        @Override
        public void step(final StepBatch steps) {
        }

        @Override
        public long hash(final long stateAddress, final long previousHash) {
            return StateHash.mix(previousHash, stateAddress, 0);
        }

        @Override
        public void ahead(final StepBatch steps) {
        }

        @Override
        public long steps(
                final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
                final int outputsStride, final long previousHash) {
            return new StepByStep(this, SHAPE.featureCount()).steps(
                    stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
        }

        @Override
        public void restore(final long stateAddress) {
        }

        @Override
        public void close() {
        }
    }
}
