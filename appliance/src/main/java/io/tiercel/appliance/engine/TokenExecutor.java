package io.tiercel.appliance.engine;

/** An executor whose model predicts the next token, of a vocabulary, from what it has seen. */
public interface TokenExecutor extends ModelExecutor {

    /** V. */
    int vocabularySize();

    /**
     * Where the logits of the last {@link #step} are, or of the last one of {@link #steps}: {@link #vocabularySize()}
     * floats, valid until this executor's next call.
     *
     * @param position of the batch, from 0; 0 after {@link #steps}.
     */
    long logitsAddress(int position);
}
