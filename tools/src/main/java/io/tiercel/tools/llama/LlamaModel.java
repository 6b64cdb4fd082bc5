package io.tiercel.tools.llama;

import io.tiercel.tools.ModelInputException;

/**
 * What a model file holds.
 *
 * @param tokenizer null if the file has none.
 * @param format    of the file, in words.
 */
public record LlamaModel(LlamaWeights weights, Tokenizer tokenizer, String format) {

    /** @throws ModelInputException if the tokenizer is of another vocabulary. */
    public LlamaModel {
        final int vocabulary = weights.shape().vocabularySize();
        if (tokenizer != null && tokenizer.size() != vocabulary) {
            throw new ModelInputException(
                    "tokenizer pieces=" + tokenizer.size() + " but the model's vocabulary=" + vocabulary);
        }
    }

    public LlamaShape shape() {
        return weights.shape();
    }

    /** The same with another tokenizer. */
    public LlamaModel withTokenizer(final Tokenizer other) {
        return new LlamaModel(weights, other, format);
    }
}
