package io.tiercel.tools.transformer;

/**
 * Whoever makes texts, as a row of {@code bench generate}. Used by one thread: any number of turns, each
 * {@link #begin}, any number of {@link #make}, {@link #end}.
 */
interface TextContender {

    /** What the row is called. */
    String name();

    /** Gets ready; what it takes is not measured. */
    void begin();

    /** Goes on from a prompt, in a session that begins anew. */
    TimedText make(int[] prompt, Sampling sampling);

    /** Guesses since the first turn, or steps ahead of their requests, and how many were of use. */
    long guessCount();

    long rightCount();

    void end();
}
