package io.tiercel.nativecuda.tensorrt;

import io.tiercel.nativecuda.SharedLibraries;
import java.util.List;

/**
 * What stands against TensorRT here. Looks only: no class of the bindings is named and no library loaded, which a JVM
 * could not unload.
 */
final class TensorRtProbe {

    /**
     * TensorRT 11 and its reader of ONNX files, and what the bindings of both are linked with besides: TensorRT's
     * plugins, the runtime of CUDA 13, its compiler, cuBLAS, cuDNN 9, the driver.
     */
    private static final List<String> LIBRARIES = List.of(
            "libnvinfer.so.11", "libnvinfer_plugin.so.11", "libnvonnxparser.so.11", "libcudart.so.13",
            "libnvrtc.so.13", "libcublas.so.13", "libcudnn_graph.so.9", "libcuda.so.1");
    private static final List<String> BINDINGS = List.of(
            "org/bytedeco/tensorrt/global/nvinfer.class", "org/bytedeco/cuda/global/cudart.class",
            "org/bytedeco/javacpp/linux-x86_64/libjnijavacpp.so", "org/bytedeco/cuda/linux-x86_64/libjnicudart.so",
            "org/bytedeco/tensorrt/linux-x86_64/libjninvinfer.so");

    private TensorRtProbe() {
    }

    /** Why it cannot be used, in one line, or null if nothing is known to stand against it. */
    static String obstacle(final ClassLoader classPath, final SharedLibraries libraries) {
        if (BINDINGS.stream().anyMatch(name -> classPath.getResource(name) == null)) {
            return "the bindings (org.bytedeco:tensorrt, linux-x86_64 too) are not on the class path";
        }
        final List<String> missing = LIBRARIES.stream().filter(library -> !libraries.has(library)).toList();
        return missing.isEmpty() ? null : "not found: " + String.join(", ", missing);
    }
}
