package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.lstm.LstmStateLayout;
import org.agrona.BitUtil;
import org.agrona.UnsafeApi;

/**
 * Steps of a model that is too large to be kept in the GPU's shared memory: for each batch kernels are launched, which
 * read the weights from the GPU's memory. Features and canonical states go there, outputs and states come back; the GPU
 * keeps nothing of a session, so the work ahead is computed before the step, and there is nothing to be restored.
 *
 * <p>One thread. Allocates in its constructor only, but for what a loss throws. Not usable after {@link #close}.
 */
final class LaunchedLstmExecutor extends DueStateExecutor {

    /** Addresses of features, state and outputs. */
    private static final int POSITION_BYTES = 3 * Long.BYTES;
    private static final int VECTOR_ALIGNMENT = 16;

    private final CudaLstmModel model;
    private final CudaDevice device;
    private final int featureBytes;
    private final int outputBytes;
    private final int featureStride;
    private final int stateStride;
    private final int outputStride;
    /** Of the host, for the way there and back; and of the GPU. Features, states and outputs of each position. */
    private CudaDevice.Memory hostFeatures;
    private CudaDevice.Memory hostStates;
    private CudaDevice.Memory hostOutputs;
    private CudaDevice.Memory features;
    private CudaDevice.Memory states;
    private CudaDevice.Memory outputs;
    private CudaDevice.Memory positions;
    private LaunchStream stream;
    private boolean isClosed;

    /** @throws CudaException if the driver fails; then nothing is left behind. */
    LaunchedLstmExecutor(final CudaLstmModel model, final int maxBatch) {
        super(model, maxBatch);
        this.model = model;
        device = model.device();
        featureBytes = model.shape().featureCount() * Float.BYTES;
        outputBytes = model.shape().outputCount() * Float.BYTES;
        featureStride = BitUtil.align(featureBytes, VECTOR_ALIGNMENT);
        stateStride = BitUtil.align(model.size(CudaDriver.STATE_BYTES), LstmStateLayout.ALIGNMENT);
        outputStride = BitUtil.align(outputBytes, VECTOR_ALIGNMENT);
        try {
            allocate(maxBatch);
            writePositions(maxBatch);
        } catch (final CudaException ex) {
            close();
            throw ex;
        }
    }

    @Override
    public void step(final StepBatch batch) {
        final int size = batch.size();
        due.begin(size, isClosed);
        if (size == 0) {
            return;
        }
        for (int i = 0; i < size; i++) {
            UnsafeApi.copyMemory(batch.featuresAddress(i), hostFeatures.hostAddress() + (long) i * featureStride,
                    featureBytes);
            UnsafeApi.copyMemory(batch.stateAddress(i), hostStates.hostAddress() + (long) i * stateStride,
                    canonicalBytes);
        }
        try {
            launch(size);
            stream.await();
        } catch (final CudaException ex) {
            throw stream.lost(ex.getMessage(), ex);
        }
        for (int i = 0; i < size; i++) {
            UnsafeApi.copyMemory(hostOutputs.hostAddress() + (long) i * outputStride, batch.outputsAddress(i),
                    outputBytes);
            due.add(batch.stateAddress(i));
        }
    }

    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        if (stream != null && stream.isLost()) {
            return;
        }
        device.leaveOnFailure(() -> {
            if (stream != null) {
                stream.destroy();
            }
            device.freeAll(hostFeatures, hostStates, hostOutputs, features, states, outputs, positions);
        });
    }

    private void allocate(final int maxBatch) {
        hostFeatures = device.newSharedMemory((long) maxBatch * featureStride, "features on their way");
        hostStates = device.newSharedMemory((long) maxBatch * stateStride, "states on their way");
        hostOutputs = device.newSharedMemory((long) maxBatch * outputStride, "outputs on their way");
        features = device.newMemory((long) maxBatch * featureStride, "features");
        states = device.newMemory((long) maxBatch * stateStride, "states of a batch");
        outputs = device.newMemory((long) maxBatch * outputStride, "outputs");
        positions = device.newSharedMemory((long) maxBatch * POSITION_BYTES, "positions of a batch");
        stream = new LaunchStream(device, model.clock(), model.answerLimitNs());
        model.prepareBatches();
    }

    /** The same for each batch. */
    private void writePositions(final int maxBatch) {
        for (int i = 0; i < maxBatch; i++) {
            final long position = positions.hostAddress() + (long) i * POSITION_BYTES;
            UnsafeApi.putLong(position, features.deviceAddress() + (long) i * featureStride);
            UnsafeApi.putLong(position + Long.BYTES, states.deviceAddress() + (long) i * stateStride);
            UnsafeApi.putLong(position + 2 * Long.BYTES, outputs.deviceAddress() + (long) i * outputStride);
        }
    }

    private void launch(final int size) {
        device.makeCurrent();
        stream.copyTo(features.deviceAddress(), hostFeatures.hostAddress(), (long) size * featureStride,
                "cuMemcpyHtoDAsync, of features");
        stream.copyTo(states.deviceAddress(), hostStates.hostAddress(), (long) size * stateStride,
                "cuMemcpyHtoDAsync, of states");
        model.launchBatch(stream.handle(), positions.deviceAddress(), size);
        stream.copyFrom(outputs.deviceAddress(), hostOutputs.hostAddress(), (long) size * outputStride,
                "cuMemcpyDtoHAsync, of outputs");
        stream.copyFrom(states.deviceAddress(), hostStates.hostAddress(), (long) size * stateStride,
                "cuMemcpyDtoHAsync, of states");
    }

    @Override
    void takeState(final int position, final long stateAddress) {
        UnsafeApi.copyMemory(hostStates.hostAddress() + (long) position * stateStride, stateAddress, canonicalBytes);
    }
}
