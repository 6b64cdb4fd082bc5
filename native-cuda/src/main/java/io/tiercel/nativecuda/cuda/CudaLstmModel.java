package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmLayerParameters;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.lstm.LstmStateLayout;
import io.tiercel.protocol.journal.Arithmetic;
import org.agrona.concurrent.NanoClock;

/**
 * An {@code lstm} bundle in a GPU's memory, packed for the way in which its units are shared out there. Immutable; to
 * be closed after its executors, each of which has a kernel of its own on the GPU.
 *
 * <p>A session's canonical state is the host's. The derived part of it is a note of where the GPU has a copy:
 * {@link CudaLstmExecutor}.
 */
final class CudaLstmModel implements Model {

    private final CudaDevice device;
    private final NanoClock clock;
    private final long answerLimitNs;
    private final boolean isInt4;
    private final LstmStateLayout layout;
    private final ModelShape shape;
    private final int layerCount;
    private final int hiddenCount;
    private final int[] sizes = new int[CudaDriver.LSTM_SIZES];
    private CudaDevice.Memory weights;
    private long handle;
    private boolean isClosed;

    /**
     * @param device released by {@link #close}, and if this fails.
     * @throws CudaException if it does not fit, or the driver fails.
     */
    CudaLstmModel(
            final LstmParameters parameters, final CudaDevice device, final NanoClock clock, final long answerLimitNs) {
        this.device = device;
        this.clock = clock;
        this.answerLimitNs = answerLimitNs;
        isInt4 = parameters.layerFormat() == WeightFormat.INT4;
        layerCount = parameters.layerCount();
        hiddenCount = parameters.hiddenCount();
        layout = new LstmStateLayout(layerCount, hiddenCount, 0);
        shape = new ModelShape(LstmParameters.FAMILY, parameters.featureCount(), parameters.outputCount(),
                layout.canonicalBytes() + StateCopies.NOTE_BYTES, layout.canonicalBytes());
        try {
            pack(parameters);
            weights = device.newWeights(CudaDriver.lstmData(handle), CudaDriver.lstmBytes(handle));
        } catch (final CudaException ex) {
            close();
            throw ex;
        }
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    @Override
    public Arithmetic arithmetic() {
        return Arithmetic.EXACT;
    }

    /** @throws DeviceLostException if the kernel cannot begin, or does not answer. */
    @Override
    public ModelExecutor newExecutor(final int maxBatch) {
        return newExecutor(maxBatch, PersistentKernel.FIRST_SEQUENCE);
    }

    /** With requests numbered from one on, if it is by a kernel that stays. */
    ModelExecutor newExecutor(final int maxBatch, final int firstSequence) {
        try {
            device.checkIsThere();
            return sizes[CudaDriver.IS_PERSISTENT] == 0
                    ? new LaunchedLstmExecutor(this, maxBatch)
                    : new CudaLstmExecutor(this, maxBatch, firstSequence);
        } catch (final CudaException ex) {
            throw new DeviceLostException(ex.getMessage(), ex);
        }
    }

    /** A second call does nothing. */
    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        if (handle != 0) {
            CudaDriver.deleteLstm(handle);
        }
        device.leaveOnFailure(() -> {
            device.freeAll(weights);
            device.release();
        });
    }

    CudaDevice device() {
        return device;
    }

    NanoClock clock() {
        return clock;
    }

    long answerLimitNs() {
        return answerLimitNs;
    }

    LstmStateLayout layout() {
        return layout;
    }

    int layerCount() {
        return layerCount;
    }

    int hiddenCount() {
        return hiddenCount;
    }

    /** By the indices of {@link CudaDriver}. */
    int size(final int index) {
        return sizes[index];
    }

    /** Begins the kernel on a stream; the addresses are the GPU's. */
    void launch(
            final long stream, final long requests, final long responses, final int places, final int firstSequence,
            final long exchange, final long sessions) {
        final long kernel = device.kernels(isInt4).persistent();
        allowSharedMemory(kernel);
        CudaDriver.check(
                CudaDriver.launch(handle, kernel, stream, weights.deviceAddress(), requests, responses, places,
                        firstSequence, exchange, sessions),
                "cuLaunchCooperativeKernel(" + geometry() + ")");
    }

    /** Before {@link #launchBatch}. */
    void prepareBatches() {
        allowSharedMemory(device.kernels(isInt4).ahead());
        allowSharedMemory(device.kernels(isInt4).step());
    }

    /** The work ahead of each position's step, then the step; the table of positions is at the GPU's address. */
    void launchBatch(final long stream, final long positions, final int count) {
        final CudaDevice.Kernels kernels = device.kernels(isInt4);
        CudaDriver.check(
                CudaDriver.launchBatch(handle, kernels.ahead(), stream, weights.deviceAddress(), positions,
                        sizes[CudaDriver.BLOCKS], count),
                "cuLaunchKernel(ahead)");
        CudaDriver.check(
                CudaDriver.launchBatch(handle, kernels.step(), stream, weights.deviceAddress(), positions, 1, count),
                "cuLaunchKernel(step)");
    }

    private void allowSharedMemory(final long kernel) {
        CudaDevice.allowSharedMemory(kernel, sizes[CudaDriver.SHARED_BYTES], geometry());
    }

    private String geometry() {
        return "blocks=" + sizes[CudaDriver.BLOCKS] + " threads=" + sizes[CudaDriver.THREADS] + " sharedBytes=" +
                sizes[CudaDriver.SHARED_BYTES];
    }

    private void pack(final LstmParameters parameters) {
        handle = CudaDriver.newLstm(layerCount, hiddenCount, parameters.featureCount(), parameters.outputCount(),
                flag(parameters.layerFormat()), flag(parameters.headFormat()), parameters.hasSoftmax() ? 1 : 0,
                parameters.featureMaximum(), device.sharedBytes(), device.multiprocessors());
        if (handle == 0) {
            throw new CudaException("no memory to pack layers=" + layerCount + " hidden=" + hiddenCount);
        }
        CudaDriver.lstmSizes(handle, sizes);
        if (sizes[CudaDriver.BLOCKS] == 0) {
            throw new CudaException("layers=" + layerCount + " hidden=" + hiddenCount + " features=" +
                    parameters.featureCount() + " need sharedBytes=" + sizes[CudaDriver.SHARED_BYTES] +
                    " a block, and " + device.name() + " has " + device.sharedBytes());
        }
        CudaDriver.setFeatures(handle, parameters.featureMeans(), parameters.inverseFeatureDeviations(),
                parameters.inverseFeatureScale());
        for (int i = 0; i < layerCount; i++) {
            final LstmLayerParameters layer = parameters.layer(i);
            CudaDriver.setLayer(handle, i,
                    layer.input().codes(), layer.input().multipliers(), layer.inputScales(),
                    layer.recurrent().codes(), layer.recurrent().multipliers(), layer.recurrentScales(),
                    layer.biases(), layer.inverseHiddenScale());
        }
        CudaDriver.setHead(handle, parameters.head().codes(), parameters.head().multipliers(),
                parameters.headScales(), parameters.headBiases());
    }

    private static int flag(final WeightFormat format) {
        return format == WeightFormat.INT4 ? 1 : 0;
    }
}
