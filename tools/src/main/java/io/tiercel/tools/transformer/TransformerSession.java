package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.bundle.Bundle;

/** One session of a bundle that predicts tokens, of {@link TokenSessions}, whose steps give logits. One thread. */
public final class TransformerSession implements AutoCloseable {

    private static final int ONLY = 0;

    private final TokenSessions sessions;
    private final float[] logits;

    /** @throws io.tiercel.tools.ModelInputException if the bundle predicts no tokens. */
    public TransformerSession(final Bundle bundle, final Backend backend) {
        sessions = new TokenSessions(bundle, backend, 1);
        logits = new float[sessions.vocabularySize()];
    }

    /** Forgets all tokens. */
    public void reset() {
        sessions.reset(ONLY);
    }

    public int vocabularySize() {
        return sessions.vocabularySize();
    }

    /** Tokens that the session must not go beyond; 0 if it slides. */
    public int contextTokens() {
        return sessions.contextTokens();
    }

    /** The chained hash over all that was done since the last reset. */
    public long hash() {
        return sessions.hash(ONLY);
    }

    /** A copy of the session's state, every byte. */
    byte[] state() {
        return sessions.state(ONLY);
    }

    /**
     * Takes one token.
     *
     * @return the logits of the next one; the same array for each step.
     */
    public float[] step(final int tokenId) {
        sessions.step(ONLY, tokenId);
        sessions.settle(ONLY);
        return logits();
    }

    /** The logits after the last {@link #step} or {@link #steps}; the same array for each call. */
    public float[] logits() {
        sessions.logits(0, logits);
        return logits;
    }

    /** Takes several tokens, at least one; as {@link #step} of each, and the bits are the same. */
    public float[] steps(final int[] tokenIds) {
        sessions.steps(ONLY, tokenIds);
        return logits();
    }

    /** As {@link TokenSessions#stepTentatively}; then {@link #keep}, always. */
    public void stepTentatively(final int[] tokenIds, final int count) {
        sessions.stepTentatively(ONLY, tokenIds, count);
    }

    /** As {@link TokenSessions#keep}. */
    public void keep(final int count) {
        sessions.keep(ONLY, count);
    }

    /** As {@link TokenSessions#logits}. */
    void logits(final int place, final float[] target) {
        sessions.logits(place, target);
    }

    /** As {@link TokenSessions#likeliestAt}. */
    int likeliest(final int place) {
        return sessions.likeliestAt(place);
    }

    @Override
    public void close() {
        sessions.close();
    }
}
