package io.tiercel.appliance.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Rows of tokens that are stepped tentatively, taken back to several places and kept in part, beside the same tokens
 * one after the other by another model that has to agree.
 */
public final class TentativeCheck {

    private final String setting;
    private final int outputsBytes;
    /** Of the plain model: what another one derives behind it is its own. */
    private final int stateBytes;
    private final ModelSession plain;
    private final TokenExecutor plainExecutor;
    private final ModelSession session;
    private final TokenExecutor executor;
    private final Footprint footprint;
    private final UnsafeBuffer changed;

    /** What a row has to come to after each of its steps, the work ahead still to come; the first is before it. */
    private record Expected(byte[][] states, byte[][] settledStates, long[] hashes, byte[][] outputs, byte[][] logits) {
        private Expected(final int tokenCount) {
            this(new byte[tokenCount + 1][], new byte[tokenCount + 1][], new long[tokenCount + 1],
                    new byte[tokenCount][], new byte[tokenCount][]);
        }
    }

    private TentativeCheck(
            final String setting, final ModelShape plainShape, final TokenExecutor plainExecutor,
            final ModelShape shape, final TokenExecutor executor) {
        this.setting = setting;
        this.plainExecutor = plainExecutor;
        this.executor = executor;
        outputsBytes = shape.outputCount() * Float.BYTES;
        stateBytes = plainShape.stateBytes();
        plain = new ModelSession(plainShape, plainExecutor);
        session = new ModelSession(shape, executor);
        footprint = executor.footprint();
        changed = allocate(footprint.maxBytes());
    }

    /** @throws AssertionError if the model does not do what the plain one does. */
    public static void check(
            final TransformerSetting setting, final Model plainModel, final Model model, final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        try (TokenExecutor plainExecutor = (TokenExecutor) plainModel.newExecutor(1);
                TokenExecutor executor = (TokenExecutor) model.newExecutor(1)) {
            final TentativeCheck check = new TentativeCheck(
                    setting.toString(), plainModel.shape(), plainExecutor, model.shape(), executor);
            long hash = seed;
            for (int done = 0; done < setting.stepsPastContext();) {
                final int[] tokens = new int[1 + random.nextInt(TokenExecutor.MAX_DRAFT)];
                for (int i = 0; i < tokens.length; i++) {
                    tokens[i] = random.nextInt(setting.vocabulary());
                }
                final int keptCount = random.nextInt(tokens.length + 1);
                hash = check.row(tokens, keptCount, hash, done, random);
                done += Math.max(1, keptCount);
            }
        }
    }

    private long row(
            final int[] tokens, final int keptCount, final long hash, final int done, final SplittableRandom random) {
        final String what = setting + " step " + done + " row of " + tokens.length + " kept " + keptCount;
        final Expected expected = expect(tokens, hash);
        final long state = session.state.addressOffset();
        final long position = footprint.position(state);
        final UnsafeBuffer row = allocate(tokens.length * Integer.BYTES);
        for (int i = 0; i < tokens.length; i++) {
            row.putInt(i * Integer.BYTES, tokens[i]);
        }
        final boolean hasAllOutputs = random.nextBoolean();
        final UnsafeBuffer outputs = allocate(tokens.length * outputsBytes);
        executor.stepTentatively(
                state, row.addressOffset(), tokens.length, outputs.addressOffset(), hasAllOutputs ? outputsBytes : 0);
        for (int i = 0; i < tokens.length; i++) {
            assertArrayEquals(expected.logits[i], logits(executor, i), what + " logits " + i);
            if (hasAllOutputs) {
                final byte[] actual = new byte[outputsBytes];
                outputs.getBytes(i * outputsBytes, actual);
                assertArrayEquals(expected.outputs[i], actual, what + " outputs " + i);
            }
        }
        for (int count = tokens.length; count > keptCount; count -= 1 + random.nextInt(2)) {
            assertEquals(expected.hashes[count], executor.keep(state, count, hash), what);
            assertArrayEquals(expected.states[count], session.state(stateBytes), what);
            footprint.copyOut(state, position + count - 1, changed.addressOffset());
            session.state.putBytes(0, expected.settledStates[count - 1]);
            footprint.copyIn(state, position + count - 1, changed.addressOffset());
            assertArrayEquals(expected.states[count], session.state(stateBytes), what);
        }
        assertEquals(expected.hashes[keptCount], executor.keep(state, keptCount, hash), what);
        assertArrayEquals(expected.states[keptCount], session.state(stateBytes), what);
        executor.ahead(session.batch);
        assertArrayEquals(expected.settledStates[keptCount], session.state(stateBytes), what);
        plain.state.putBytes(0, expected.settledStates[keptCount]);
        return expected.hashes[keptCount];
    }

    private Expected expect(final int[] tokens, final long hash) {
        final Expected expected = new Expected(tokens.length);
        expected.states[0] = plain.wholeState();
        expected.settledStates[0] = plain.wholeState();
        expected.hashes[0] = hash;
        for (int i = 0; i < tokens.length; i++) {
            plain.input(new int[] {tokens[i]});
            plainExecutor.step(plain.batch);
            expected.logits[i] = logits(plainExecutor, 0);
            expected.outputs[i] = new byte[outputsBytes];
            plain.outputs.getBytes(0, expected.outputs[i]);
            expected.hashes[i + 1] = plainExecutor.hash(plain.state.addressOffset(), expected.hashes[i]);
            expected.states[i + 1] = plain.wholeState();
            plainExecutor.ahead(plain.batch);
            expected.settledStates[i + 1] = plain.wholeState();
        }
        return expected;
    }

    private static byte[] logits(final TokenExecutor executor, final int position) {
        final byte[] bytes = new byte[executor.vocabularySize() * Float.BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = UnsafeApi.getByte(executor.logitsAddress(position) + i);
        }
        return bytes;
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(bytes, BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
    }
}
