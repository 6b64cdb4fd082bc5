package io.tiercel.nativecuda.cpu;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StateMemory;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmLayerParameters;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.lstm.LstmStateLayout;
import io.tiercel.protocol.journal.Arithmetic;

/**
 * An {@code lstm} bundle on one kernel set: weights packed for its instruction set, in native memory, in huge pages
 * where the system gives them. Immutable; to be closed after its executors.
 */
public final class CpuLstmModel implements Model {

    /** Whether an executor uses all of its threads, or as many as it finds to be fastest. */
    public enum Teamwork {
        ALWAYS, WHEN_FASTER
    }

    private final KernelSet kernels;
    private final int threads;
    private final Teamwork teamwork;
    private final ModelShape shape;
    private final LstmStateLayout layout;
    private long handle;

    /**
     * @param threads the most threads of one executor, its caller included.
     * @throws IllegalStateException if there is no memory for the weights.
     */
    public CpuLstmModel(
            final LstmParameters parameters, final KernelSet kernels, final int threads, final Teamwork teamwork) {
        this.kernels = kernels;
        this.threads = threads;
        this.teamwork = teamwork;
        CpuKernels.loadLibrary();
        handle = CpuKernels.newLstm(kernels.bit(), parameters.layerCount(), parameters.hiddenCount(),
                parameters.featureCount(), parameters.outputCount(), flag(parameters.layerFormat()),
                flag(parameters.headFormat()), parameters.hasSoftmax() ? 1 : 0, parameters.featureMaximum());
        if (handle == 0) {
            throw new IllegalStateException("no memory for the weights of layers=" + parameters.layerCount() +
                    " hidden=" + parameters.hiddenCount());
        }
        pack(parameters);
        layout = new LstmStateLayout(parameters.layerCount(), parameters.hiddenCount(),
                CpuKernels.aheadFloats(handle));
        shape = new ModelShape(LstmParameters.FAMILY, parameters.featureCount(), parameters.outputCount(),
                layout.stateBytes(), layout.canonicalBytes());
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
    public StateMemory newStateMemory(final long bytes) {
        return new CpuStateMemory(bytes);
    }

    @Override
    public ModelExecutor newExecutor(final int maxBatch) {
        return newCpuExecutor(maxBatch);
    }

    /** {@link #newExecutor}, with what only this backend's can tell. */
    public CpuLstmExecutor newCpuExecutor(final int maxBatch) {
        return new CpuLstmExecutor(handle, layout, shape.featureCount(), maxBatch, threads, teamwork);
    }

    public KernelSet kernels() {
        return kernels;
    }

    /** Bytes of weights that a step reads. */
    public long stepBytes() {
        return CpuKernels.stepBytes(handle);
    }

    /** Bytes of weights that the work ahead of a step reads. */
    public long aheadBytes() {
        return CpuKernels.aheadBytes(handle);
    }

    @Override
    public void close() {
        if (handle != 0) {
            CpuKernels.deleteLstm(handle);
            handle = 0;
        }
    }

    private void pack(final LstmParameters parameters) {
        CpuKernels.setFeatures(handle, parameters.featureMeans(), parameters.inverseFeatureDeviations(),
                parameters.inverseFeatureScale());
        for (int i = 0; i < parameters.layerCount(); i++) {
            final LstmLayerParameters layer = parameters.layer(i);
            CpuKernels.setLayer(handle, i,
                    layer.input().codes(), layer.input().multipliers(), layer.inputScales(),
                    layer.recurrent().codes(), layer.recurrent().multipliers(), layer.recurrentScales(),
                    layer.biases(), layer.inverseHiddenScale());
        }
        CpuKernels.setHead(handle, parameters.head().codes(), parameters.head().multipliers(),
                parameters.headScales(), parameters.headBiases());
    }

    private static int flag(final WeightFormat format) {
        return format == WeightFormat.INT4 ? 1 : 0;
    }
}
