package io.tiercel.appliance.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

/** A device that is lost at each of its calls in turn: no answer is missing, and none is other than it would be. */
class FailoverTest {

    private static final int NEVER = Integer.MAX_VALUE;
    private static final int SESSIONS = 3;
    private static final int BATCHES = 4;
    /** Of sessions that begin, of batches, of each position's hash. */
    private static final int CALLS = SESSIONS + BATCHES * (2 + SESSIONS);
    private static final int TOKEN_ROUNDS = 2;
    private static final int TOKEN_ROW = TokenExecutor.MAX_DRAFT + 4;
    /** Of a session that begins; of a step, its hash and the work ahead, of two rows, of one more and what follows. */
    private static final int TOKEN_CALLS = 1 + TOKEN_ROUNDS * (3 + 2 + 2);

    private final Bundle bundle = RandomModels.lstm(3).layers(2).hidden(33).features(5).outputs(3).bundle();
    private final Model reference = new ReferenceBackend().load(bundle, 1);

    @Test
    void shouldGoOnWhereverTheDeviceIsLost() {
        for (int calls = 0; calls <= CALLS; calls++) {
            try (Model model = Backends.load(new LosableBackend(calls), bundle, 1);
                    ModelExecutor executor = model.newExecutor(SESSIONS)) {
                assertEquals(calls == 0, executor.isOnStandby());
                assertSameBatches(model, executor);
                assertTrue(executor.isOnStandby());
            }
        }
    }

    @Test
    void shouldStayOnTheDeviceWhileItIsThere() {
        try (Model model = Backends.load(new LosableBackend(NEVER), bundle, 1);
                ModelExecutor executor = model.newExecutor(SESSIONS)) {
            assertSameBatches(model, executor);
            assertFalse(executor.isOnStandby());
        }
    }

    /** Workers lose their devices one after the other, and a session may go from one to another meanwhile. */
    @Test
    void shouldGoOnFromAStateThatAnotherExecutorHasLeft() {
        try (Model model = Backends.load(new LosableBackend(NEVER), bundle, 1);
                Model lost = Backends.load(new LosableBackend(0), bundle, 1);
                ModelExecutor onDevice = model.newExecutor(1);
                ModelExecutor onStandby = lost.newExecutor(1)) {
            final ModelSession expected = new ModelSession(reference.shape(), reference.newExecutor(1));
            final ModelSession session = new ModelSession(model.shape(), onDevice);
            for (int step = 0; step < BATCHES; step++) {
                final ModelExecutor executor = step % 2 == 0 ? onStandby : onDevice;
                final float[] features = {step, 1, 2, 3, 4};
                expected.step(features, step);
                executor.step(session.features(features).batch);
                executor.hash(session.state.addressOffset(), step);
                executor.ahead(session.batch);
                assertSame(expected, session);
            }
        }
    }

    @Test
    void shouldMakeAllStepsOfARequest() {
        for (int calls = 1; calls <= 3 * BATCHES; calls++) {
            try (Model model = Backends.load(new LosableBackend(1 + calls), bundle, 1);
                    ModelExecutor executor = model.newExecutor(1)) {
                final ModelExecutor expectedExecutor = reference.newExecutor(1);
                final ModelSession expected = new ModelSession(reference.shape(), expectedExecutor);
                final ModelSession actual = new ModelSession(model.shape(), executor);
                final UnsafeBuffer features = new UnsafeBuffer(ByteBuffer.allocateDirect(
                        BATCHES * 5 * Float.BYTES));
                for (int i = 0; i < BATCHES * 5; i++) {
                    features.putFloat(i * Float.BYTES, i % 7 - 3);
                }
                assertEquals(
                        expectedExecutor.steps(expected.state.addressOffset(), features.addressOffset(), BATCHES,
                                expected.outputs.addressOffset(), 0, 1),
                        executor.steps(actual.state.addressOffset(), features.addressOffset(), BATCHES,
                                actual.outputs.addressOffset(), 0, 1));
                assertSame(expected, actual);
            }
        }
    }

    /** Whoever wants no hash goes on without one. */
    @Test
    void shouldMakeNoStepTwiceWhenNobodyAsksForTheHash() {
        for (int calls = 1; calls <= 2 * BATCHES; calls++) {
            try (Model model = Backends.load(new LosableBackend(1 + calls), bundle, 1);
                    ModelExecutor executor = model.newExecutor(1)) {
                final ModelSession expected = new ModelSession(reference.shape(), reference.newExecutor(1));
                final ModelSession actual = new ModelSession(model.shape(), executor);
                final SplittableRandom random = new SplittableRandom(1);
                for (int step = 0; step < BATCHES; step++) {
                    final float[] features = features(random);
                    expected.step(features, step);
                    executor.step(actual.features(features).batch);
                    executor.ahead(actual.batch);
                    assertSame(expected, actual);
                }
                assertTrue(executor.isOnStandby());
            }
        }
    }

    /** Steps, a row of them that is longer than those made as a whole, and a row of which one is taken back. */
    @Test
    void shouldGoOnWithRowsOfTokensWhereverTheDeviceIsLost() {
        final Bundle ofTokens = TransformerSetting.tokens(1, 20).bundle();
        final Model plainModel = new ReferenceBackend().load(ofTokens, 1);
        for (int calls = 0; calls <= TOKEN_CALLS; calls++) {
            try (Model model = Backends.load(new LosableBackend(calls), ofTokens, 1);
                    TokenExecutor executor = (TokenExecutor) model.newExecutor(1);
                    TokenExecutor plain = (TokenExecutor) plainModel.newExecutor(1)) {
                final ModelSession expected = new ModelSession(plainModel.shape(), plain);
                final ModelSession actual = new ModelSession(model.shape(), executor);
                for (int round = 0; round < TOKEN_ROUNDS; round++) {
                    assertEquals(live(expected, plain, round), live(actual, executor, round));
                    assertSame(expected, actual);
                    assertEquals(UnsafeApi.getInt(plain.logitsAddress(1)),
                            UnsafeApi.getInt(executor.logitsAddress(1)));
                }
                assertTrue(executor.isOnStandby());
            }
        }
    }

    /** What a session comes to be in a round; returns its hash. */
    private static long live(final ModelSession session, final TokenExecutor executor, final int round) {
        final UnsafeBuffer tokens =
                new UnsafeBuffer(ByteBuffer.allocateDirect(TOKEN_ROW * Integer.BYTES).order(ByteOrder.nativeOrder()));
        for (int i = 0; i < TOKEN_ROW; i++) {
            tokens.putInt(i * Integer.BYTES, (7 * i + round) % TransformerSetting.SMALL_VOCABULARY);
        }
        final long state = session.state.addressOffset();
        final long outputs = session.outputs.addressOffset();
        long hash = session.input(new int[] {round}).step(round);
        hash = executor.steps(state, tokens.addressOffset(), TOKEN_ROW, outputs, 0, hash);
        executor.stepTentatively(state, tokens.addressOffset(), 2, outputs, 0);
        executor.keep(state, 2, hash);
        hash = executor.keep(state, 1, hash);
        executor.ahead(session.batch);
        return hash;
    }

    @Test
    void shouldHaveNoStandbyWhereNothingCanBeLost() {
        assertFalse(Backends.load(new ReferenceBackend(), bundle, 1) instanceof FailoverModel);
        assertInstanceOf(FailoverModel.class, Backends.load(new LosableBackend(NEVER), bundle, 1));
    }

    @Test
    void shouldRefuseAStandbyThatComputesSomethingElse() {
        final Model other = new ReferenceBackend().load(RandomModels.lstm(4).hidden(100).bundle(), 1);
        final IllegalArgumentException ex = assertThrows(
                IllegalArgumentException.class, () -> new FailoverModel("one", reference, "other", other));
        assertTrue(ex.getMessage().startsWith("backend=other cannot stand in for backend=one: "), ex.getMessage());
    }

    /** As the pipeline does it: outputs are there before the hash is asked for. */
    private void assertSameBatches(final Model model, final ModelExecutor executor) {
        final ModelExecutor expectedExecutor = reference.newExecutor(1);
        final ModelSession[] expected = new ModelSession[SESSIONS];
        final ModelSession[] actual = new ModelSession[SESSIONS];
        for (int i = 0; i < SESSIONS; i++) {
            expected[i] = new ModelSession(reference.shape(), expectedExecutor);
            actual[i] = new ModelSession(model.shape(), executor);
        }
        final SplittableRandom random = new SplittableRandom(1);
        final StepBatch batch = new StepBatch(SESSIONS);
        for (int step = 0; step < BATCHES; step++) {
            final long[] expectedHashes = new long[SESSIONS];
            batch.clear();
            for (int i = 0; i < SESSIONS; i++) {
                final float[] features = features(random);
                expectedHashes[i] = expected[i].step(features, step);
                actual[i].features(features);
                batch.add(actual[i].features.addressOffset(), actual[i].state.addressOffset(),
                        actual[i].outputs.addressOffset());
            }
            executor.step(batch);
            for (int i = 0; i < SESSIONS; i++) {
                assertArrayEquals(expected[i].outputs(), actual[i].outputs());
            }
            for (int i = 0; i < SESSIONS; i++) {
                assertEquals(expectedHashes[i], executor.hash(actual[i].state.addressOffset(), step));
                assertSame(expected[i], actual[i]);
            }
            executor.ahead(batch);
        }
    }

    private static float[] features(final SplittableRandom random) {
        final float[] values = new float[5];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-4, 4);
        }
        return values;
    }

    private static void assertSame(final ModelSession expected, final ModelSession actual) {
        assertArrayEquals(expected.outputs(), actual.outputs());
        assertArrayEquals(expected.canonicalState(), actual.canonicalState());
    }
}
