package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StateHash;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.StepByStep;
import org.agrona.UnsafeApi;

/**
 * What executors on a GPU have in common: after a step has been answered, the host's canonical state is still that from
 * before it, until the new one is taken, for the hash or for the work ahead. One thread; allocates in its constructor.
 */
abstract class DueStateExecutor implements ModelExecutor {

    final int canonicalBytes;
    final DueStates due;
    private final StepByStep stepByStep;

    DueStateExecutor(final CudaLstmModel model, final int maxBatch) {
        canonicalBytes = model.layout().canonicalBytes();
        due = new DueStates(maxBatch);
        stepByStep = new StepByStep(this, model.shape().featureCount());
    }

    /** Makes the canonical state that after the step of this position of the last batch, all of it or nothing. */
    abstract void takeState(int position, long stateAddress);

    @Override
    public final void initialise(final long stateAddress) {
        UnsafeApi.setMemory(stateAddress, canonicalBytes, (byte) 0);
        restore(stateAddress);
    }

    /** What a step would have made of the state before counts no more. */
    @Override
    public void restore(final long stateAddress) {
        due.take(stateAddress);
    }

    @Override
    public final long hash(final long stateAddress, final long previousHash) {
        settle(stateAddress);
        return StateHash.mix(previousHash, stateAddress, canonicalBytes);
    }

    @Override
    public final void ahead(final StepBatch batch) {
        for (int i = 0, size = batch.size(); i < size; i++) {
            settle(batch.stateAddress(i));
        }
    }

    @Override
    public final long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        return stepByStep.steps(stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
    }

    private void settle(final long stateAddress) {
        final int position = due.take(stateAddress);
        if (position >= 0) {
            takeState(position, stateAddress);
        }
    }
}
