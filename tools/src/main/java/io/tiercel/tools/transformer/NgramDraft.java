package io.tiercel.tools.transformer;

import java.util.Arrays;

/**
 * Guesses what follows from what a session has said before (prompt look-up; Saxena, 2023): the tokens that stood behind
 * the latest earlier place where its last few tokens stood. One thread.
 */
final class NgramDraft implements Draft {

    /** Tokens that must have stood together before: as many as this if they have, else fewer. */
    private static final int LONGEST = 4;
    private static final int SHORTEST = 2;

    private int[] history = new int[1024];
    private int count;

    @Override
    public void add(final int token) {
        if (count == history.length) {
            history = Arrays.copyOf(history, 2 * count);
        }
        history[count++] = token;
    }

    @Override
    public int guess(final int[] draft, final int from, final int limit) {
        for (int length = Math.min(LONGEST, count - 1); length >= SHORTEST; length--) {
            final int end = placeBehind(length);
            if (end > 0) {
                final int guesses = Math.min(limit, count - end);
                System.arraycopy(history, end, draft, from, guesses);
                return guesses;
            }
        }
        return 0;
    }

    @Override
    public void close() {
        // Nothing is held.
    }

    /** The index behind the latest earlier place of the last {@code length} tokens; 0 if there is none. */
    private int placeBehind(final int length) {
        for (int end = count - 1; end >= length; end--) {
            if (Arrays.equals(history, end - length, end, history, count - length, count)) {
                return end;
            }
        }
        return 0;
    }
}
