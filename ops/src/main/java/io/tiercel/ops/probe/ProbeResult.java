package io.tiercel.ops.probe;

/**
 * A question and what became of it.
 *
 * @param model       alias; empty if there was no connection.
 * @param version     of the model, its first 12 hexadecimal digits, as the welcome said; empty as well.
 * @param roundTripNs from sending to the answer, on this process' clock; 0 if there was none.
 * @param applianceNs of it, inside the appliance.
 * @param detail      one line of {@code name=value}; empty if all is well.
 */
public record ProbeResult(
        ProbeOutcome outcome, String model, String version, long roundTripNs, long applianceNs, String detail) {

    /** Whether there was an answer, right or wrong. */
    public boolean isAnswered() {
        return roundTripNs > 0;
    }
}
