package io.tiercel.ops.probe;

/**
 * What a probe asks and expects.
 *
 * @param alias     of the model; null for the first that the appliance names.
 * @param lateNs    an answer that took longer is late.
 * @param timeoutNs one that took longer is none; also how long connecting may take.
 */
public record ProbeSettings(String alias, long lateNs, long timeoutNs) {

    public ProbeSettings {
        if (lateNs <= 0 || timeoutNs < lateNs) {
            throw new IllegalArgumentException(
                    "lateNs=" + lateNs + " timeoutNs=" + timeoutNs + ": must be above 0, and the timeout no less");
        }
    }
}
