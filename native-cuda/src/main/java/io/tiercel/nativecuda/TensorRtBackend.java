package io.tiercel.nativecuda;

import java.util.List;

/**
 * NVIDIA's TensorRT, for models outside the exact families: serving with it is not built in this version. Says which of
 * the libraries that the bindings {@code org.bytedeco:tensorrt:11.2-1.5.14} are linked with this machine lacks.
 */
public final class TensorRtBackend extends NativeBackend {

    /** Below the reference: a tolerance backend is used only when the configuration names it. */
    private static final int PREFERENCE = -1;

    /** TensorRT 11 and its reader of ONNX files, the CUDA 13 runtime, the driver. */
    private static final List<String> LIBRARIES =
            List.of("libnvinfer.so.11", "libnvonnxparser.so.11", "libcudart.so.13", "libcuda.so.1");

    private final SharedLibraries libraries;

    public TensorRtBackend() {
        this(SharedLibraries.ofMachine());
    }

    TensorRtBackend(final SharedLibraries libraries) {
        super("tensorrt", PREFERENCE);
        this.libraries = libraries;
    }

    @Override
    String reason() {
        final List<String> missing = LIBRARIES.stream().filter(library -> !libraries.has(library)).toList();
        final String found = missing.isEmpty()
                ? "all it needs is there: " + String.join(", ", LIBRARIES)
                : "not found: " + String.join(", ", missing);
        return "not built in this version; " + found;
    }
}
