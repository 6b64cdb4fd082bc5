package io.tiercel.protocol.client;

/**
 * A model that the appliance serves, as its welcome said.
 *
 * @param modelId        handle for requests, valid for this connection only.
 * @param alias          name of the model in the appliance's configuration.
 * @param featureCount   floats in a step; 1 if a step is a token.
 * @param outputCount    floats in an answer.
 * @param version        SHA-256 of the bundle, 64 hexadecimal digits.
 * @param vocabularySize above 0 if a step is one token, from 0 to below this; 0 if it is a feature vector.
 * @param contextTokens  steps that a session takes, counted from its reset, before it answers CONTEXT_FULL; 0 for any
 *                       number.
 */
public record ModelInfo(
        int modelId, String alias, int featureCount, int outputCount, String version, int vocabularySize,
        int contextTokens) {

    /** Whether a step is a token. */
    public boolean hasTokens() {
        return vocabularySize > 0;
    }
}
