package io.tiercel.nativecuda;

/** What will serve with the CUDA kernels: not in this version; says whether this machine has a driver for them. */
public final class CudaBackend extends NativeBackend {

    private static final int PREFERENCE = 50;
    private static final String DRIVER = "libcuda.so.1";

    private final SharedLibraries libraries;

    public CudaBackend() {
        this(SharedLibraries.ofMachine());
    }

    CudaBackend(final SharedLibraries libraries) {
        super("cuda", PREFERENCE);
        this.libraries = libraries;
    }

    @Override
    String reason() {
        return libraries.has(DRIVER) ? NOT_BUILT + "; driver " + DRIVER + ": yes" : DRIVER + " not found";
    }
}
