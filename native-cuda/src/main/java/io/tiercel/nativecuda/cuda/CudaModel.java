package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.protocol.journal.Arithmetic;
import java.util.function.Supplier;
import org.agrona.concurrent.NanoClock;

/**
 * A bundle packed for a GPU and copied into its memory: what models of all families have in common. Immutable once it
 * is packed; to be closed after its executors.
 */
abstract class CudaModel implements Model {

    private final CudaDevice device;
    private final NanoClock clock;
    private final DeviceSettings settings;
    private final ModelShape shape;
    private CudaDevice.Memory weights;
    private boolean isClosed;

    /** @param device released by {@link #close}. */
    CudaModel(
            final ModelShape shape, final CudaDevice device, final NanoClock clock, final DeviceSettings settings) {
        this.shape = shape;
        this.device = device;
        this.clock = clock;
        this.settings = settings;
    }

    /** How its steps are made, for people. */
    abstract String wayName();

    /**
     * For one position, and no more sessions than that takes: to be measured.
     *
     * @throws DeviceLostException if it cannot begin, or does not answer.
     */
    abstract ModelExecutor newTrialExecutor();

    /** Frees what the model was packed in on the host, if it is there. */
    abstract void deletePacked();

    @Override
    public final ModelShape shape() {
        return shape;
    }

    @Override
    public final Arithmetic arithmetic() {
        return Arithmetic.EXACT;
    }

    /** A second call does nothing. */
    @Override
    public final void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        deletePacked();
        device.leaveOnFailure(() -> {
            device.freeAll(weights);
            device.release();
        });
    }

    /** Packs the model and copies it; if that fails everything is given back, the device too. */
    final void place(final Runnable packing, final Supplier<CudaDevice.Memory> copying) {
        try {
            packing.run();
            weights = copying.get();
        } catch (final CudaException ex) {
            close();
            throw ex;
        }
    }

    /** @throws DeviceLostException in place of what the driver throws. */
    final <T extends ModelExecutor> T make(final Supplier<T> executor) {
        try {
            device.checkIsThere();
            return executor.get();
        } catch (final CudaException ex) {
            throw new DeviceLostException(ex.getMessage(), ex);
        }
    }

    final CudaDevice device() {
        return device;
    }

    final NanoClock clock() {
        return clock;
    }

    final DeviceMode mode() {
        return settings.mode();
    }

    final long answerLimitNs() {
        return settings.answerLimitNs();
    }

    /** Of the GPU. */
    final long weightsAddress() {
        return weights.deviceAddress();
    }
}
