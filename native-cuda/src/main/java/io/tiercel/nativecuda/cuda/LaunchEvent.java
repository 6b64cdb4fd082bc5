package io.tiercel.nativecuda.cuda;

/** A place in a stream, to be waited for while more is behind it. One thread. */
final class LaunchEvent {

    private final long handle;

    /** @throws CudaException if the driver fails. */
    LaunchEvent() {
        final long[] created = new long[1];
        CudaDriver.check(CudaDriver.eventCreate(created, CudaDriver.EVENT_DISABLE_TIMING), "cuEventCreate");
        handle = created[0];
    }

    /** The place is behind all that stands in the stream. */
    void record(final LaunchStream stream) {
        CudaDriver.check(CudaDriver.eventRecord(handle, stream.handle()), "cuEventRecord");
    }

    /** A code of the driver: whether the GPU has come to the place. */
    int query() {
        return CudaDriver.eventQuery(handle);
    }

    void destroy() {
        CudaDriver.check(CudaDriver.eventDestroy(handle), "cuEventDestroy");
    }
}
