package io.tiercel.nativecuda.cpu;

import io.tiercel.appliance.engine.Footprint;
import io.tiercel.appliance.engine.StateHash;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.transformer.TransformerStateLayout;
import org.agrona.UnsafeApi;

/**
 * Steps of one transformer by the native kernels, on the caller's thread; one thread at a time. Allocates in its
 * constructor only. Not usable after {@link #close}.
 */
public final class CpuTransformerExecutor implements TokenExecutor {

    private final TransformerStateLayout layout;
    private final int logitCount;
    private final int contextTokens;
    private final PositionTable positions;
    private long handle;

    CpuTransformerExecutor(
            final long model, final TransformerStateLayout layout, final int logitCount, final int contextTokens,
            final int maxBatch) {
        this.layout = layout;
        this.logitCount = logitCount;
        this.contextTokens = contextTokens;
        handle = CpuKernels.newTransformerExecutor(model, maxBatch);
        if (handle == 0) {
            throw new IllegalStateException("no memory for an executor of maxBatch=" + maxBatch);
        }
        positions = new PositionTable(maxBatch);
    }

    @Override
    public Footprint footprint() {
        return layout.footprint();
    }

    @Override
    public void initialise(final long stateAddress) {
        UnsafeApi.setMemory(stateAddress, layout.stateBytes(), (byte) 0);
    }

    @Override
    public boolean hasRoom(final long stateAddress, final int stepCount) {
        return TransformerStateLayout.hasRoom(stateAddress, contextTokens, stepCount);
    }

    @Override
    public void step(final StepBatch batch) {
        CpuKernels.transformerStep(handle, positions.of(batch), batch.size());
    }

    @Override
    public long hash(final long stateAddress, final long previousHash) {
        return StateHash.mix(previousHash, stateAddress, TransformerStateLayout.CODED_OFFSET);
    }

    @Override
    public void ahead(final StepBatch batch) {
        CpuKernels.transformerAhead(handle, positions.of(batch), batch.size());
    }

    /** A row of tokens is computed several at a time. */
    @Override
    public long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        return CpuKernels.transformerSteps(
                handle, stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
    }

    @Override
    public void stepTentatively(
            final long stateAddress, final long tokensAddress, final int tokenCount, final long outputsAddress,
            final int outputsStride) {
        CpuKernels.transformerStepTentatively(
                handle, stateAddress, tokensAddress, tokenCount, outputsAddress, outputsStride);
    }

    @Override
    public long keep(final long stateAddress, final int keptCount, final long previousHash) {
        return CpuKernels.transformerKeep(handle, stateAddress, keptCount, previousHash);
    }

    @Override
    public void restore(final long stateAddress) {
        layout.statePages().clear(stateAddress);
    }

    @Override
    public int vocabularySize() {
        return logitCount;
    }

    @Override
    public long logitsAddress(final int position) {
        return CpuKernels.transformerLogits(handle, position);
    }

    @Override
    public void close() {
        if (handle != 0) {
            CpuKernels.deleteTransformerExecutor(handle);
            positions.close();
            handle = 0;
        }
    }
}
