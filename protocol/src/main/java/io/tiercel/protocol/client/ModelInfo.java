package io.tiercel.protocol.client;

/**
 * A model that the appliance serves, as its welcome said.
 *
 * @param modelId      handle for requests, valid for this connection only.
 * @param alias        name of the model in the appliance's configuration.
 * @param featureCount floats in a step.
 * @param outputCount  floats in an answer.
 * @param version      SHA-256 of the bundle, 64 hexadecimal digits.
 */
public record ModelInfo(int modelId, String alias, int featureCount, int outputCount, String version) {
}
