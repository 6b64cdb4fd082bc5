package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.ModelInputException;
import org.agrona.collections.IntArrayList;

/**
 * Guesses by a smaller model of the same vocabulary: what it would say itself (Leviathan, Kalman, Matias, "Fast
 * inference from transformers via speculative decoding", 2023, with the likeliest tokens only). It reads the tokens
 * that the text has come to in one pass, and guesses on a copy of the session, which is left where it ends.
 */
final class ModelDraft implements Draft {

    private static final int TEXT = 0;
    private static final int GUESS = 1;

    private final TokenSessions sessions;
    private final IntArrayList unread = new IntArrayList();
    private long readCount;

    /** @throws ModelInputException if the bundle predicts no tokens, or those of another vocabulary. */
    ModelDraft(final Bundle bundle, final Backend backend, final int vocabularySize) {
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
    public int guess(final int[] draft, final int from, final int limit) {
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
            draft[from + index] = sessions.likeliest(-1);
        }
        return limit;
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
