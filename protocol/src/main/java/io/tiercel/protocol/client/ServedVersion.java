package io.tiercel.protocol.client;

/**
 * A version of a model, as the appliance tells an administrator.
 *
 * @param modelId      of the model, as in the welcome.
 * @param version      SHA-256 of its bundle, 64 hexadecimal digits.
 * @param weight       of {@value io.tiercel.protocol.Frames#FULL_WEIGHT} new sessions, how many come to it.
 * @param formerWeight as it was before, and is again after a roll-back.
 * @param isDrained    whether its sessions begin anew with another version at their next request.
 * @param sessionCount sessions that are with it.
 */
public record ServedVersion(
        int modelId, String version, int weight, int formerWeight, boolean isDrained, long sessionCount) {
}
