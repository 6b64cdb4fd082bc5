package io.tiercel.nativecuda.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The first GPU that the driver names ({@code CUDA_VISIBLE_DEVICES} says which one that is), with the kernels loaded
 * into it: one for the process, for as long as somebody uses it. Any thread, but not on the path of a request.
 *
 * <p>To free memory the driver waits for every kernel, and one that stays would let it wait forever. So what is freed
 * while one is there is kept until there is none. Of a lost GPU nothing is freed or unloaded: a kernel that has not
 * been seen to end may still write to memory that it was given.
 */
final class CudaDevice {

    /** Host memory that the GPU reaches, with its addresses for either; of memory of the GPU's own the first is 0. */
    record Memory(long hostAddress, long deviceAddress) {
    }

    /**
     * Functions of the lstm family for one width of weights: those that stay, and those launched for a batch.
     *
     * @param cluster 0 where the GPU has no clusters.
     */
    record Kernels(long persistent, long cluster, long step, long ahead) {
    }

    /** Those for any: sessions' states brought and given back, and what stays and computes nothing. */
    record CommonKernels(long bring, long settle, long pingPong) {
    }

    /** Functions of the transformer family: launched for batches, and for rows of steps; and that which stays. */
    record TransformerKernels(long step, long ahead, long steps, long persistent) {
    }

    private static final Logger LOG = LoggerFactory.getLogger(CudaDevice.class);
    private static final String IMAGE = "kernels.fatbin";
    private static final int NAME_LENGTH = 128;
    /** Of compute capabilities, times ten. */
    private static final int FIRST_WITH_CLUSTERS = 90;

    /** Under the class's lock, as its users are. */
    private static CudaDevice shared;

    private final int ordinal;
    private final String name;
    private final int capability;
    private final int multiprocessors;
    private final int sharedBytes;
    private final int driverVersion;
    private final long context;
    private final long module;
    private final Kernels int8Kernels;
    private final Kernels int4Kernels;
    private final CommonKernels commonKernels;
    /** Null if a kernel may. */
    private final String obstacleToStaying;
    private final TransformerKernels transformerKernels;
    private final List<Runnable> toBeFreed = new ArrayList<>();
    private int users;
    private int runningKernels;
    /** Of those that stay: a block each, as far as anybody may rely on. */
    private int takenMultiprocessors;
    private boolean isLost;

    private CudaDevice() {
        CudaDriver.open();
        CudaDriver.check(CudaDriver.init(0), "cuInit");
        final int[] number = new int[1];
        CudaDriver.check(CudaDriver.driverGetVersion(number), "cuDriverGetVersion");
        driverVersion = number[0];
        CudaDriver.check(CudaDriver.deviceGetCount(number), "cuDeviceGetCount");
        if (number[0] == 0) {
            throw new CudaException("the driver has no GPU to offer");
        }
        CudaDriver.check(CudaDriver.deviceGet(number, 0), "cuDeviceGet(0)");
        ordinal = number[0];
        final byte[] text = new byte[NAME_LENGTH];
        CudaDriver.check(CudaDriver.deviceGetName(text, text.length, ordinal), "cuDeviceGetName(0)");
        name = new String(text, StandardCharsets.UTF_8).replaceFirst("\0.*", "");
        capability = 10 * attribute(CudaDriver.COMPUTE_CAPABILITY_MAJOR) +
                attribute(CudaDriver.COMPUTE_CAPABILITY_MINOR);
        multiprocessors = attribute(CudaDriver.MULTIPROCESSOR_COUNT);
        sharedBytes = attribute(CudaDriver.MAX_SHARED_BYTES_OF_BLOCK);
        obstacleToStaying = findObstacleToStaying();
        final byte[] image = image();
        final long[] handle = new long[1];
        CudaDriver.check(CudaDriver.devicePrimaryCtxRetain(handle, ordinal), "cuDevicePrimaryCtxRetain(" + name + ")");
        context = handle[0];
        try {
            makeCurrent();
            CudaDriver.check(CudaDriver.moduleLoadData(handle, image),
                    "cuModuleLoadData(" + IMAGE + ") for " + name + " of compute capability " + capabilityText());
            module = handle[0];
            int8Kernels = kernels("int8");
            int4Kernels = kernels("int4");
            commonKernels = new CommonKernels(kernel("tiercel_lstm_bring"), kernel("tiercel_lstm_settle"),
                    kernel("tiercel_lstm_ping_pong"));
            transformerKernels =
                    new TransformerKernels(kernel("tiercel_transformer_step"), kernel("tiercel_transformer_ahead"),
                            kernel("tiercel_transformer_steps"), kernel("tiercel_transformer_persistent"));
        } catch (final CudaException ex) {
            // With the last one who has retained it the context goes, and with that the module.
            CudaDriver.devicePrimaryCtxRelease(ordinal);
            throw ex;
        }
    }

    /**
     * The device, to be given back by {@link #release}. Its kernels are loaded before any of them stays, since the
     * driver may have to wait for those to load others.
     *
     * @throws CudaException with what stands against it.
     */
    static synchronized CudaDevice retain() {
        if (shared == null) {
            shared = new CudaDevice();
        }
        shared.checkIsThere();
        shared.users++;
        return shared;
    }

    /** The last one to give it back unloads the kernels, unless one may still be there. */
    void release() {
        synchronized (CudaDevice.class) {
            if (--users > 0) {
                return;
            }
            shared = shared == this ? null : shared;
            if (!isAbandoned()) {
                makeCurrent();
                CudaDriver.check(CudaDriver.moduleUnload(module), "cuModuleUnload(" + IMAGE + ")");
                CudaDriver.check(CudaDriver.devicePrimaryCtxRelease(ordinal), "cuDevicePrimaryCtxRelease");
            }
        }
    }

    /** For people, with the driver's version. */
    String description() {
        return name + ", compute capability " + capabilityText() + ", " + multiprocessors +
                " multiprocessors, driver for CUDA " + driverVersion / 1000 + "." + driverVersion % 1000 / 10 +
                (obstacleToStaying == null ? "" : ", no kernel stays: " + obstacleToStaying);
    }

    String name() {
        return name;
    }

    int multiprocessors() {
        return multiprocessors;
    }

    /** Shared memory that a block may ask for. */
    int sharedBytes() {
        return sharedBytes;
    }

    Kernels kernels(final boolean isInt4) {
        return isInt4 ? int4Kernels : int8Kernels;
    }

    CommonKernels commonKernels() {
        return commonKernels;
    }

    /** Whether blocks can be clusters, by these kernels. */
    boolean hasClusters() {
        return int8Kernels.cluster() != 0;
    }

    /** Why no kernel can stay on this GPU; null if one can. */
    String obstacleToStaying() {
        return obstacleToStaying;
    }

    TransformerKernels transformerKernels() {
        return transformerKernels;
    }

    /** Before a launch that asks for any: as much as there is, since it is a limit of the kernel, for all models. */
    void allowSharedMemory(final long kernel, final String what) {
        CudaDriver.check(CudaDriver.funcSetAttribute(kernel, CudaDriver.MAX_DYNAMIC_SHARED_BYTES, sharedBytes),
                "cuFuncSetAttribute(" + what + ")");
    }

    /** A packed model, copied there. */
    Memory newWeights(final long hostAddress, final long bytes) {
        final Memory weights = newMemory(bytes, "weights");
        try {
            CudaDriver.check(CudaDriver.memcpyHtoD(weights.deviceAddress(), hostAddress, bytes),
                    "cuMemcpyHtoD(" + bytes + " bytes) of weights");
            // From memory that is not pinned the copy may still be on its way; other streams do not wait for it.
            CudaDriver.check(CudaDriver.streamSynchronize(CudaDriver.NULL_STREAM), "cuStreamSynchronize, of weights");
        } catch (final CudaException ex) {
            free(weights);
            throw ex;
        }
        return weights;
    }

    /** For the calling thread, before it calls the driver. */
    void makeCurrent() {
        CudaDriver.check(CudaDriver.ctxSetCurrent(context), "cuCtxSetCurrent");
    }

    /** Memory of the GPU, not zeroed. */
    Memory newMemory(final long bytes, final String what) {
        final long[] address = new long[1];
        makeCurrent();
        CudaDriver.check(CudaDriver.memAlloc(address, bytes), "cuMemAlloc(" + bytes + " bytes) for " + what);
        return new Memory(0, address[0]);
    }

    /** Pinned memory of the host that the GPU reaches too, not zeroed. */
    Memory newSharedMemory(final long bytes, final String what) {
        final long[] address = new long[1];
        makeCurrent();
        CudaDriver.check(
                CudaDriver.memHostAlloc(
                        address, bytes, CudaDriver.HOST_MEMORY_PORTABLE | CudaDriver.HOST_MEMORY_MAPPED),
                "cuMemHostAlloc(" + bytes + " bytes) for " + what);
        final long hostAddress = address[0];
        final int code = CudaDriver.memHostGetDevicePointer(address, hostAddress, 0);
        if (code != CudaDriver.SUCCESS) {
            free(new Memory(hostAddress, 0));
        }
        CudaDriver.check(code, "cuMemHostGetDevicePointer for " + what);
        return new Memory(hostAddress, address[0]);
    }

    /** At once, or when no kernel is there any more. */
    void free(final Memory memory) {
        free(() -> {
            if (memory.hostAddress() == 0) {
                CudaDriver.check(CudaDriver.memFree(memory.deviceAddress()), "cuMemFree");
            } else {
                CudaDriver.check(CudaDriver.memFreeHost(memory.hostAddress()), "cuMemFreeHost");
            }
        });
    }

    /** Something else that the driver may wait for all kernels with, in the same way. */
    synchronized void free(final Runnable freeing) {
        toBeFreed.add(freeing);
        freeIfNobodyWrites();
    }

    /** As {@link #free} of each that is not null. */
    void freeAll(final Memory... memories) {
        for (final Memory memory : memories) {
            if (memory != null) {
                free(memory);
            }
        }
    }

    /** Gives something back to the driver; if that fails, everything is left as it is, and the log says why. */
    void leaveOnFailure(final Runnable givingBack) {
        try {
            givingBack.run();
        } catch (final CudaException ex) {
            lose();
            LOG.warn("{} is left as it is: {}", name, ex.getMessage());
        }
    }

    /** Multiprocessors on which no kernel stays: blocks of another one would wait for the others for ever. */
    synchronized int freeMultiprocessors() {
        return Math.max(0, multiprocessors - takenMultiprocessors);
    }

    /** @throws CudaException if a kernel of so many blocks that stays would not be there as a whole. */
    void checkRoomFor(final int blocks) {
        final int free = freeMultiprocessors();
        if (free < blocks) {
            throw new CudaException("blocks=" + blocks + " of " + name + ", where other kernels that stay leave " +
                    free + " multiprocessors");
        }
    }

    /**
     * How many clusters are sure to find room, whose blocks are to be near to each other.
     *
     * @param count of such clusters on a GPU that is empty: a multiprocessor that is taken takes one of them at most.
     * @throws CudaException if it is none.
     */
    int roomForClusters(final int blocks, final int count) {
        final int taken = multiprocessors - freeMultiprocessors();
        if (taken >= count) {
            throw new CudaException("a cluster of blocks=" + blocks + " may find no room on " + name + ", which has " +
                    "room for " + count + ", and where other kernels that stay take " + taken + " multiprocessors");
        }
        return count - taken;
    }

    synchronized void onKernelBegun(final int blocks) {
        runningKernels++;
        takenMultiprocessors += blocks;
    }

    /** It has been seen to end. */
    synchronized void onKernelEnded(final int blocks) {
        runningKernels--;
        takenMultiprocessors -= blocks;
        freeIfNobodyWrites();
    }

    /** From here on nothing of it is touched. */
    synchronized void lose() {
        isLost = true;
    }

    /** @throws CudaException if it is lost. */
    synchronized void checkIsThere() {
        if (isLost) {
            throw new CudaException(name + " was lost before");
        }
    }

    private synchronized boolean isAbandoned() {
        return isLost || runningKernels > 0;
    }

    private void freeIfNobodyWrites() {
        if (isAbandoned()) {
            return;
        }
        makeCurrent();
        while (!toBeFreed.isEmpty()) {
            toBeFreed.remove(toBeFreed.size() - 1).run();
        }
    }

    private String findObstacleToStaying() {
        if (attribute(CudaDriver.COOPERATIVE_LAUNCH) == 0) {
            return "it cannot launch kernels whose blocks are all there at once";
        }
        return attribute(CudaDriver.KERNEL_EXEC_TIMEOUT) == 0
                ? null
                : "its driver limits how long one runs, as it does where a display is driven";
    }

    private int attribute(final int attribute) {
        final int[] value = new int[1];
        CudaDriver.check(CudaDriver.deviceGetAttribute(value, attribute, ordinal),
                "cuDeviceGetAttribute(" + attribute + ") of " + name);
        return value[0];
    }

    private Kernels kernels(final String weights) {
        return new Kernels(
                kernel("tiercel_lstm_persistent_" + weights), clusterKernel("tiercel_lstm_cluster_" + weights),
                kernel("tiercel_lstm_step_" + weights), kernel("tiercel_lstm_ahead_" + weights));
    }

    /** Not there either where the driver has made the kernels of what is for GPUs of all generations. */
    private long clusterKernel(final String kernelName) {
        if (capability < FIRST_WITH_CLUSTERS || attribute(CudaDriver.CLUSTER_LAUNCH) == 0) {
            return 0;
        }
        final long[] function = new long[1];
        final int code = CudaDriver.moduleGetFunction(function, module, kernelName);
        if (code == CudaDriver.NOT_FOUND) {
            return 0;
        }
        CudaDriver.check(code, "cuModuleGetFunction(" + kernelName + ") of " + IMAGE);
        return function[0];
    }

    private long kernel(final String kernelName) {
        final long[] function = new long[1];
        CudaDriver.check(CudaDriver.moduleGetFunction(function, module, kernelName),
                "cuModuleGetFunction(" + kernelName + ") of " + IMAGE);
        return function[0];
    }

    private String capabilityText() {
        return capability / 10 + "." + capability % 10;
    }

    private static byte[] image() {
        try (InputStream in = CudaDevice.class.getResourceAsStream(IMAGE)) {
            if (in == null) {
                throw new CudaException("kernels not built: no nvcc when this was built");
            }
            return in.readAllBytes();
        } catch (final IOException ex) {
            throw new CudaException(IMAGE + " cannot be read: " + ex.getMessage());
        }
    }
}
