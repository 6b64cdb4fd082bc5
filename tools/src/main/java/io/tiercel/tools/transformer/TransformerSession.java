package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.tools.ModelInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;

/** One session of a bundle that predicts tokens, on a backend, without an appliance. One thread. */
public final class TransformerSession implements AutoCloseable {

    private static final int ALIGNMENT = 64;
    private static final long FLOATS = UnsafeApi.arrayBaseOffset(float[].class);

    private final Model model;
    private final TokenExecutor executor;
    private final StepBatch batch = new StepBatch(1);
    private final ByteBuffer state;
    private final ByteBuffer token;
    private final ByteBuffer outputs;
    private final ByteBuffer draft;
    private final ByteBuffer draftHash;
    private final float[] logits;
    private final int vocabularySize;
    private long hash;

    public TransformerSession(final Bundle bundle, final Backend backend) {
        if (!TransformerParameters.FAMILY.equals(bundle.manifest().family()) ||
                bundle.manifest().shape().getOrDefault("vocabulary", 0) == 0) {
            throw new ModelInputException(bundle.path() + ": family=" + bundle.manifest().family() +
                    ": is not a model of tokens");
        }
        model = backend.load(bundle, 1);
        final ModelExecutor any = model.newExecutor(1);
        if (!(any instanceof TokenExecutor)) {
            throw new IllegalStateException("backend=" + backend.name() + " predicts no tokens");
        }
        executor = (TokenExecutor) any;
        vocabularySize = bundle.manifest().shape().get("vocabulary");
        state = allocate(model.shape().stateBytes());
        token = allocate(Integer.BYTES);
        outputs = allocate(model.shape().outputCount() * Float.BYTES);
        draft = allocate(TokenExecutor.MAX_DRAFT * Integer.BYTES);
        draftHash = allocate(Long.BYTES);
        logits = new float[executor.vocabularySize()];
        batch.add(BufferUtil.address(token), BufferUtil.address(state), BufferUtil.address(outputs));
        reset();
    }

    /** Forgets all tokens. */
    public void reset() {
        executor.initialise(BufferUtil.address(state));
        hash = 0;
    }

    public int vocabularySize() {
        return vocabularySize;
    }

    /** Of a session's state. */
    public int stateBytes() {
        return model.shape().stateBytes();
    }

    /** The chained hash over all that was done since the last reset. */
    public long hash() {
        return hash;
    }

    /**
     * Takes one token.
     *
     * @return the logits of the next one; the same array for each step.
     */
    public float[] step(final int tokenId) {
        stepOnly(tokenId);
        hash = executor.hash(BufferUtil.address(state), hash);
        executor.ahead(batch);
        return logits();
    }

    /** The part of {@link #step} that an answer waits for. Then {@link #settle}. */
    public void stepOnly(final int tokenId) {
        token.putInt(0, checked(tokenId));
        executor.step(batch);
    }

    /** What follows {@link #stepOnly}. */
    public void settle() {
        hash = executor.hash(BufferUtil.address(state), hash);
        executor.ahead(batch);
    }

    /** The logits after the last token; the same array for each call. */
    public float[] logits() {
        UnsafeApi.copyMemory(null, executor.logitsAddress(0), logits, FLOATS, (long) logits.length * Float.BYTES);
        return logits;
    }

    /** Takes several tokens, at least one; as {@link #step} of each, and the bits are the same. */
    public float[] steps(final int[] tokenIds) {
        final ByteBuffer tokens = allocate(tokenIds.length * Integer.BYTES);
        for (int i = 0; i < tokenIds.length; i++) {
            tokens.putInt(i * Integer.BYTES, checked(tokenIds[i]));
        }
        hash = executor.steps(BufferUtil.address(state), BufferUtil.address(tokens), tokenIds.length,
                BufferUtil.address(outputs), 0, hash);
        return logits();
    }

    /**
     * Takes a token, and of the guesses behind it those that the model would have said; see
     * {@link TokenExecutor#stepWhileLikeliest}.
     *
     * @param tokenIds the first {@code count} of them, at most {@link TokenExecutor#MAX_DRAFT}.
     * @return how many were taken, at least 1; {@link #logits} are those after the last of them.
     */
    public int stepWhileLikeliest(final int[] tokenIds, final int count) {
        for (int i = 0; i < count; i++) {
            draft.putInt(i * Integer.BYTES, checked(tokenIds[i]));
        }
        draftHash.putLong(0, hash);
        final int taken = executor.stepWhileLikeliest(
                BufferUtil.address(state), BufferUtil.address(draft), count, BufferUtil.address(draftHash));
        hash = draftHash.getLong(0);
        return taken;
    }

    @Override
    public void close() {
        executor.close();
        model.close();
    }

    private int checked(final int tokenId) {
        if (tokenId < 0 || tokenId >= vocabularySize) {
            throw new ModelInputException("token=" + tokenId + " is not in 0.." + (vocabularySize - 1));
        }
        return tokenId;
    }

    private static ByteBuffer allocate(final int bytes) {
        final int aligned = (Math.max(bytes, 1) + ALIGNMENT - 1) & -ALIGNMENT;
        return BufferUtil.allocateDirectAligned(aligned, ALIGNMENT).order(ByteOrder.nativeOrder());
    }
}
