package io.tiercel.appliance.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/** Steps that are taken back, and taken again without being computed, beside the same steps taken plainly. */
public final class FootprintCheck {

    private FootprintCheck() {
    }

    /** @throws AssertionError if a state is not as it was when a step is taken back, or as it is to be, taken again. */
    public static void check(final TransformerSetting setting, final Model model, final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        try (TokenExecutor executor = (TokenExecutor) model.newExecutor(1);
                TokenExecutor plainExecutor = (TokenExecutor) model.newExecutor(1)) {
            final ModelSession plain = new ModelSession(model.shape(), plainExecutor);
            final ModelSession session = new ModelSession(model.shape(), executor);
            final Footprint footprint = executor.footprint();
            final UnsafeBuffer before = allocate(footprint.maxBytes());
            final UnsafeBuffer after = allocate(footprint.maxBytes());
            long hash = seed;
            for (int step = 0; step < setting.stepsPastContext(); step++) {
                final String what = setting + " step " + step;
                final long state = session.state.addressOffset();
                final byte[] untouched = session.wholeState();
                final long position = footprint.position(state);
                footprint.copyOut(state, position, before.addressOffset());
                for (int guess = random.nextInt(2); guess >= 0; guess--) {
                    session.input(setting.input(random));
                    compute(session, executor);
                    footprint.copyOut(state, position, after.addressOffset());
                    footprint.copyIn(state, position, before.addressOffset());
                    assertArrayEquals(untouched, session.wholeState(), what);
                }
                final int[] input = setting.input(random);
                final long expected = plain.input(input).step(hash);
                session.input(input);
                final StepBatch batch = compute(session, executor);
                final long actual = executor.hash(state, hash);
                footprint.copyOut(state, position, after.addressOffset());
                footprint.copyIn(state, position, before.addressOffset());
                footprint.copyIn(state, position, after.addressOffset());
                executor.ahead(batch);
                assertEquals(expected, actual, what);
                assertArrayEquals(plain.outputs(), session.outputs(), what);
                assertArrayEquals(plain.wholeState(), session.wholeState(), what);
                hash = expected;
            }
        }
    }

    private static StepBatch compute(final ModelSession session, final ModelExecutor executor) {
        final StepBatch batch = new StepBatch(1);
        batch.add(session.features.addressOffset(), session.state.addressOffset(), session.outputs.addressOffset());
        executor.step(batch);
        return batch;
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(bytes, BitUtil.CACHE_LINE_LENGTH));
    }
}
