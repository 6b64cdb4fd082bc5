package io.tiercel.nativecuda.cuda;

import io.tiercel.nativecuda.NativeTools;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.opentest4j.TestAbortedException;

/**
 * A CUDA driver for tests, over the emulation ({@code src/test/cuda/test_driver.cpp}): loaded before anybody looks for
 * {@code libcuda.so.1}, it is the one that is found in this process from then on, by the unmodified host side. Tests
 * that use it do so one after the other, and leave a driver without a GPU behind.
 */
public final class TestDriver {

    /** What a driver says when calls fail. */
    public static final int OUT_OF_MEMORY = 2;
    public static final int DEVICE_UNAVAILABLE = 46;
    public static final int NO_BINARY_FOR_GPU = 209;
    public static final int ILLEGAL_ADDRESS = 700;
    public static final int NO_CODE = 0;

    /** As much of a GPU as tests need. */
    public static final int MULTIPROCESSORS = 16;
    public static final int SHARED_BYTES = 227 << 10;
    public static final long MEMORY_BYTES = 1L << 30;

    private static boolean isLoaded;

    private TestDriver() {
    }

    /** A new GPU; the test goes on if there is one, and the kernels are built, which need g++ and nvcc. */
    public static void needGpu(final String what) throws IOException, InterruptedException {
        load(what);
        reset(MULTIPROCESSORS, SHARED_BYTES, MEMORY_BYTES);
    }

    public static void removeGpu() {
        if (isLoaded) {
            reset(0, 0, 0);
        }
    }

    /** Of what is there of a GPU; what the one before had stays with it. No multiprocessors: no GPU. */
    public static native void reset(int multiprocessors, int sharedBytes, long memoryBytes);

    /** A limit is set to how long a kernel runs. */
    public static native void driveDisplay();

    /** Blocks can be clusters, and so many of any kind are there at once. Before anybody looks for a GPU. */
    public static native void allowClusters(int count);

    /** A call, by its name in the documentation, fails at its nth time from now. */
    public static native void failCall(String name, int nth, int code);

    /** Calls that have not failed yet are not to. */
    public static native void clearFaults();

    /**
     * Kernels stand still after so many stores of those that stay, or launches of others, from now, and all calls fail
     * from then on unless it is with no code.
     */
    public static native void standStillAfter(long stores, int code);

    /** Whether they do. */
    public static native boolean isStill();

    /** Whether everything that was taken from the driver has been given back. */
    public static native boolean isClean();

    private static synchronized void load(final String what) throws IOException, InterruptedException {
        if (isLoaded) {
            return;
        }
        if (CudaBackend.class.getResource("kernels.fatbin") == null) {
            System.out.println("not run: " + what + ": the CUDA kernels were not built (no nvcc)");
            throw new TestAbortedException("the CUDA kernels were not built");
        }
        final Path directory = Files.createDirectories(NativeTools.MODULE.resolve("target").resolve("test-driver"));
        // Test classes run in two processes side by side.
        try (FileChannel channel = FileChannel.open(
                directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.lock();
            final NativeTools tools = new NativeTools(directory);
            tools.needCompiler(what);
            tools.assertSucceeds(List.of("bash", NativeTools.TEST_CUDA.resolve("build_driver.sh").toString(),
                    directory.toString(), System.getProperty("java.home")));
            System.load(directory.resolve("libcuda.so.1").toString());
        }
        isLoaded = true;
    }
}
