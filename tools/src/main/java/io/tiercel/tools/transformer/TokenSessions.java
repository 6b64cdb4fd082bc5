package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.nativecuda.cpu.CpuTransformerModel;
import io.tiercel.tools.ModelInputException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;

/**
 * Sessions of a bundle that predicts tokens, in memory as the appliance holds them, stepped one at a time on one
 * executor, without an appliance. One thread. {@link #step}, {@link #likeliest} and {@link #settle} allocate nothing.
 */
public final class TokenSessions implements AutoCloseable {

    private static final int ALIGNMENT = 64;
    private static final long FLOATS = UnsafeApi.arrayBaseOffset(float[].class);
    private static final long BYTES = UnsafeApi.arrayBaseOffset(byte[].class);

    private final Model model;
    private final TokenExecutor executor;
    private final SessionStates states;
    private final StepBatch batch = new StepBatch(1);
    private final long[] hashes;
    private final ByteBuffer token;
    private final ByteBuffer outputs;
    private final ByteBuffer row = allocate(TokenExecutor.MAX_DRAFT * Integer.BYTES);
    private final int outputsStride;
    private final long tokenAddress;
    private final long outputsAddress;
    private final int vocabularySize;

    /** @throws ModelInputException if the bundle predicts no tokens. */
    public TokenSessions(final Bundle bundle, final Backend backend, final int sessionCount) {
        ensurePredictsTokens(bundle);
        model = backend.load(bundle, 1);
        final ModelExecutor any = model.newExecutor(1);
        if (!(any instanceof TokenExecutor)) {
            throw new IllegalStateException("backend=" + backend.name() + " predicts no tokens");
        }
        executor = (TokenExecutor) any;
        vocabularySize = bundle.manifest().shape().get("vocabulary");
        states = new SessionStates(sessionCount, model, new byte[Long.BYTES]);
        states.touchAhead();
        hashes = new long[sessionCount];
        token = allocate(Integer.BYTES);
        outputsStride = model.shape().outputCount() * Float.BYTES;
        outputs = allocate(TokenExecutor.MAX_DRAFT * outputsStride);
        tokenAddress = BufferUtil.address(token);
        outputsAddress = BufferUtil.address(outputs);
        for (int i = 0; i < sessionCount; i++) {
            reset(i);
        }
    }

    /** @throws ModelInputException if the bundle predicts no tokens. */
    public static void ensurePredictsTokens(final Bundle bundle) {
        if (!TransformerParameters.FAMILY.equals(bundle.manifest().family()) ||
                bundle.manifest().task() != Task.TOKENS) {
            throw new ModelInputException(bundle.path() + ": family=" + bundle.manifest().family() + " task=" +
                    bundle.manifest().task().name().toLowerCase(Locale.ROOT) + " predicts no tokens");
        }
    }

    public int vocabularySize() {
        return vocabularySize;
    }

    /** Tokens that a session refuses to go beyond; 0 if it slides. */
    public int contextTokens() {
        return model.shape().contextTokens();
    }

    /** Of one session. */
    public int stateBytes() {
        return model.shape().stateBytes();
    }

    /** Of all sessions' states, what one session alone has. */
    public long ownBytes() {
        final StatePages pages = model.pages();
        long bytes = (long) hashes.length * model.shape().stateBytes();
        for (int session = 0; session < hashes.length; session++) {
            for (int page = 0; page < pages.count(); page++) {
                bytes -= pages.sharedAddress(states.stateAddress(session), page) == 0 ? 0 : pages.bytes();
            }
        }
        return bytes;
    }

    /** Of pages that several sessions have, each once. */
    public long commonBytes() {
        return (long) states.sharedPageCount() * model.pages().bytes();
    }

    /** The model as the cpu backend holds it; null on another backend. */
    public CpuTransformerModel cpuModel() {
        return model instanceof CpuTransformerModel cpu ? cpu : null;
    }

    /** Forgets all tokens. */
    public void reset(final int session) {
        states.reset(session, executor);
        hashes[session] = 0;
    }

    /** Puts a session where another one is, with a state of its own. */
    public void copy(final int from, final int to) {
        states.fork(states, from, to);
        hashes[to] = hashes[from];
    }

    /** As {@link #copy}, with what both can have in common shared: as the appliance forks. */
    public void fork(final int from, final int to) {
        states.fork(from, to);
        hashes[to] = hashes[from];
    }

    /** The part of a step that an answer waits for. Then {@link #settle}, always. */
    public void step(final int session, final int tokenId) {
        token.putInt(0, checked(tokenId));
        batch.clear();
        batch.add(tokenAddress, states.stateAddress(session), outputsAddress);
        executor.step(batch);
    }

    /** What follows the last {@link #step}: the hash, and what can be computed ahead. */
    public void settle(final int session) {
        hashes[session] = executor.hash(states.stateAddress(session), hashes[session]);
        executor.ahead(batch);
    }

    /** Takes several tokens, at least one, settled; as one after the other, and the bits are the same. Allocates. */
    public void steps(final int session, final int[] tokenIds) {
        final ByteBuffer tokens = allocate(tokenIds.length * Integer.BYTES);
        for (int i = 0; i < tokenIds.length; i++) {
            tokens.putInt(i * Integer.BYTES, checked(tokenIds[i]));
        }
        hashes[session] = executor.steps(states.stateAddress(session), BufferUtil.address(tokens), tokenIds.length,
                outputsAddress, 0, hashes[session]);
        Reference.reachabilityFence(tokens);
    }

    /**
     * Takes a row of tokens of which only the first may turn out to stand; {@link #logits} and {@link #likeliestAt} of
     * each place say. Then {@link #keep}, always.
     *
     * @param tokenIds the first {@code count} of them, at most {@link TokenExecutor#MAX_DRAFT}.
     */
    public void stepTentatively(final int session, final int[] tokenIds, final int count) {
        for (int i = 0; i < count; i++) {
            row.putInt(i * Integer.BYTES, checked(tokenIds[i]));
        }
        executor.stepTentatively(
                states.stateAddress(session), BufferUtil.address(row), count, outputsAddress, outputsStride);
    }

    /** What follows the last {@link #stepTentatively}: of its tokens the first ones stand, and are settled. */
    public void keep(final int session, final int count) {
        hashes[session] = executor.keep(states.stateAddress(session), count, hashes[session]);
        batch.clear();
        batch.add(tokenAddress, states.stateAddress(session), outputsAddress);
        executor.ahead(batch);
    }

    /**
     * The likeliest next token, which the answer names first; where it is the excluded one, the likeliest of the
     * others.
     *
     * @param excluded -1 for none.
     */
    public int likeliest(final int excluded) {
        final int likeliest = likeliestAt(0);
        return likeliest == excluded ? likeliestOther(excluded) : likeliest;
    }

    /** The likeliest next token after a place of the last {@link #stepTentatively}; 0 after any other step. */
    public int likeliestAt(final int place) {
        return outputs.getInt(place * outputsStride);
    }

    /** Copies the logits after a place of the last {@link #stepTentatively}; 0 after any other step. */
    public void logits(final int place, final float[] target) {
        UnsafeApi.copyMemory(null, executor.logitsAddress(place), target, FLOATS, (long) target.length * Float.BYTES);
    }

    /** The session's chained hash over all that was done since its last reset. */
    public long hash(final int session) {
        return hashes[session];
    }

    /** A copy of the session's state, every byte. Allocates. */
    byte[] state(final int session) {
        final byte[] bytes = new byte[stateBytes()];
        UnsafeApi.copyMemory(null, states.stateAddress(session), bytes, BYTES, bytes.length);
        return bytes;
    }

    @Override
    public void close() {
        states.close();
        executor.close();
        model.close();
    }

    private int likeliestOther(final int excluded) {
        final long logits = executor.logitsAddress(0);
        int best = -1;
        float highest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < vocabularySize; i++) {
            final float logit = UnsafeApi.getFloat(logits + (long) i * Float.BYTES);
            if (i != excluded && (best < 0 || logit > highest)) {
                best = i;
                highest = logit;
            }
        }
        return best;
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
