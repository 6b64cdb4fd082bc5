package io.tiercel.nativecuda.cpu;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StateHash;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.StepByStep;
import io.tiercel.appliance.engine.lstm.LstmStateLayout;
import org.agrona.UnsafeApi;

/**
 * Steps of one model by the native kernels. For one thread at a time; worker threads, if it has any, are its own, and
 * sleep a few milliseconds after the last call. Allocates in its constructor only. Not usable after {@link #close}.
 */
public final class CpuLstmExecutor implements ModelExecutor {

    private final LstmStateLayout layout;
    private final StepByStep stepByStep;
    private final int threads;
    private final PositionTable positions;
    private long handle;

    CpuLstmExecutor(
            final long model, final LstmStateLayout layout, final int featureCount, final int maxBatch,
            final int threads, final CpuLstmModel.Teamwork teamwork) {
        this.layout = layout;
        stepByStep = new StepByStep(this, featureCount);
        final int isForced = teamwork == CpuLstmModel.Teamwork.ALWAYS ? 1 : 0;
        handle = CpuKernels.newExecutor(model, maxBatch, threads, isForced);
        if (handle == 0) {
            throw new IllegalStateException("no memory or no threads for an executor of maxBatch=" + maxBatch +
                    " threads=" + threads);
        }
        this.threads = CpuKernels.executorThreads(handle);
        positions = new PositionTable(maxBatch);
    }

    /** The threads that a step runs on, the caller's included. */
    public int threads() {
        return threads;
    }

    @Override
    public void initialise(final long stateAddress) {
        UnsafeApi.setMemory(stateAddress, layout.stateBytes(), (byte) 0);
        restore(stateAddress);
    }

    @Override
    public void step(final StepBatch batch) {
        CpuKernels.step(handle, positions.of(batch), batch.size());
    }

    @Override
    public long hash(final long stateAddress, final long previousHash) {
        return StateHash.mix(previousHash, stateAddress, layout.canonicalBytes());
    }

    @Override
    public void ahead(final StepBatch batch) {
        CpuKernels.ahead(handle, positions.of(batch), batch.size());
    }

    @Override
    public long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        return stepByStep.steps(stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
    }

    @Override
    public void restore(final long stateAddress) {
        CpuKernels.ahead(handle, positions.of(stateAddress), 1);
    }

    @Override
    public void close() {
        if (handle != 0) {
            CpuKernels.deleteExecutor(handle);
            positions.close();
            handle = 0;
        }
    }
}
