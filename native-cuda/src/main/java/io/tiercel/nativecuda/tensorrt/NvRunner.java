package io.tiercel.nativecuda.tensorrt;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.graph.GraphException;
import io.tiercel.nativecuda.graph.GraphRunner;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.NanoClock;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorrt.nvinfer.ICudaEngine;
import org.bytedeco.tensorrt.nvinfer.IExecutionContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs of an engine, each the launch of one CUDA graph: pinned input to the GPU, the engine's kernels, outputs to
 * pinned memory. There is a graph for 1, 2, 4, … positions, captured here; a run takes the next larger one, and what is
 * in the positions behind its own, windows of runs before it, is computed in vain. An engine that cannot be captured is
 * enqueued call by call.
 *
 * <p>One thread. Waits by asking the stream again and again; one that does not end in a second is lost. Allocates in
 * its constructor only.
 */
final class NvRunner implements GraphRunner {

    private static final Logger LOG = LoggerFactory.getLogger(NvRunner.class);
    private static final long ANSWER_LIMIT_NS = TimeUnit.SECONDS.toNanos(1);

    /**
     * Of so many positions.
     *
     * @param graph null if it could not be captured.
     */
    private record Run(IExecutionContext context, CUgraphExec_st graph, long inputBytes, long outputBytes) {
    }

    private final NvLog log;
    private final NanoClock clock;
    private final GraphFormat format;
    private final int capacity;
    private final CUstream_st stream = new CUstream_st();
    private final Pointer hostInput = new Pointer();
    private final Pointer hostOutput = new Pointer();
    private final Pointer deviceInput = new Pointer();
    private final Pointer deviceOutput = new Pointer();
    private final long positionInputBytes;
    private final long positionOutputBytes;
    private final Run[] runs;

    NvRunner(
            final ICudaEngine engine, final NvLog log, final NanoClock clock, final GraphParameters parameters,
            final int capacity) {
        this.log = log;
        this.clock = clock;
        this.capacity = capacity;
        format = parameters.format();
        positionInputBytes = parameters.window().windowBytes();
        positionOutputBytes = (long) parameters.outputCount() * Float.BYTES;
        runs = new Run[runIndex(capacity) + 1];
        boolean isReady = false;
        try {
            CudaRuntime.check(cudart.cudaStreamCreateWithFlags(stream, cudart.cudaStreamNonBlocking),
                    "cudaStreamCreateWithFlags");
            allocate(hostInput, deviceInput, capacity * positionInputBytes);
            allocate(hostOutput, deviceOutput, capacity * positionOutputBytes);
            Pointer.memset(hostInput, 0, capacity * positionInputBytes);
            for (int index = 0; index < runs.length; index++) {
                runs[index] = newRun(engine, Math.min(1 << index, capacity));
            }
            isReady = true;
        } finally {
            if (!isReady) {
                close();
            }
        }
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public long inputAddress() {
        return hostInput.address();
    }

    @Override
    public long outputAddress() {
        return hostOutput.address();
    }

    @Override
    public void run(final int count) {
        final Run run = runs[runIndex(count)];
        if (run.graph == null) {
            enqueue(run);
        } else {
            CudaRuntime.check(cudart.cudaGraphLaunch(run.graph, stream), "cudaGraphLaunch");
        }
        await();
    }

    /** Frees what CUDA has made; the contexts are TensorRT's. */
    @Override
    public void close() {
        for (final Run run : runs) {
            if (run != null && run.graph != null) {
                cudart.cudaGraphExecDestroy(run.graph);
            }
        }
        cudart.cudaFree(deviceInput);
        cudart.cudaFree(deviceOutput);
        cudart.cudaFreeHost(hostInput);
        cudart.cudaFreeHost(hostOutput);
        if (!stream.isNull()) {
            cudart.cudaStreamDestroy(stream);
        }
    }

    /** Of the smallest run that has room for so many. */
    private static int runIndex(final int count) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(count - 1);
    }

    private static void allocate(final Pointer host, final Pointer device, final long bytes) {
        CudaRuntime.check(cudart.cudaHostAlloc(host, bytes, cudart.cudaHostAllocDefault), "cudaHostAlloc of " + bytes);
        CudaRuntime.check(cudart.cudaMalloc(device, bytes), "cudaMalloc of " + bytes);
    }

    private Run newRun(final ICudaEngine engine, final int positions) {
        final IExecutionContext context = log.checked(engine.createExecutionContext(), "createExecutionContext");
        final boolean isBound =
                context.setInputShape(format.input(), NvInfer.dimensions(format.inputShape(), positions)) &&
                        context.setTensorAddress(format.input(), deviceInput) &&
                        context.setTensorAddress(format.output(), deviceOutput);
        if (!isBound) {
            throw new GraphException("TensorRT takes no run of positions=" + positions + ": " + log.lastError(), null);
        }
        final Run plain = new Run(context, null, positions * positionInputBytes, positions * positionOutputBytes);
        // Before a capture: TensorRT makes what it needs for a shape when that is first asked for.
        enqueue(plain);
        await();
        return new Run(context, capture(plain), plain.inputBytes, plain.outputBytes);
    }

    private void enqueue(final Run run) {
        CudaRuntime.check(cudart.cudaMemcpyAsync(
                deviceInput, hostInput, run.inputBytes, cudart.cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync");
        if (!run.context.enqueueV3(stream)) {
            throw new DeviceLostException("TensorRT: enqueueV3 failed: " + log.lastError(), null);
        }
        CudaRuntime.check(cudart.cudaMemcpyAsync(
                hostOutput, deviceOutput, run.outputBytes, cudart.cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync");
    }

    /** Null if something in the engine cannot be captured. */
    private CUgraphExec_st capture(final Run run) {
        CudaRuntime.check(cudart.cudaStreamBeginCapture(stream, cudart.cudaStreamCaptureModeThreadLocal),
                "cudaStreamBeginCapture");
        boolean isEnqueued = false;
        try {
            enqueue(run);
            isEnqueued = true;
        } catch (final DeviceLostException ex) {
            LOG.warn("no CUDA graph of {} bytes of input: {}", run.inputBytes, ex.getMessage());
        }
        final CUgraph_st graph = new CUgraph_st();
        final int code = cudart.cudaStreamEndCapture(stream, graph);
        if (!isEnqueued || code != cudart.cudaSuccess) {
            cudart.cudaGetLastError(); // what a capture has left is not the next call's
            return null;
        }
        final CUgraphExec_st executable = new CUgraphExec_st();
        try {
            CudaRuntime.check(cudart.cudaGraphInstantiate(executable, graph, 0), "cudaGraphInstantiate");
        } finally {
            cudart.cudaGraphDestroy(graph);
        }
        return executable;
    }

    private void await() {
        final long beginNs = clock.nanoTime();
        int code = cudart.cudaStreamQuery(stream);
        while (code == cudart.cudaErrorNotReady) {
            if (clock.nanoTime() - beginNs > ANSWER_LIMIT_NS) {
                throw new DeviceLostException("the GPU has not answered for " +
                        TimeUnit.NANOSECONDS.toMillis(ANSWER_LIMIT_NS) + " ms", null);
            }
            Thread.onSpinWait();
            code = cudart.cudaStreamQuery(stream);
        }
        CudaRuntime.check(code, "cudaStreamQuery");
    }
}
