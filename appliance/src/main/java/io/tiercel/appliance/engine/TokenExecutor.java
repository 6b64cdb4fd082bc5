package io.tiercel.appliance.engine;

/** An executor whose model predicts the next token, of a vocabulary, from what it has seen. */
public interface TokenExecutor extends ModelExecutor {

    /** The most tokens of a {@link #stepTentatively}. */
    int MAX_DRAFT = 16;

    /** V. */
    int vocabularySize();

    /**
     * Steps of one session, settled, by a row of tokens that may be wrong from some place on: guesses at what follows
     * (a draft), verified in one pass. Outputs and {@link #logitsAddress} of each step are what they are after
     * {@link #step}, {@link #hash} and {@link #ahead} of each token before it. Then the caller says with {@link #keep}
     * how many stand, before it asks anything else of this executor but the logits.
     *
     * @param tokensAddress of int32 tokens, {@code 1..}{@link #MAX_DRAFT}; each must be one of the vocabulary.
     * @param outputsStride bytes from one step's outputs to the next's, 0 to keep no more than one step's.
     */
    void stepTentatively(
            long stateAddress, long tokensAddress, int tokenCount, long outputsAddress, int outputsStride);

    /**
     * Takes back all but the first steps of the last {@link #stepTentatively}. The state is then as after
     * {@link #step} of the last one that is kept, and {@link #ahead} is to follow; of none it is as it was. May be
     * called again with a lower count.
     *
     * @param previousHash the session's before the first step.
     * @return its hash after the last one that is kept.
     */
    long keep(long stateAddress, int keptCount, long previousHash);

    /** What a step changes of a state. */
    Footprint footprint();

    /**
     * Where the logits of the last {@link #step} are, of a step of {@link #stepTentatively}, or of the last one of
     * {@link #steps}: {@link #vocabularySize()} floats, valid until this executor steps again.
     *
     * @param position of the batch, or of the tentative row, from 0; 0 after {@link #steps}.
     */
    long logitsAddress(int position);
}
