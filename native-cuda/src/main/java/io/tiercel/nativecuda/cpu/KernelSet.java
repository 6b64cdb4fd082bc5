package io.tiercel.nativecuda.cpu;

import java.util.EnumSet;
import java.util.Set;

/** The kernels written for one instruction set; the best one last. All compute the same bits. */
public enum KernelSet {

    /** C++ without intrinsics, for any processor. */
    PORTABLE("portable C++", 1),

    /** 8 lanes, weights widened to 16 bits. */
    AVX2("AVX2", 2),

    /** 16 lanes, four products of bytes in each. */
    AVX512_VNNI("AVX-512 VNNI", 4);

    private final String title;
    private final int bit;

    KernelSet(final String title, final int bit) {
        this.title = title;
        this.bit = bit;
    }

    /** As people write it. */
    public String title() {
        return title;
    }

    /** As {@code enum tiercel_kernel_set} of {@code tiercel_cpu.h} has it. */
    int bit() {
        return bit;
    }

    /**
     * Those that this processor and its system can run, by CPUID.
     *
     * @throws UnsatisfiedLinkError if the kernels were not built or cannot be loaded.
     */
    public static Set<KernelSet> available() {
        CpuKernels.loadLibrary();
        final int bits = CpuKernels.kernelSets();
        final Set<KernelSet> sets = EnumSet.noneOf(KernelSet.class);
        for (final KernelSet set : values()) {
            if ((bits & set.bit) != 0) {
                sets.add(set);
            }
        }
        return sets;
    }
}
