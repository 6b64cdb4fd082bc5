package io.tiercel.nativecuda.cpu;

import io.tiercel.nativecuda.NativeLibrary;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * The C interface of the kernels ({@code src/main/cpp/tiercel_cpu.h}, which says what each function does), by JavaCPP.
 * Handles and addresses are longs: a call of the hot path makes no object. Public for JavaCPP's loader only.
 *
 * <p>Nothing is checked here: {@link CpuBackend} and its models do that.
 */
@Platform(include = "tiercel_cpu.h", link = "tiercel_kernels")
public final class CpuKernels {

    static final NativeLibrary LIBRARY = new NativeLibrary(CpuKernels.class);

    private CpuKernels() {
    }

    /**
     * Loads the library, once for the process.
     *
     * @throws UnsatisfiedLinkError if it was not built, or this system cannot load it.
     */
    static void loadLibrary() {
        LIBRARY.load();
    }

    /** Whether the library of the bindings stands in the class path, for this system. */
    static boolean isBuilt() {
        return LIBRARY.isBuilt();
    }

    @Name("tiercel_kernel_sets")
    static native int kernelSets();

    @Name("tiercel_memory_new")
    static native @Cast("int64_t") long newMemory(@Cast("int64_t") long bytes);

    @Name("tiercel_memory_delete")
    static native void deleteMemory(@Cast("void*") long memory);

    @Name("tiercel_memory_address")
    static native @Cast("int64_t") long memoryAddress(@Cast("void*") long memory);

    @Name("tiercel_lstm_new")
    static native @Cast("int64_t") long newLstm(
            int kernelSet, int layers, int hidden, int features, int outputs, int isInt4, int isHeadInt4,
            int isSoftmax, int featureMaximum);

    @Name("tiercel_lstm_delete")
    static native void deleteLstm(@Cast("void*") long model);

    @Name("tiercel_lstm_set_features")
    static native void setFeatures(
            @Cast("void*") long model, float[] means, float[] inverseDeviations, float inverseScale);

    @Name("tiercel_lstm_set_layer")
    static native void setLayer(
            @Cast("void*") long model, int layer,
            byte[] inputCodes, byte[] inputMultipliers, float[] inputScales,
            byte[] recurrentCodes, byte[] recurrentMultipliers, float[] recurrentScales,
            float[] biases, float inverseHiddenScale);

    @Name("tiercel_lstm_set_head")
    static native void setHead(
            @Cast("void*") long model, byte[] codes, byte[] multipliers, float[] scales, float[] biases);

    @Name("tiercel_lstm_ahead_floats")
    static native int aheadFloats(@Cast("void*") long model);

    @Name("tiercel_lstm_step_bytes")
    static native @Cast("int64_t") long stepBytes(@Cast("void*") long model);

    @Name("tiercel_lstm_ahead_bytes")
    static native @Cast("int64_t") long aheadBytes(@Cast("void*") long model);

    @Name("tiercel_lstm_executor_new")
    static native @Cast("int64_t") long newExecutor(
            @Cast("void*") long model, int maxBatch, int threads, int isForced);

    @Name("tiercel_lstm_executor_delete")
    static native void deleteExecutor(@Cast("void*") long executor);

    @Name("tiercel_lstm_executor_threads")
    static native int executorThreads(@Cast("void*") long executor);

    @Name("tiercel_lstm_step")
    static native void step(
            @Cast("void*") long executor, @Cast("int64_t") long positionsAddress, int count);

    @Name("tiercel_lstm_ahead")
    static native void ahead(
            @Cast("void*") long executor, @Cast("int64_t") long positionsAddress, int count);

    @Name("tiercel_transformer_new")
    static native @Cast("int64_t") long newTransformer(int kernelSet, int[] sizes, float[] numbers);

    @Name("tiercel_transformer_delete")
    static native void deleteTransformer(@Cast("void*") long model);

    @Name("tiercel_transformer_set_matrix")
    static native void setTransformerMatrix(
            @Cast("void*") long model, int layer, int matrix, int expert, byte[] codes, byte[] lowCodes,
            byte[] multipliers, float[] scales);

    @Name("tiercel_transformer_set_vector")
    static native void setTransformerVector(@Cast("void*") long model, int layer, int vector, float[] values);

    @Name("tiercel_transformer_set_rotary_steps")
    static native void setRotarySteps(@Cast("void*") long model, @Cast("const int64_t*") long[] steps);

    @Name("tiercel_transformer_set_codec")
    static native void setCodec(
            @Cast("void*") long model, int layer, int isValues, float[] means, float[] scales, float[] steps,
            int[] reciprocals, byte[] codebook);

    @Name("tiercel_transformer_step_bytes")
    static native @Cast("int64_t") long transformerStepBytes(@Cast("void*") long model);

    @Name("tiercel_transformer_state_bytes")
    static native @Cast("int64_t") long transformerStateBytes(@Cast("void*") long model);

    @Name("tiercel_transformer_executor_new")
    static native @Cast("int64_t") long newTransformerExecutor(@Cast("void*") long model, int maxBatch);

    @Name("tiercel_transformer_executor_delete")
    static native void deleteTransformerExecutor(@Cast("void*") long executor);

    @Name("tiercel_transformer_step")
    static native void transformerStep(
            @Cast("void*") long executor, @Cast("int64_t") long positionsAddress, int count);

    @Name("tiercel_transformer_ahead")
    static native void transformerAhead(
            @Cast("void*") long executor, @Cast("int64_t") long positionsAddress, int count);

    @Name("tiercel_transformer_steps")
    static native @Cast("int64_t") long transformerSteps(
            @Cast("void*") long executor, @Cast("int64_t") long stateAddress, @Cast("int64_t") long inputsAddress,
            int count, @Cast("int64_t") long outputsAddress, int outputsStride, @Cast("int64_t") long previousHash);

    @Name("tiercel_transformer_step_tentatively")
    static native void transformerStepTentatively(
            @Cast("void*") long executor, @Cast("int64_t") long stateAddress, @Cast("int64_t") long tokensAddress,
            int count, @Cast("int64_t") long outputsAddress, int outputsStride);

    @Name("tiercel_transformer_keep")
    static native @Cast("int64_t") long transformerKeep(
            @Cast("void*") long executor, @Cast("int64_t") long stateAddress, int count,
            @Cast("int64_t") long previousHash);

    @Name("tiercel_transformer_logits")
    static native @Cast("int64_t") long transformerLogits(@Cast("void*") long executor, int position);

    @Name("tiercel_cycles_per_ns")
    static native double cyclesPerNs();

    @Name("tiercel_stream_ns")
    static native double streamNs(
            int kernelSet, @Cast("int64_t") long timedBytes, @Cast("int64_t") long betweenBytes, int repetitions);
}
