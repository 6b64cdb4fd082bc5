package io.tiercel.nativecuda.cpu;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StateMemory;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.engine.transformer.TransformerStateLayout;
import io.tiercel.nativecuda.TransformerSizes;
import io.tiercel.nativecuda.TransformerWeights;
import io.tiercel.protocol.journal.Arithmetic;

/**
 * A {@code transformer} bundle on one kernel set: weights packed for its instruction set, in native memory, in huge
 * pages where the system gives them. Immutable; to be closed after its executors.
 */
public final class CpuTransformerModel implements Model {

    private final KernelSet kernels;
    private final ModelShape shape;
    private final TransformerStateLayout layout;
    private final int logitCount;
    private long handle;

    /** @throws IllegalStateException if there is no memory for the weights. */
    public CpuTransformerModel(final TransformerParameters parameters, final KernelSet kernels) {
        this.kernels = kernels;
        layout = parameters.layout();
        logitCount = parameters.logitCount();
        CpuKernels.loadLibrary();
        handle = CpuKernels.newTransformer(kernels.bit(), TransformerSizes.of(parameters),
                TransformerSizes.numbers(parameters));
        if (handle == 0) {
            throw new IllegalStateException("no memory for the weights of " + parameters.shape());
        }
        final long stateBytes = CpuKernels.transformerStateBytes(handle);
        if (stateBytes != layout.stateBytes()) {
            close();
            throw new IllegalStateException("stateBytes=" + stateBytes + " in the kernels, " + layout.stateBytes() +
                    " in the layout");
        }
        TransformerWeights.give(parameters, new Packing());
        shape = parameters.modelShape();
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    @Override
    public Arithmetic arithmetic() {
        return Arithmetic.EXACT;
    }

    @Override
    public StatePages pages() {
        return layout.statePages();
    }

    @Override
    public StateMemory newStateMemory(final long bytes) {
        return new CpuStateMemory(bytes);
    }

    @Override
    public CpuTransformerExecutor newExecutor(final int maxBatch) {
        return new CpuTransformerExecutor(handle, layout, logitCount, shape.contextTokens(), maxBatch);
    }

    public KernelSet kernels() {
        return kernels;
    }

    /** Bytes of weights that a step of one session reads. */
    public long stepBytes() {
        return CpuKernels.transformerStepBytes(handle);
    }

    @Override
    public void close() {
        if (handle != 0) {
            CpuKernels.deleteTransformer(handle);
            handle = 0;
        }
    }

    /** Packs them for the kernel set. */
    private final class Packing implements TransformerWeights.Target {

        @Override
        public void matrix(
                final int layer, final int matrix, final int expert, final byte[] codes, final byte[] lowCodes,
                final byte[] multipliers, final float[] scales) {
            CpuKernels.setTransformerMatrix(handle, layer, matrix, expert, codes, lowCodes, multipliers, scales);
        }

        @Override
        public void vector(final int layer, final int vector, final float[] values) {
            CpuKernels.setTransformerVector(handle, layer, vector, values);
        }

        @Override
        public void rotarySteps(final long[] steps) {
            CpuKernels.setRotarySteps(handle, steps);
        }

        @Override
        public void codec(
                final int layer, final int isValues, final float[] means, final float[] scales, final float[] steps,
                final int[] reciprocals, final byte[] codebook) {
            CpuKernels.setCodec(handle, layer, isValues, means, scales, steps, reciprocals, codebook);
        }
    }
}
