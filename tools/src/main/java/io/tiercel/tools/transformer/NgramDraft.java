package io.tiercel.tools.transformer;

import io.tiercel.appliance.generation.TokenHistory;

/** Guesses what follows from what a session has said before. One thread. */
final class NgramDraft implements Draft {

    private static final int CAPACITY = 1 << 14;

    private final TokenHistory history = new TokenHistory(CAPACITY);

    @Override
    public void add(final int token) {
        history.add(token);
    }

    @Override
    public int guess(final int[] draft, final int from, final int limit, final long counter) {
        return history.guess(draft, from, limit);
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
