package io.tiercel.tools.transformer;

/** Guesses what a model will say, so that it only has to verify it. One thread. */
interface Draft extends AutoCloseable {

    /** The text goes on with a token. */
    void add(int token);

    /**
     * Writes up to {@code limit} guesses at what follows, from an index of {@code draft}; returns how many.
     *
     * @param counter of the draw of the first of them.
     */
    int guess(int[] draft, int from, int limit, long counter);

    @Override
    void close();
}
