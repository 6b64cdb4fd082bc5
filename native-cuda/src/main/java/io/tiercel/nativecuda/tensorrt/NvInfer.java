package io.tiercel.nativecuda.tensorrt;

import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.NativeLibrary;
import io.tiercel.nativecuda.graph.GraphException;
import java.util.List;
import org.agrona.concurrent.NanoClock;
import org.bytedeco.cuda.cudart.cudaDeviceProp;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.tensorrt.global.nvinfer;
import org.bytedeco.tensorrt.global.nvinfer.BuilderFlag;
import org.bytedeco.tensorrt.global.nvinfer.MemoryPoolType;
import org.bytedeco.tensorrt.global.nvinfer.OptProfileSelector;
import org.bytedeco.tensorrt.global.nvonnxparser;
import org.bytedeco.tensorrt.nvinfer.Dims64;
import org.bytedeco.tensorrt.nvinfer.IBuilder;
import org.bytedeco.tensorrt.nvinfer.IBuilderConfig;
import org.bytedeco.tensorrt.nvinfer.ICudaEngine;
import org.bytedeco.tensorrt.nvinfer.IHostMemory;
import org.bytedeco.tensorrt.nvinfer.INetworkDefinition;
import org.bytedeco.tensorrt.nvinfer.IOptimizationProfile;
import org.bytedeco.tensorrt.nvinfer.IRuntime;
import org.bytedeco.tensorrt.nvonnxparser.IParser;

/**
 * TensorRT 11 in this process, on the first GPU, by JavaCPP's presets: loaded at the first {@link #open}, there until
 * the end. The presets cannot delete what TensorRT makes, so builders, plans and engines are too; a bundle is loaded
 * once in a process's life. Of CUDA's runtime only functions that 13.0 has are called: one that is missing would end
 * the JVM.
 *
 * <p>Sums in binary32, without TF32, which keeps 10 bits of a product's factors.
 */
final class NvInfer implements EngineFactory {

    private static final int MAJOR_VERSION = 11;
    private static final int FIRST_GPU = 0;
    /** What a plan's kernels may use of the GPU's memory while one is looked for. */
    private static final long WORKSPACE_BYTES = 1L << 30;
    private static final int VERSION_STEP = 1000;

    private static NvInfer instance;

    private final NvLog log = new NvLog();
    private final NanoClock clock;
    private final IRuntime runtime;
    private final String platform;

    private NvInfer(final NanoClock clock) {
        this.clock = clock;
        final int version = nvinfer.getInferLibMajorVersion();
        if (version != MAJOR_VERSION) {
            throw new GraphException("libnvinfer has version=" + version + ", the bindings are of " + MAJOR_VERSION,
                    null);
        }
        CudaRuntime.check(cudart.cudaSetDevice(FIRST_GPU), "cudaSetDevice of gpu=" + FIRST_GPU);
        platform = readPlatform();
        runtime = log.checked(nvinfer.createInferRuntime(log), "createInferRuntime");
    }

    /**
     * Loads the libraries, the first time.
     *
     * @param clock of whoever waits for the GPU.
     * @throws GraphException with why they do not load, or why the GPU cannot be used.
     */
    static synchronized EngineFactory open(final NanoClock clock) {
        if (instance == null) {
            try {
                NativeLibrary.keepUnpackDirectory();
                for (final Class<?> bindings : List.of(cudart.class, nvinfer.class, nvonnxparser.class)) {
                    new NativeLibrary(bindings).load();
                }
            } catch (final LinkageError ex) {
                throw new GraphException("TensorRT's libraries do not load: " + rootOf(ex), ex);
            }
            instance = new NvInfer(clock);
        }
        return instance;
    }

    @Override
    public String platform() {
        return platform;
    }

    @Override
    public byte[] build(final GraphParameters parameters, final int maxPositions) {
        final IBuilder builder = log.checked(nvinfer.createInferBuilder(log), "createInferBuilder");
        final INetworkDefinition network = log.checked(builder.createNetworkV2(0), "createNetworkV2");
        parse(network, parameters.graph());
        final IBuilderConfig config = log.checked(builder.createBuilderConfig(), "createBuilderConfig");
        config.setMemoryPoolLimit(MemoryPoolType.kWORKSPACE, WORKSPACE_BYTES);
        config.clearFlag(BuilderFlag.kTF32);
        final GraphFormat format = parameters.format();
        if (format.hasBatches()) {
            addProfile(builder, config, format, maxPositions);
        }
        final IHostMemory plan = log.checked(
                builder.buildSerializedNetwork(network, config), "buildSerializedNetwork");
        final byte[] bytes = new byte[Math.toIntExact(plan.size())];
        new BytePointer(plan.data()).capacity(bytes.length).get(bytes);
        return bytes;
    }

    @Override
    public Engine open(final byte[] plan) {
        try (BytePointer bytes = new BytePointer(plan)) {
            final ICudaEngine engine = log.checked(
                    runtime.deserializeCudaEngine(bytes, plan.length), "deserializeCudaEngine");
            return new NvEngine(engine, log, clock);
        }
    }

    private void parse(final INetworkDefinition network, final byte[] graph) {
        final IParser parser = log.checked(nvonnxparser.createParser(network, log), "createParser");
        try (BytePointer bytes = new BytePointer(graph)) {
            if (!parser.parse(bytes, graph.length)) {
                final StringBuilder errors = new StringBuilder();
                for (int i = 0; i < parser.getNbErrors(); i++) {
                    errors.append(i == 0 ? "" : "; ").append(parser.getError(i).desc());
                }
                throw new GraphException("tensor=graph is refused by TensorRT: " + errors, null);
            }
        }
    }

    /** Of 1 position at the least, for which it is to be fastest. */
    private void addProfile(
            final IBuilder builder, final IBuilderConfig config, final GraphFormat format, final int maxPositions) {
        final IOptimizationProfile profile = log.checked(builder.createOptimizationProfile(),
                "createOptimizationProfile");
        final boolean isSet = setDimensions(profile, format, OptProfileSelector.kMIN, 1) &&
                setDimensions(profile, format, OptProfileSelector.kOPT, 1) &&
                setDimensions(profile, format, OptProfileSelector.kMAX, maxPositions);
        if (!isSet || config.addOptimizationProfile(profile) < 0) {
            throw new GraphException("TensorRT takes no profile of input=" + format.input() + " shape=" +
                    format.inputShape() + ": " + log.lastError(), null);
        }
    }

    private static boolean setDimensions(
            final IOptimizationProfile profile, final GraphFormat format, final OptProfileSelector selector,
            final int positions) {
        return profile.setDimensions(format.input(), selector, dimensions(format.inputShape(), positions));
    }

    static Dims64 dimensions(final List<Integer> shape, final int positions) {
        final long[] sizes = GraphFormat.shape(shape, positions);
        final Dims64 dimensions = new Dims64().nbDims(sizes.length);
        for (int i = 0; i < sizes.length; i++) {
            dimensions.d(i, sizes[i]);
        }
        return dimensions;
    }

    private static String readPlatform() {
        final int[] major = new int[1];
        final int[] minor = new int[1];
        final int[] driver = new int[1];
        try (cudaDeviceProp properties = new cudaDeviceProp()) {
            CudaRuntime.check(cudart.cudaGetDeviceProperties(properties, FIRST_GPU), "cudaGetDeviceProperties");
            CudaRuntime.check(cudart.cudaDeviceGetAttribute(
                    major, cudart.cudaDevAttrComputeCapabilityMajor, FIRST_GPU), "cudaDeviceGetAttribute");
            CudaRuntime.check(cudart.cudaDeviceGetAttribute(
                    minor, cudart.cudaDevAttrComputeCapabilityMinor, FIRST_GPU), "cudaDeviceGetAttribute");
            CudaRuntime.check(cudart.cudaDriverGetVersion(driver), "cudaDriverGetVersion");
            final String name = properties.name().getString().replaceAll("[^A-Za-z0-9.]+", "_");
            return name + "-sm" + major[0] + minor[0] + "-tensorrt" + nvinfer.getInferLibMajorVersion() + "." +
                    nvinfer.getInferLibMinorVersion() + "." + nvinfer.getInferLibPatchVersion() + "-cuda" +
                    driver[0] / VERSION_STEP + "." + driver[0] % VERSION_STEP / 10;
        }
    }

    /** Static initialisers wrap what happened, often twice. */
    private static Throwable rootOf(final Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }
}
