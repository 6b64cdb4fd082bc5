package io.tiercel.appliance.engine;

/** An executor whose model predicts the next token, of a vocabulary, from what it has seen. */
public interface TokenExecutor extends ModelExecutor {

    /** The most tokens of a {@link #stepWhileLikeliest}. */
    int MAX_DRAFT = 16;

    /** V. */
    int vocabularySize();

    /**
     * Steps of one session, settled, for as long as its tokens are what the model itself would say: the first token is
     * taken in any case, a further one if it has the largest logit after the one before it, of equals the lowest. So a
     * guess at what follows (a draft) is made good in one pass, and nothing of it is left that was wrong: state, hash
     * and logits are as after {@link #step}, {@link #hash} and {@link #ahead} of each token that was taken.
     *
     * @param tokensAddress of int32 tokens, {@code 1..}{@link #MAX_DRAFT}; each must be one of the vocabulary.
     * @param hashAddress   of the session's hash, 8 bytes: as it was, and then as it is.
     * @return how many were taken, at least 1.
     */
    int stepWhileLikeliest(long stateAddress, long tokensAddress, int tokenCount, long hashAddress);

    /** What a step changes of a state. */
    Footprint footprint();

    /**
     * Where the logits of the last {@link #step} are, or of the last one of {@link #steps}: {@link #vocabularySize()}
     * floats, valid until this executor's next call.
     *
     * @param position of the batch, from 0; 0 after {@link #steps}.
     */
    long logitsAddress(int position);
}
