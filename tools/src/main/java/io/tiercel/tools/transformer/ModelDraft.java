package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.exact.TokenSampler;
import io.tiercel.tools.ModelInputException;
import org.agrona.collections.IntArrayList;

/**
 * Guesses by a smaller model of the same vocabulary: what it would say itself (Leviathan, Kalman, Matias, "Fast
 * inference from transformers via speculative decoding", 2023). It draws with the same seed and counter as the model
 * will, so that the same random number falls into the same token's share wherever the two agree about it. It reads the
 * tokens that the text has come to in one pass, and guesses on a copy of the session, which is left where it ends.
 */
final class ModelDraft implements Draft {

    private static final int TEXT = 0;
    private static final int GUESS = 1;

    private final TokenSessions sessions;
    private final IntArrayList unread = new IntArrayList();
    private final Sampling sampling;
    private final TokenSampler sampler;
    private final float[] logits;
    private long readCount;

    /** @throws ModelInputException if the bundle predicts no tokens, or those of another vocabulary. */
    ModelDraft(final Bundle bundle, final Backend backend, final int vocabularySize, final Sampling sampling) {
        this.sampling = sampling;
        sampler = new TokenSampler(vocabularySize);
        logits = new float[vocabularySize];
        sessions = new TokenSessions(bundle, backend, 2);
        if (sessions.vocabularySize() != vocabularySize) {
            sessions.close();
            throw new ModelInputException(bundle.path() + ": vocabulary=" + sessions.vocabularySize() +
                    " is not that of the model, " + vocabularySize);
        }
    }

    @Override
    public void add(final int token) {
        unread.addInt(token);
    }

    @Override
    public int guess(final int[] draft, final int from, final int limit, final long counter) {
        if (limit < 1 || !hasRoom(limit)) {
            return 0;
        }
        sessions.steps(TEXT, unread.toIntArray());
        readCount += unread.size();
        unread.clear();
        sessions.copy(TEXT, GUESS);
        for (int index = 0; index < limit; index++) {
            if (index > 0) {
                sessions.step(GUESS, draft[from + index - 1]);
                sessions.settle(GUESS);
            }
            draft[from + index] = choose(counter + index);
        }
        return limit;
    }

    private int choose(final long counter) {
        if (sampling.isGreedy()) {
            return sessions.likeliest(-1);
        }
        sessions.logits(0, logits);
        return sampling.draw(sampler, logits, counter);
    }

    /** A context that is full and does not slide ends the guesses, not the text. */
    private boolean hasRoom(final int limit) {
        final int contextTokens = sessions.contextTokens();
        return contextTokens == 0 || readCount + unread.size() + limit <= contextTokens;
    }

    @Override
    public void close() {
        sessions.close();
    }
}
