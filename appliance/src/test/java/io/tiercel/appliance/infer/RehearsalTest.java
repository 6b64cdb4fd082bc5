package io.tiercel.appliance.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.StepByStep;
import io.tiercel.appliance.engine.UnseenSession;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

class RehearsalTest {

    private static final long INTERVAL_NS = 1_000;
    private static final ModelShape SHAPE = new ModelShape("lstm", 3, 2, 128, 64);

    private long nowNs = 5_000;

    /** Counts, and takes its time. */
    private final class CountingExecutor implements ModelExecutor {
        private final long tookNs;
        private int stepCount;
        private int hashCount;
        private int aheadCount;
        private int initialiseCount;
        private int roomSteps = Integer.MAX_VALUE;

        private CountingExecutor(final long tookNs) {
            this.tookNs = tookNs;
        }

        @Override
        public void initialise(final long stateAddress) {
            assertEquals(0, stateAddress % 64);
            initialiseCount++;
        }

        @Override
        public boolean hasRoom(final long stateAddress, final int wantedSteps) {
            return stepCount + wantedSteps <= initialiseCount * (long) roomSteps;
        }

        @Override
        public void step(final StepBatch batch) {
            assertEquals(1, batch.size());
            stepCount++;
            nowNs += tookNs;
        }

        @Override
        public long hash(final long stateAddress, final long previousHash) {
            assertEquals(hashCount, previousHash);
            return ++hashCount;
        }

        @Override
        public void ahead(final StepBatch batch) {
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
            throw new AssertionError("nothing to restore");
        }

        @Override
        public void close() {
            throw new AssertionError("not its own");
        }
    }

    private final Rehearsal rehearsal = new Rehearsal(INTERVAL_NS, () -> nowNs);

    @Test
    void shouldRehearseWhenNothingHasComeForTheInterval() {
        final CountingExecutor executor = new CountingExecutor(0);
        rehearsal.add(session(executor));
        assertFalse(idleAfter(0));
        assertFalse(idleAfter(INTERVAL_NS - 1));
        assertTrue(idleAfter(1));
        assertFalse(idleAfter(INTERVAL_NS - 1));
        assertTrue(idleAfter(1));
        assertEquals(2, executor.stepCount);
        assertEquals(2, executor.hashCount);
        assertEquals(2, executor.aheadCount);
    }

    @Test
    void shouldBeginANewSessionWhenItsOwnIsFull() {
        final CountingExecutor executor = new CountingExecutor(0);
        executor.roomSteps = 3;
        rehearsal.add(session(executor));
        idleAfter(0);
        for (int turn = 0; turn < 8; turn++) {
            assertTrue(idleAfter(INTERVAL_NS));
        }
        assertEquals(8, executor.stepCount);
        assertEquals(3, executor.initialiseCount);
    }

    @Test
    void shouldBeginAnewWhenSomethingCame() {
        rehearsal.add(session(new CountingExecutor(0)));
        assertFalse(idleAfter(0));
        nowNs += INTERVAL_NS - 1;
        rehearsal.onWork(new StepBatch(1), SHAPE.stateBytes());
        assertFalse(idleAfter(1));
        assertFalse(idleAfter(INTERVAL_NS - 1));
        assertTrue(idleAfter(1));
    }

    @Test
    void shouldTakeModelsByTurns() {
        final CountingExecutor first = new CountingExecutor(0);
        final CountingExecutor second = new CountingExecutor(0);
        rehearsal.add(session(first));
        rehearsal.add(session(second));
        idleAfter(0);
        for (int turn = 0; turn < 3; turn++) {
            assertTrue(idleAfter(INTERVAL_NS));
        }
        assertEquals(2, first.stepCount);
        assertEquals(1, second.stepCount);
    }

    @Test
    void shouldTakeATwentiethOfTheTimeAtMost() {
        final long tookNs = 300;
        rehearsal.add(session(new CountingExecutor(tookNs)));
        idleAfter(0);
        assertTrue(idleAfter(INTERVAL_NS));
        assertFalse(idleAfter(20 * tookNs - 1));
        assertTrue(idleAfter(1));
    }

    /** Reads of memory that is not there would end the JVM; that they are quick is the benchmark's to show. */
    @Test
    void shouldReadNothingButTheStatesOfRecentPositions() {
        rehearsal.add(session(new CountingExecutor(0)));
        final StepBatch batch = new StepBatch(3);
        final UnsafeBuffer states = new UnsafeBuffer(
                BufferUtil.allocateDirectAligned(3 * 40 * SHAPE.stateBytes(), 64));
        states.setMemory(0, states.capacity(), (byte) 7);
        idleAfter(0);
        for (int round = 0; round < 40; round++) {
            batch.clear();
            for (int i = 0; i < 1 + round % 3; i++) {
                batch.add(0, states.addressOffset() + (3L * round + i) * SHAPE.stateBytes(), 0);
            }
            rehearsal.onWork(batch, SHAPE.stateBytes());
            assertFalse(idleAfter(0));
            assertTrue(idleAfter(INTERVAL_NS));
        }
        for (int i = 0; i < states.capacity(); i++) {
            assertEquals(7, states.getByte(i));
        }
    }

    @Test
    void shouldNeverRehearseWithoutAnIntervalOrAModel() {
        assertFalse(idleAfter(10 * INTERVAL_NS));
        final Rehearsal never = new Rehearsal(0, () -> nowNs);
        never.add(session(new CountingExecutor(0)));
        for (int i = 0; i < 3; i++) {
            nowNs += INTERVAL_NS;
            assertFalse(never.onIdle(nowNs));
        }
    }

    private static UnseenSession session(final ModelExecutor executor) {
        return new UnseenSession(SHAPE, executor);
    }

    private boolean idleAfter(final long passedNs) {
        nowNs += passedNs;
        return rehearsal.onIdle(nowNs);
    }
}
