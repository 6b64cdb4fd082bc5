package io.tiercel.nativecuda;

import java.nio.file.Path;

/** The C++ kernels (AVX-512, AVX2): not built in this version; says whether this processor would suit them. */
public final class CpuBackend extends NativeBackend {

    private static final int PREFERENCE = 100;

    private final Path cpuInfo;

    public CpuBackend() {
        this(CpuFeatures.CPU_INFO);
    }

    CpuBackend(final Path cpuInfo) {
        super("cpu", PREFERENCE);
        this.cpuInfo = cpuInfo;
    }

    @Override
    String reason() {
        final CpuFeatures features = CpuFeatures.read(cpuInfo);
        return NOT_BUILT + "; AVX-512 VNNI: " + yesNo(features.hasAvx512Vnni()) + ", AVX2: "
                + yesNo(features.hasAvx2());
    }

    private static String yesNo(final boolean value) {
        return value ? "yes" : "no";
    }
}
