package io.tiercel.replay;

/** Told now and then how far a replay is, on the replaying thread. */
@FunctionalInterface
public interface ReplayProgress {

    /**
     * @param doneCount  requests recomputed so far.
     * @param totalCount requests to recompute; fewer than there will be if the journal is being written.
     */
    void onProgress(long doneCount, long totalCount);
}
