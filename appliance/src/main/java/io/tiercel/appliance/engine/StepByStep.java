package io.tiercel.appliance.engine;

/**
 * {@link ModelExecutor#steps} one step after the other: for an executor that knows nothing better. One thread.
 */
public final class StepByStep {

    private final ModelExecutor executor;
    private final StepBatch batch = new StepBatch(1);
    private final int featuresBytes;

    public StepByStep(final ModelExecutor executor, final int featureCount) {
        this.executor = executor;
        featuresBytes = featureCount * Float.BYTES;
    }

    /** As {@link ModelExecutor#steps}. */
    public long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        long hash = previousHash;
        for (int step = 0; step < stepCount; step++) {
            batch.clear();
            batch.add(
                    featuresAddress + (long) step * featuresBytes,
                    stateAddress,
                    outputsAddress + (long) step * outputsStride);
            executor.step(batch);
            hash = executor.hash(stateAddress, hash);
            executor.ahead(batch);
        }
        return hash;
    }
}
