package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.NanoClock;

/**
 * The watch over a kernel that stays, and the stream that it is on: an answer that does not come within the limit, or a
 * driver that says so, and the GPU is lost. Who waits for an answer says so at each look at its word; the driver is
 * called only where that is late.
 *
 * <p>One thread at a time. Allocates in its constructor only, but for what a loss throws.
 */
final class KernelWatch {

    /** Looks at a word between two at the clock: some 20 us. */
    private static final int LOOKS = 1024;
    private static final long QUERY_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final CudaDevice device;
    private final NanoClock clock;
    private final long limitNs;
    private final LaunchStream stream;
    /** 0 while none is there. */
    private int blocks;
    private long waitingSinceNs;
    private long queriedNs;

    /** @throws CudaException if the driver fails. */
    KernelWatch(final CudaModel model) {
        device = model.device();
        clock = model.clock();
        limitNs = model.answerLimitNs();
        stream = new LaunchStream(device, clock, limitNs);
    }

    long stream() {
        return stream.handle();
    }

    boolean isRunning() {
        return blocks > 0;
    }

    boolean isLost() {
        return stream.isLost();
    }

    /** Of so many blocks in all. */
    void onBegun(final int ofBlocks) {
        blocks = ofBlocks;
        device.onKernelBegun(blocks);
    }

    /**
     * A word has been looked at so often, from 1 on, and does not belong to a request yet.
     *
     * @throws DeviceLostException if that takes too long.
     */
    void onLook(final int looks, final int sequence) {
        if (looks % LOOKS == 0) {
            watch(looks == LOOKS, sequence);
        }
    }

    /**
     * Waits for the kernel to end, which it has been asked to.
     *
     * @throws CudaException if it does not.
     */
    void awaitEnd() {
        device.makeCurrent();
        final long begunNs = clock.nanoTime();
        int code = CudaDriver.streamQuery(stream.handle());
        while (code == CudaDriver.NOT_READY && clock.nanoTime() - begunNs < limitNs) {
            Thread.yield();
            code = CudaDriver.streamQuery(stream.handle());
        }
        CudaDriver.check(code, "cuStreamQuery, for the kernel to end");
        final int ended = blocks;
        blocks = 0;
        device.onKernelEnded(ended);
    }

    /** The device is from here on; to be thrown. */
    DeviceLostException lost(final String what, final Throwable cause) {
        return stream.lost(what, cause);
    }

    /** Of a device that is there, and a kernel that has ended. */
    void destroy() {
        stream.destroy();
    }

    /** An answer is late: other threads may go first, the driver is asked, and in the end it is too late. */
    private void watch(final boolean isFirst, final int sequence) {
        final long nowNs = clock.nanoTime();
        if (isFirst) {
            waitingSinceNs = nowNs;
            queriedNs = nowNs;
        }
        if (nowNs - queriedNs >= QUERY_INTERVAL_NS) {
            queriedNs = nowNs;
            try {
                device.makeCurrent();
                final int code = CudaDriver.streamQuery(stream.handle());
                if (code != CudaDriver.NOT_READY) {
                    CudaDriver.check(code, "cuStreamQuery, while an answer is waited for");
                    throw new CudaException("the kernel has ended by itself");
                }
            } catch (final CudaException ex) {
                throw lost(ex.getMessage(), ex);
            }
        }
        if (nowNs - waitingSinceNs >= limitNs) {
            throw lost("no answer to request " + Integer.toUnsignedString(sequence) + " within " +
                    TimeUnit.NANOSECONDS.toMillis(limitNs) + " ms", null);
        }
        Thread.yield();
    }
}
