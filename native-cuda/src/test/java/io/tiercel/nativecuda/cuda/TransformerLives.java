package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.engine.Footprint;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import java.util.SplittableRandom;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Sessions of a transformer and what a pipeline does to them, in random order: batches, rows of steps, rows that are
 * taken back in part, steps that are foreseen and then taken without being computed, forks, states put there from
 * outside, resets. After each act all is as the Java reference has it by one step after the other.
 */
final class TransformerLives {

    private static final int SESSIONS = 3;
    private static final int MAX_ROW = 20;
    private static final int MAX_DRAFT = 6;

    private final TransformerSetting setting;
    private final SplittableRandom random;
    private final TokenExecutor executor;
    private final TokenExecutor expectedExecutor;
    private final ModelSession[] actual = new ModelSession[SESSIONS];
    private final ModelSession[] expected = new ModelSession[SESSIONS];
    private final long[] hashes = new long[SESSIONS];
    private final int inputBytes;
    private final int outputBytes;
    private final UnsafeBuffer inputs;
    private final UnsafeBuffer outputs;
    private final UnsafeBuffer changed;
    private int act;

    /** @param executor of the model, for batches of all sessions. */
    TransformerLives(
            final TransformerSetting setting, final Model model, final TokenExecutor executor, final long seed) {
        this.setting = setting;
        this.executor = executor;
        random = new SplittableRandom(seed);
        final Model reference = new ReferenceBackend().load(setting.bundle(), 1);
        expectedExecutor = (TokenExecutor) reference.newExecutor(1);
        for (int i = 0; i < SESSIONS; i++) {
            actual[i] = new ModelSession(model.shape(), executor);
            expected[i] = new ModelSession(reference.shape(), expectedExecutor);
        }
        inputBytes = setting.inputCount() * Integer.BYTES;
        outputBytes = model.shape().outputCount() * Float.BYTES;
        inputs = allocate(MAX_ROW * inputBytes);
        outputs = allocate(MAX_ROW * outputBytes);
        changed = allocate(executor.footprint().maxBytes());
    }

    static int sessions() {
        return SESSIONS;
    }

    /** @throws AssertionError with the setting and the act at which something differs. */
    void live(final int acts) {
        for (act = 0; act < acts; act++) {
            final int session = random.nextInt(SESSIONS);
            switch (random.nextInt(setting.vocabulary() == 0 ? 7 : 11)) {
                case 0, 1, 2 -> batch();
                case 3 -> row(session);
                case 4 -> fork((session + 1) % SESSIONS, session);
                case 5 -> restore((session + 1) % SESSIONS, session);
                case 6 -> reset(session);
                case 7, 8 -> draft(session);
                default -> recall(session);
            }
        }
    }

    private void batch() {
        final int first = random.nextInt(SESSIONS);
        final int size = 1 + random.nextInt(SESSIONS);
        final StepBatch batch = new StepBatch(SESSIONS);
        final byte[][] logits = new byte[size][];
        final long[] before = hashes.clone();
        for (int i = 0; i < size; i++) {
            final int session = (first + i) % SESSIONS;
            final int[] input = setting.input(random);
            hashes[session] = expected[session].input(input).step(hashes[session]);
            logits[i] = logits(expectedExecutor, 0);
            add(batch, actual[session].input(input));
        }
        executor.step(batch);
        for (int i = 0; i < size; i++) {
            final int session = (first + i) % SESSIONS;
            assertArrayEquals(logits[i], logits(executor, i), what("logits"));
            assertArrayEquals(expected[session].outputs(), actual[session].outputs(), what("outputs"));
        }
        for (int i = 0; i < size; i++) {
            final int session = (first + i) % SESSIONS;
            assertEquals(hashes[session], executor.hash(state(session), before[session]), what("hash"));
        }
        executor.ahead(batch);
        for (int session = 0; session < SESSIONS; session++) {
            assertSameState(session);
        }
    }

    private void row(final int session) {
        final int count = 1 + random.nextInt(MAX_ROW);
        final int stride = random.nextBoolean() ? outputBytes : 0;
        final long before = hashes[session];
        final byte[] expectedOutputs = new byte[Math.max(1, stride == 0 ? 1 : count) * outputBytes];
        for (int i = 0; i < count; i++) {
            expectedStep(session, i);
            expected[session].outputs.getBytes(0, expectedOutputs, stride == 0 ? 0 : i * outputBytes, outputBytes);
        }
        final byte[] logits = logits(expectedExecutor, 0);
        assertEquals(hashes[session], executor.steps(
                state(session), inputs.addressOffset(), count, outputs.addressOffset(), stride, before), what("hash"));
        assertArrayEquals(logits, logits(executor, 0), what("logits"));
        assertArrayEquals(expectedOutputs, bytes(outputs, expectedOutputs.length), what("outputs"));
        assertSameState(session);
    }

    private void draft(final int session) {
        final int count = 1 + random.nextInt(MAX_DRAFT);
        final int keptCount = random.nextInt(count + 1);
        final long before = hashes[session];
        for (int i = 0; i < count; i++) {
            putInput(i);
        }
        executor.stepTentatively(
                state(session), inputs.addressOffset(), count, outputs.addressOffset(), outputBytes);
        executor.keep(state(session), count, before);
        final long hash = executor.keep(state(session), keptCount, before);
        for (int i = 0; i < keptCount; i++) {
            expected[session].input(input(i));
            hashes[session] = expected[session].step(hashes[session]);
            assertArrayEquals(logits(expectedExecutor, 0), logits(executor, i), what("logits"));
        }
        assertEquals(hashes[session], hash, what("hash"));
        executor.ahead(actual[session].batch);
        assertSameState(session);
    }

    /** A step that is taken back, and then taken by what it had changed. */
    private void recall(final int session) {
        final Footprint footprint = executor.footprint();
        final long before = hashes[session];
        final long position = footprint.position(state(session));
        expectedStep(session, 0);
        executor.stepTentatively(state(session), inputs.addressOffset(), 1, outputs.addressOffset(), 0);
        assertEquals(hashes[session], executor.keep(state(session), 1, before), what("hash"));
        footprint.copyOut(state(session), position, changed.addressOffset());
        executor.keep(state(session), 0, before);
        footprint.copyIn(state(session), position, changed.addressOffset());
        executor.ahead(actual[session].batch);
        assertSameState(session);
    }

    private void fork(final int from, final int to) {
        actual[to].state.putBytes(0, actual[from].wholeState());
        expected[to].state.putBytes(0, expected[from].wholeState());
        hashes[to] = hashes[from];
        assertSameState(to);
    }

    private void restore(final int from, final int to) {
        actual[to].state.putBytes(0, expected[from].canonicalState());
        executor.restore(state(to));
        expected[to].state.putBytes(0, expected[from].canonicalState());
        hashes[to] = hashes[from];
        assertSameState(to);
    }

    private void reset(final int session) {
        executor.initialise(state(session));
        expectedExecutor.initialise(expected[session].state.addressOffset());
        assertSameState(session);
    }

    /** Of the input that is put at an index. */
    private void expectedStep(final int session, final int index) {
        putInput(index);
        hashes[session] = expected[session].input(input(index)).step(hashes[session]);
    }

    private void putInput(final int index) {
        final int[] input = setting.input(random);
        for (int i = 0; i < input.length; i++) {
            inputs.putInt(index * inputBytes + i * Integer.BYTES, input[i]);
        }
    }

    private int[] input(final int index) {
        final int[] input = new int[setting.inputCount()];
        for (int i = 0; i < input.length; i++) {
            input[i] = inputs.getInt(index * inputBytes + i * Integer.BYTES);
        }
        return input;
    }

    private void assertSameState(final int session) {
        assertArrayEquals(expected[session].canonicalState(), actual[session].canonicalState(), what("state"));
    }

    private String what(final String what) {
        return setting + " act " + act + ": " + what;
    }

    private long state(final int session) {
        return actual[session].state.addressOffset();
    }

    private static void add(final StepBatch batch, final ModelSession session) {
        batch.add(session.features.addressOffset(), session.state.addressOffset(), session.outputs.addressOffset());
    }

    private static byte[] logits(final TokenExecutor of, final int position) {
        final byte[] bytes = new byte[of.vocabularySize() * Float.BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = UnsafeApi.getByte(of.logitsAddress(position) + i);
        }
        return bytes;
    }

    private static byte[] bytes(final UnsafeBuffer buffer, final int count) {
        final byte[] bytes = new byte[count];
        buffer.getBytes(0, bytes);
        return bytes;
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(bytes, BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
    }
}
