package io.tiercel.appliance.generation;

/**
 * The newest tokens of a text, and a guess at what follows them: the tokens that stood behind the latest earlier place
 * where its last few tokens stood (prompt look-up; Saxena, 2023). Each token that is added shows whether it would have
 * been guessed, asked for or not; so it knows how often it is right, and guesses no further than is likely to be.
 *
 * <p>One thread; allocates in its constructor only.
 */
public final class TokenHistory {

    /** Tokens that must have stood together before: as many as this if they have, else fewer. */
    private static final int LONGEST = 4;
    private static final int SHORTEST = 2;

    /** Shares are in 1024ths: how many of the last eight or so guesses were right, and what is assumed at first. */
    private static final int SHARE_SHIFT = 10;
    private static final int ONE = 1 << SHARE_SHIFT;
    private static final int NEWS_SHIFT = 3;
    private static final int FIRST_SHARE = ONE * 3 / 4;

    /** A wrong guess costs a good part of a step: it has to be right more often than not. */
    private static final int LEAST_SHARE = ONE / 2;

    private static final int NONE = -1;

    private final int[] tokens;
    private int count;
    /** Where the token stands that is guessed to come next; {@link #NONE} if there is no guess. */
    private int guessIndex;
    private int rightShare;

    /** @param capacity tokens that are looked through; when it is full, the older half is forgotten. */
    public TokenHistory(final int capacity) {
        tokens = new int[capacity];
        clear();
    }

    public void clear() {
        count = 0;
        guessIndex = NONE;
        rightShare = FIRST_SHARE;
    }

    public void add(final int token) {
        final boolean isRight = guessIndex != NONE && tokens[guessIndex] == token;
        if (guessIndex != NONE) {
            rightShare += (isRight ? ONE - rightShare : -rightShare) >> NEWS_SHIFT;
        }
        final boolean isFull = count == tokens.length;
        if (isFull) {
            final int kept = count / 2;
            System.arraycopy(tokens, count - kept, tokens, 0, kept);
            count = kept;
        }
        tokens[count++] = token;
        guessIndex = isRight && !isFull ? guessIndex + 1 : lookUp();
    }

    /**
     * Writes up to {@code limit} guesses at what follows, from an index of the target; returns how many. A guess that
     * comes to the end of the text goes on with itself, as a text does that goes round and round.
     */
    public int guess(final int[] target, final int from, final int limit) {
        if (guessIndex == NONE) {
            return 0;
        }
        int guesses = 0;
        for (int share = rightShare; guesses < limit && share >= LEAST_SHARE; guesses++) {
            final int index = guessIndex + guesses;
            target[from + guesses] = index < count ? tokens[index] : target[from + index - count];
            share = share * rightShare >> SHARE_SHIFT;
        }
        return guesses;
    }

    /** The index behind the latest earlier place of as many of the last tokens as stood together before. */
    private int lookUp() {
        int longest = SHORTEST - 1;
        int index = NONE;
        for (int place = count - 1; place >= SHORTEST && longest < LONGEST; place--) {
            final int length = commonLength(place);
            if (length > longest) {
                longest = length;
                index = place;
            }
        }
        return index;
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
