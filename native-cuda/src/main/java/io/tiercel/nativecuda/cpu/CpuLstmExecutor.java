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
 *
 * <p>A batch crosses over as a table of three addresses a position: features, state, outputs.
 */
public final class CpuLstmExecutor implements ModelExecutor {

    private static final int POSITION_BYTES = 3 * Long.BYTES;

    private final LstmStateLayout layout;
    private final StepByStep stepByStep;
    private final int maxBatch;
    private final int threads;
    private final long positionsAddress;
    private long handle;

    CpuLstmExecutor(
            final long model, final LstmStateLayout layout, final int featureCount, final int maxBatch,
            final int threads, final CpuLstmModel.Teamwork teamwork) {
        this.layout = layout;
        stepByStep = new StepByStep(this, featureCount);
        this.maxBatch = maxBatch;
        final int isForced = teamwork == CpuLstmModel.Teamwork.ALWAYS ? 1 : 0;
        handle = CpuKernels.newExecutor(model, maxBatch, threads, isForced);
        if (handle == 0) {
            throw new IllegalStateException("no memory or no threads for an executor of maxBatch=" + maxBatch +
                    " threads=" + threads);
        }
        this.threads = CpuKernels.executorThreads(handle);
        positionsAddress = UnsafeApi.allocateMemory((long) maxBatch * POSITION_BYTES);
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
        CpuKernels.step(handle, positions(batch), batch.size());
    }

    @Override
    public long hash(final long stateAddress, final long previousHash) {
        return StateHash.mix(previousHash, stateAddress, layout.canonicalBytes());
    }

    @Override
    public void ahead(final StepBatch batch) {
        CpuKernels.ahead(handle, positions(batch), batch.size());
    }

    @Override
    public long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        return stepByStep.steps(stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
    }

    @Override
    public void restore(final long stateAddress) {
        put(0, 0, stateAddress, 0);
        CpuKernels.ahead(handle, positionsAddress, 1);
    }

    @Override
    public void close() {
        if (handle != 0) {
            CpuKernels.deleteExecutor(handle);
            UnsafeApi.freeMemory(positionsAddress);
            handle = 0;
        }
    }

    private long positions(final StepBatch batch) {
        final int size = batch.size();
        if (size > maxBatch || handle == 0) {
            throw new IllegalStateException("batch=" + size + " maxBatch=" + maxBatch + " closed=" + (handle == 0));
        }
        for (int i = 0; i < size; i++) {
            put(i, batch.featuresAddress(i), batch.stateAddress(i), batch.outputsAddress(i));
        }
        return positionsAddress;
    }

    private void put(final int index, final long featuresAddress, final long stateAddress, final long outputsAddress) {
        final long position = positionsAddress + (long) index * POSITION_BYTES;
        UnsafeApi.putLong(position, featuresAddress);
        UnsafeApi.putLong(position + Long.BYTES, stateAddress);
        UnsafeApi.putLong(position + 2 * Long.BYTES, outputsAddress);
    }
}
