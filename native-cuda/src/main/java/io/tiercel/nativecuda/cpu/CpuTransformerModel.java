package io.tiercel.nativecuda.cpu;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StateMemory;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.matrix.MatrixParameters;
import io.tiercel.appliance.engine.transformer.CodecParameters;
import io.tiercel.appliance.engine.transformer.FeatureParameters;
import io.tiercel.appliance.engine.transformer.TransformerLayerParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.engine.transformer.TransformerShape;
import io.tiercel.appliance.engine.transformer.TransformerStateLayout;
import io.tiercel.nativecuda.TransformerSizes;
import io.tiercel.protocol.journal.Arithmetic;

/**
 * A {@code transformer} bundle on one kernel set: weights packed for its instruction set, in native memory, in huge
 * pages where the system gives them. Immutable; to be closed after its executors.
 */
public final class CpuTransformerModel implements Model {

    /** As {@code enum tiercel_transformer_matrix} has them. */
    private enum Matrix {
        EMBEDDING, HEAD, ATTENTION_INPUT, ATTENTION_OUTPUT, ROUTER, EXPERT_INPUT, EXPERT_OUTPUT
    }

    /** As {@code enum tiercel_transformer_vector} has them. */
    private enum Vector {
        FINAL_NORM, HEAD_BIASES, ROTARY_CIRCLE, FEATURE_MEANS, FEATURE_DEVIATIONS, EMBEDDING_BIASES, ATTENTION_NORM,
        FEED_NORM
    }

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
        pack(parameters);
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

    private void pack(final TransformerParameters parameters) {
        set(0, Matrix.EMBEDDING, 0, parameters.embedding());
        set(0, Matrix.HEAD, 0, parameters.head());
        set(0, Vector.FINAL_NORM, parameters.finalNorm());
        set(0, Vector.ROTARY_CIRCLE, parameters.rotary().circle());
        CpuKernels.setRotarySteps(handle, parameters.rotary().steps());
        if (parameters.headBiases() != null) {
            set(0, Vector.HEAD_BIASES, parameters.headBiases());
        }
        final FeatureParameters features = parameters.features();
        if (features != null) {
            set(0, Vector.FEATURE_MEANS, features.means());
            set(0, Vector.FEATURE_DEVIATIONS, features.inverseDeviations());
            set(0, Vector.EMBEDDING_BIASES, features.biases());
        }
        for (int i = 0; i < parameters.shape().layers(); i++) {
            pack(i, parameters.layer(i), parameters.shape());
        }
    }

    private void pack(final int index, final TransformerLayerParameters layer, final TransformerShape sizes) {
        set(index, Vector.ATTENTION_NORM, layer.attentionNorm());
        set(index, Matrix.ATTENTION_INPUT, 0, layer.attentionInput());
        set(index, Matrix.ATTENTION_OUTPUT, 0, layer.attentionOutput());
        set(index, 0, layer.keys());
        set(index, 1, layer.values());
        set(index, Vector.FEED_NORM, layer.feedNorm());
        if (layer.router() != null) {
            set(index, Matrix.ROUTER, 0, layer.router());
        }
        for (int expert = 0; expert < sizes.feedForwards(); expert++) {
            set(index, Matrix.EXPERT_INPUT, expert, layer.expertInput(expert));
            set(index, Matrix.EXPERT_OUTPUT, expert, layer.expertOutput(expert));
        }
    }

    private void set(final int layer, final Matrix which, final int expert, final MatrixParameters matrix) {
        CpuKernels.setTransformerMatrix(handle, layer, which.ordinal(), expert, matrix.codes(), matrix.lowCodes(),
                matrix.multipliers(), matrix.rowScales());
    }

    private void set(final int layer, final Vector which, final float[] values) {
        CpuKernels.setTransformerVector(handle, layer, which.ordinal(), values);
    }

    private void set(final int layer, final int isValues, final CodecParameters codec) {
        CpuKernels.setCodec(handle, layer, isValues, codec.means(), codec.scales(), codec.steps(), codec.reciprocals(),
                codec.codebook());
    }
}
