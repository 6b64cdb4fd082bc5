package io.tiercel.nativecuda;

/** NVIDIA's TensorRT, for models outside the exact families: not built in this version. */
public final class TensorRtBackend extends NativeBackend {

    /** Below the reference: a tolerance backend is used only when the configuration names it. */
    private static final int PREFERENCE = -1;
    private static final String LIBRARY = "libnvinfer.so.10";

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
        return libraries.has(LIBRARY) ? "not built in this version; " + LIBRARY + ": yes" : LIBRARY + " not found";
    }
}
