package io.tiercel.appliance.generation;

/**
 * The newest tokens of a text, and a guess at what follows them: the tokens that stood behind the latest earlier place
 * where its last few tokens stood (prompt look-up; Saxena, 2023). One thread; allocates in its constructor only.
 */
public final class TokenHistory {

    /** Tokens that must have stood together before: as many as this if they have, else fewer. */
    private static final int LONGEST = 4;
    private static final int SHORTEST = 2;

    private final int[] tokens;
    private int count;

    /** @param capacity tokens that are looked through for each guess; when it is full, the older half is forgotten. */
    public TokenHistory(final int capacity) {
        tokens = new int[capacity];
    }

    public void clear() {
        count = 0;
    }

    public void add(final int token) {
        if (count == tokens.length) {
            final int kept = count / 2;
            System.arraycopy(tokens, count - kept, tokens, 0, kept);
            count = kept;
        }
        tokens[count++] = token;
    }

    /** Writes up to {@code limit} guesses at what follows, from an index of the target; returns how many. */
    public int guess(final int[] target, final int from, final int limit) {
        if (limit < 1) {
            return 0;
        }
        int longest = SHORTEST - 1;
        int end = 0;
        for (int place = count - 1; place >= SHORTEST && longest < LONGEST; place--) {
            final int length = commonLength(place);
            if (length > longest) {
                longest = length;
                end = place;
            }
        }
        if (end == 0) {
            return 0;
        }
        final int guesses = Math.min(limit, count - end);
        System.arraycopy(tokens, end, target, from, guesses);
        return guesses;
    }

    /** How many tokens before that place, at most {@link #LONGEST}, are the last ones. */
    private int commonLength(final int place) {
        int length = 0;
        while (length < LONGEST && length < place && tokens[place - 1 - length] == tokens[count - 1 - length]) {
            length++;
        }
        return length;
    }
}
