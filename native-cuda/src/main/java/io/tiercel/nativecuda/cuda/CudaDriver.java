package io.tiercel.nativecuda.cuda;

import io.tiercel.nativecuda.NativeLibrary;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * The CUDA driver's functions, and a model as its kernels want it ({@code src/main/cuda/driver.h} and
 * {@code tiercel_cuda.h}, which say what each does), by JavaCPP. Handles and addresses are longs, and what a function
 * gives back stands in an array. Public for JavaCPP's loader only.
 *
 * <p>Each call's code is to be given to {@link #check}.
 */
@Platform(include = "tiercel_cuda.h", link = {"tiercel_kernels", "dl"})
public final class CudaDriver {

    static final NativeLibrary LIBRARY = new NativeLibrary(CudaDriver.class);

    static final int SUCCESS = 0;
    /** What a stream is queried for: it is still at work. */
    static final int NOT_READY = 600;
    /** A module has no function of that name. */
    static final int NOT_FOUND = 500;

    /** The stream of calls that name none. */
    static final long NULL_STREAM = 0;

    static final int MULTIPROCESSOR_COUNT = 16;
    static final int KERNEL_EXEC_TIMEOUT = 17;
    static final int COMPUTE_CAPABILITY_MAJOR = 75;
    static final int COMPUTE_CAPABILITY_MINOR = 76;
    static final int COOPERATIVE_LAUNCH = 95;
    static final int MAX_SHARED_BYTES_OF_BLOCK = 97;
    static final int CLUSTER_LAUNCH = 120;

    /** An attribute of a function: shared memory that a launch may ask for. */
    static final int MAX_DYNAMIC_SHARED_BYTES = 8;
    static final int HOST_MEMORY_PORTABLE = 1;
    static final int HOST_MEMORY_MAPPED = 2;
    static final int STREAM_NON_BLOCKING = 1;
    /** While a stream is recorded, other threads may call what they like. */
    static final int CAPTURE_THREAD_LOCAL = 1;
    static final int EVENT_DISABLE_TIMING = 2;

    /** Indices of what {@link #lstmSizes} gives. */
    static final int IS_PERSISTENT = 0;
    static final int BLOCKS = 1;
    static final int THREADS = 2;
    static final int SHARED_BYTES = 3;
    static final int CLUSTER_WAYS = 4;
    static final int STATE_BYTES = 5;
    static final int REQUEST_WORDS = 6;
    static final int REQUEST_STATE = 7;
    static final int RESPONSE_WORDS = 8;
    static final int RESPONSE_STATE = 9;
    static final int LAYER_WORDS = 10;
    static final int EXCHANGE_WORDS = 11;
    static final int LSTM_SIZES = 12;

    /** Indices of what {@link #transformerSizes} gives. */
    static final int TRANSFORMER_THREADS = 0;
    static final int TRANSFORMER_SHARED_BYTES = 1;
    static final int TRANSFORMER_LEAST_SHARED_BYTES = 2;
    static final int VECTOR_BYTES = 3;
    static final int RECORD_BYTES = 4;
    static final int RECORD_CODES = 5;
    static final int TRANSFORMER_STATE_BYTES = 6;
    static final int TRANSFORMER_REQUEST_WORDS = 7;
    static final int TRANSFORMER_EXCHANGE_WORDS = 8;
    static final int COMMON_BYTES = 9;
    static final int TRANSFORMER_SIZES = 10;

    /** Indices of what {@link #stay} takes: as {@code TransformerLink}. */
    static final int LINK_REQUESTS = 0;
    static final int LINK_DONE = 1;
    static final int LINK_INPUTS = 2;
    static final int LINK_BRINGING = 3;
    static final int LINK_OUTPUTS = 4;
    static final int LINK_HOST_RECORDS = 5;
    static final int LINK_RECORDS = 6;
    static final int LINK_STATES = 7;
    static final int LINK_EXCHANGE = 8;
    static final int LINK_VECTORS = 9;
    static final int LINK_COMMON = 10;
    static final int LINK_OUTPUT_STRIDE = 11;
    static final int LINK_BLOCKS = 12;
    static final int LINK_PLACES = 13;
    static final int LINK_FIRST_SEQUENCE = 14;
    static final int LINK_IS_CLUSTER = 15;
    static final int TRANSFORMER_LINK_VALUES = 16;

    private CudaDriver() {
    }

    /**
     * Loads what was built, then the driver, and looks all of its functions up.
     *
     * @throws CudaException with what is missing.
     */
    static synchronized void open() {
        try {
            LIBRARY.load();
        } catch (final UnsatisfiedLinkError ex) {
            throw new CudaException(LIBRARY.reason(ex));
        }
        final String missing = openDriver();
        if (missing != null) {
            throw new CudaException(missing);
        }
    }

    /**
     * @param call what was called, with what it was for.
     * @throws CudaException if the code is not success: the call, the error's name and number, and the driver's words.
     */
    static void check(final int code, final String call) {
        if (code != SUCCESS) {
            throw new CudaException(call + ": " + describe(code));
        }
    }

    /** As {@code CUDA_ERROR_OUT_OF_MEMORY (2): out of memory}. */
    static String describe(final int code) {
        final String name = errorName(code);
        return name == null ? "unknown error " + code : name + " (" + code + "): " + errorText(code);
    }

    @Name("tiercel_cuda_open")
    static native String openDriver();

    @Name("tiercel_cuda_error_name")
    static native String errorName(int code);

    @Name("tiercel_cuda_error_text")
    static native String errorText(int code);

    @Name("tiercel_cuInit")
    static native int init(int flags);

    @Name("tiercel_cuDriverGetVersion")
    static native int driverGetVersion(int[] version);

    @Name("tiercel_cuDeviceGetCount")
    static native int deviceGetCount(int[] count);

    @Name("tiercel_cuDeviceGet")
    static native int deviceGet(int[] device, int ordinal);

    @Name("tiercel_cuDeviceGetName")
    static native int deviceGetName(byte[] name, int length, int device);

    @Name("tiercel_cuDeviceGetAttribute")
    static native int deviceGetAttribute(int[] value, int attribute, int device);

    @Name("tiercel_cuDevicePrimaryCtxRetain")
    static native int devicePrimaryCtxRetain(@Cast("int64_t*") long[] context, int device);

    @Name("tiercel_cuDevicePrimaryCtxRelease")
    static native int devicePrimaryCtxRelease(int device);

    @Name("tiercel_cuCtxSetCurrent")
    static native int ctxSetCurrent(@Cast("int64_t") long context);

    @Name("tiercel_cuModuleLoadData")
    static native int moduleLoadData(@Cast("int64_t*") long[] module, byte[] image);

    @Name("tiercel_cuModuleUnload")
    static native int moduleUnload(@Cast("int64_t") long module);

    @Name("tiercel_cuModuleGetFunction")
    static native int moduleGetFunction(
            @Cast("int64_t*") long[] function, @Cast("int64_t") long module, String name);

    @Name("tiercel_cuFuncSetAttribute")
    static native int funcSetAttribute(@Cast("int64_t") long function, int attribute, int value);

    @Name("tiercel_cuMemAlloc")
    static native int memAlloc(@Cast("int64_t*") long[] address, @Cast("int64_t") long bytes);

    @Name("tiercel_cuMemFree")
    static native int memFree(@Cast("int64_t") long address);

    @Name("tiercel_cuMemHostAlloc")
    static native int memHostAlloc(@Cast("int64_t*") long[] address, @Cast("int64_t") long bytes, int flags);

    @Name("tiercel_cuMemFreeHost")
    static native int memFreeHost(@Cast("int64_t") long address);

    @Name("tiercel_cuMemHostGetDevicePointer")
    static native int memHostGetDevicePointer(
            @Cast("int64_t*") long[] address, @Cast("int64_t") long hostAddress, int flags);

    @Name("tiercel_cuMemcpyHtoD")
    static native int memcpyHtoD(
            @Cast("int64_t") long to, @Cast("int64_t") long from, @Cast("int64_t") long bytes);

    @Name("tiercel_cuMemcpyHtoDAsync")
    static native int memcpyHtoDAsync(
            @Cast("int64_t") long to, @Cast("int64_t") long from, @Cast("int64_t") long bytes,
            @Cast("int64_t") long stream);

    @Name("tiercel_cuMemcpyDtoHAsync")
    static native int memcpyDtoHAsync(
            @Cast("int64_t") long to, @Cast("int64_t") long from, @Cast("int64_t") long bytes,
            @Cast("int64_t") long stream);

    @Name("tiercel_cuMemcpyDtoDAsync")
    static native int memcpyDtoDAsync(
            @Cast("int64_t") long to, @Cast("int64_t") long from, @Cast("int64_t") long bytes,
            @Cast("int64_t") long stream);

    @Name("tiercel_cuMemsetD8Async")
    static native int memsetD8Async(
            @Cast("int64_t") long address, @Cast("uint8_t") byte value, @Cast("int64_t") long count,
            @Cast("int64_t") long stream);

    @Name("tiercel_cuStreamCreate")
    static native int streamCreate(@Cast("int64_t*") long[] stream, int flags);

    @Name("tiercel_cuStreamSynchronize")
    static native int streamSynchronize(@Cast("int64_t") long stream);

    @Name("tiercel_cuStreamQuery")
    static native int streamQuery(@Cast("int64_t") long stream);

    @Name("tiercel_cuStreamDestroy")
    static native int streamDestroy(@Cast("int64_t") long stream);

    @Name("tiercel_cuStreamBeginCapture")
    static native int streamBeginCapture(@Cast("int64_t") long stream, int mode);

    @Name("tiercel_cuStreamEndCapture")
    static native int streamEndCapture(@Cast("int64_t") long stream, @Cast("int64_t*") long[] graph);

    @Name("tiercel_cuGraphInstantiateWithFlags")
    static native int graphInstantiate(
            @Cast("int64_t*") long[] executable, @Cast("int64_t") long graph, @Cast("uint64_t") long flags);

    @Name("tiercel_cuGraphDestroy")
    static native int graphDestroy(@Cast("int64_t") long graph);

    @Name("tiercel_cuGraphLaunch")
    static native int graphLaunch(@Cast("int64_t") long executable, @Cast("int64_t") long stream);

    @Name("tiercel_cuGraphExecDestroy")
    static native int graphExecDestroy(@Cast("int64_t") long executable);

    @Name("tiercel_cuEventCreate")
    static native int eventCreate(@Cast("int64_t*") long[] event, int flags);

    @Name("tiercel_cuEventRecord")
    static native int eventRecord(@Cast("int64_t") long event, @Cast("int64_t") long stream);

    @Name("tiercel_cuEventQuery")
    static native int eventQuery(@Cast("int64_t") long event);

    @Name("tiercel_cuEventDestroy")
    static native int eventDestroy(@Cast("int64_t") long event);

    @Name("tiercel_cuda_lstm_new")
    static native @Cast("int64_t") long newLstm(
            int layers, int hidden, int features, int outputs, int isInt4, int isHeadInt4, int isSoftmax,
            int featureMaximum, int sharedBytes, int multiprocessors, int way);

    @Name("tiercel_cuda_lstm_delete")
    static native void deleteLstm(@Cast("void*") long model);

    @Name("tiercel_cuda_lstm_sizes")
    static native void lstmSizes(@Cast("void*") long model, int[] sizes);

    @Name("tiercel_cuda_lstm_set_features")
    static native void setFeatures(
            @Cast("void*") long model, float[] means, float[] inverseDeviations, float inverseScale);

    @Name("tiercel_cuda_lstm_set_layer")
    static native void setLayer(
            @Cast("void*") long model, int layer, byte[] inputCodes, byte[] inputMultipliers, float[] inputScales,
            byte[] recurrentCodes, byte[] recurrentMultipliers, float[] recurrentScales, float[] biases,
            float inverseHiddenScale);

    @Name("tiercel_cuda_lstm_set_head")
    static native void setHead(
            @Cast("void*") long model, byte[] codes, byte[] multipliers, float[] scales, float[] biases);

    @Name("tiercel_cuda_lstm_data")
    static native @Cast("int64_t") long lstmData(@Cast("void*") long model);

    @Name("tiercel_cuda_lstm_bytes")
    static native @Cast("int64_t") long lstmBytes(@Cast("void*") long model);

    @Name("tiercel_cuda_lstm_launch")
    static native int launch(
            @Cast("void*") long model, @Cast("int64_t") long function, @Cast("int64_t") long stream,
            @Cast("int64_t") long weights, @Cast("int64_t") long requests, @Cast("int64_t") long responses,
            int places, int firstSequence, @Cast("int64_t") long exchange, @Cast("int64_t") long sessions);

    @Name("tiercel_cuda_lstm_active_clusters")
    static native int activeClusters(
            @Cast("void*") long model, @Cast("int64_t") long function, int[] count);

    @Name("tiercel_cuda_lstm_launch_batch")
    static native int launchBatch(
            @Cast("void*") long model, @Cast("int64_t") long function, @Cast("int64_t") long stream,
            @Cast("int64_t") long weights, @Cast("int64_t") long positions, int blocks, int count);

    @Name("tiercel_cuda_transformer_new")
    static native @Cast("int64_t") long newTransformer(int[] sizes, float[] numbers, int sharedBytes, int blocks);

    @Name("tiercel_cuda_transformer_delete")
    static native void deleteTransformer(@Cast("void*") long model);

    @Name("tiercel_cuda_transformer_sizes")
    static native void transformerSizes(@Cast("void*") long model, @Cast("int64_t*") long[] sizes);

    @Name("tiercel_cuda_transformer_set_matrix")
    static native void setTransformerMatrix(
            @Cast("void*") long model, int layer, int matrix, int expert, byte[] codes, byte[] lowCodes,
            byte[] multipliers, float[] scales);

    @Name("tiercel_cuda_transformer_set_vector")
    static native void setTransformerVector(@Cast("void*") long model, int layer, int vector, float[] values);

    @Name("tiercel_cuda_transformer_set_rotary_steps")
    static native void setRotarySteps(@Cast("void*") long model, @Cast("const int64_t*") long[] steps);

    @Name("tiercel_cuda_transformer_set_codec")
    static native void setCodec(
            @Cast("void*") long model, int layer, int isValues, float[] means, float[] scales, float[] steps,
            int[] reciprocals, byte[] codebook);

    @Name("tiercel_cuda_transformer_data")
    static native @Cast("int64_t") long transformerData(@Cast("void*") long model);

    @Name("tiercel_cuda_transformer_bytes")
    static native @Cast("int64_t") long transformerBytes(@Cast("void*") long model);

    @Name("tiercel_cuda_transformer_launch")
    static native int launchTransformer(
            @Cast("void*") long model, @Cast("int64_t") long function, @Cast("int64_t") long stream,
            @Cast("int64_t") long weights, @Cast("int64_t") long items, @Cast("int64_t") long records,
            @Cast("int64_t") long last, int count, int threads, int sharedBytes);

    @Name("tiercel_cuda_transformer_stay")
    static native int stay(
            @Cast("void*") long model, @Cast("int64_t") long function, @Cast("int64_t") long stream,
            @Cast("int64_t") long weights, @Cast("const int64_t*") long[] link, int teams);

    @Name("tiercel_cuda_transformer_active_clusters")
    static native int activeTeams(
            @Cast("void*") long model, @Cast("int64_t") long function, int[] count);

    @Name("tiercel_cuda_transformer_begin_step")
    static native void beginStep(
            @Cast("void*") long model, @Cast("int64_t") long state, @Cast("int64_t") long undo);

    @Name("tiercel_cuda_transformer_put_step")
    static native void putStep(
            @Cast("void*") long model, @Cast("int64_t") long state, @Cast("int64_t") long record,
            @Cast("int64_t") long undo);

    @Name("tiercel_cuda_transformer_put_ahead")
    static native void putAhead(
            @Cast("void*") long model, @Cast("int64_t") long state, @Cast("int64_t") long record,
            @Cast("int64_t") long undo);

    @Name("tiercel_cuda_transformer_take_back")
    static native void takeBack(
            @Cast("void*") long model, @Cast("int64_t") long state, @Cast("int64_t") long undo);
}
