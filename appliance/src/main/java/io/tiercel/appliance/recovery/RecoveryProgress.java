package io.tiercel.appliance.recovery;

/** Told how far a recovery is: when it begins to compute, now and then, and at the end. Not if there is no record. */
@FunctionalInterface
public interface RecoveryProgress {

    /**
     * @param doneCount  requests computed again so far.
     * @param totalCount how many there are, as far as that is known.
     */
    void onProgress(long doneCount, long totalCount);
}
