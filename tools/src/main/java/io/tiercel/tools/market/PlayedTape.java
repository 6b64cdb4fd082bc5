package io.tiercel.tools.market;

/**
 * A tape as it is played to a model: a request for each event, and what an answer is held against afterwards. What a
 * request says is what the model takes: features, or a token.
 *
 * <p>Immutable; reading allocates nothing.
 */
public interface PlayedTape {

    String tapeName();

    int sessionCount();

    /** Events played. */
    int eventCount();

    long sessionKey(int eventIndex);

    /** The row of the tape as published, from 0, that the event is. */
    int row(int eventIndex);

    /** Cells in a request; 1 if it is a token. */
    int featureCount();

    /** A cell as it goes on the wire: a token, or the bits of a binary32. */
    int cell(int eventIndex, int featureIndex);

    /** Whether the event may be scored: nothing was learned from it. */
    boolean heldOut(int eventIndex);

    /** What the answer to an event should have been, as the number of a class; below 0 if nobody knows. */
    default int label(final int eventIndex) {
        return Labels.NONE;
    }

    /**
     * An empty score.
     *
     * @param outputCount cells in an answer.
     */
    AnswerScore newScore(int outputCount);
}
