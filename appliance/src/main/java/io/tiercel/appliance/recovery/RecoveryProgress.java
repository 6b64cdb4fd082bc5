package io.tiercel.appliance.recovery;

/** Told now and then how far a recovery is. */
@FunctionalInterface
public interface RecoveryProgress {

    /**
     * @param doneCount  requests computed again so far.
     * @param totalCount how many there are, as far as that is known.
     */
    void onProgress(long doneCount, long totalCount);
}
