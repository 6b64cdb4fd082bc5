package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.NanoClock;

/**
 * A stream on which an executor copies and launches, and waits for all of it: a GPU that is not through within the
 * limit, or whose driver says so, is lost. One thread. Allocates in its constructor only, but for what a loss throws.
 */
final class LaunchStream {

    private final CudaDevice device;
    private final NanoClock clock;
    private final long limitNs;
    private final long handle;
    private boolean isLost;

    /** @throws CudaException if the driver fails. */
    LaunchStream(final CudaDevice device, final NanoClock clock, final long limitNs) {
        this.device = device;
        this.clock = clock;
        this.limitNs = limitNs;
        final long[] created = new long[1];
        device.makeCurrent();
        CudaDriver.check(CudaDriver.streamCreate(created, CudaDriver.STREAM_NON_BLOCKING), "cuStreamCreate");
        handle = created[0];
    }

    /** As the driver has it. */
    long handle() {
        return handle;
    }

    boolean isLost() {
        return isLost;
    }

    /** From memory of the host. */
    void copyTo(final long deviceAddress, final long hostAddress, final long bytes, final String what) {
        CudaDriver.check(CudaDriver.memcpyHtoDAsync(deviceAddress, hostAddress, bytes, handle), what);
    }

    /** To pinned memory of the host. */
    void copyFrom(final long deviceAddress, final long hostAddress, final long bytes, final String what) {
        CudaDriver.check(CudaDriver.memcpyDtoHAsync(hostAddress, deviceAddress, bytes, handle), what);
    }

    /**
     * Waits for what stands in the stream.
     *
     * @throws CudaException       with what the driver says.
     * @throws DeviceLostException if it takes too long.
     */
    void await() {
        await(null);
    }

    /** As {@link #await()}, for what stood there when the event was recorded; for all if there is none. */
    void await(final LaunchEvent event) {
        final long begunNs = clock.nanoTime();
        int code = query(event);
        while (code == CudaDriver.NOT_READY) {
            if (clock.nanoTime() - begunNs >= limitNs) {
                throw lost("no answer to a batch within " + TimeUnit.NANOSECONDS.toMillis(limitNs) + " ms", null);
            }
            Thread.onSpinWait();
            code = query(event);
        }
        CudaDriver.check(code, event == null
                ? "cuStreamQuery, while a batch is waited for"
                : "cuEventQuery, while a batch is waited for");
    }

    private int query(final LaunchEvent event) {
        return event == null ? CudaDriver.streamQuery(handle) : event.query();
    }

    /** The device is from here on; to be thrown. */
    DeviceLostException lost(final String what, final Throwable cause) {
        isLost = true;
        device.lose();
        return new DeviceLostException(device.name() + ": " + what, cause);
    }

    /** Of a device that is there. */
    void destroy() {
        device.makeCurrent();
        CudaDriver.check(CudaDriver.streamDestroy(handle), "cuStreamDestroy");
    }
}
