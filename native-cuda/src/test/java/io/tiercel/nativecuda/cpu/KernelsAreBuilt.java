package io.tiercel.nativecuda.cpu;

import org.opentest4j.TestAbortedException;

/** Tests of the kernels do not run where there are none, and say so. */
final class KernelsAreBuilt {

    private KernelsAreBuilt() {
    }

    static void orSkip(final String what) {
        if (!CpuKernels.isBuilt()) {
            System.out.println("not run: " + what + ": the kernels were not built (no g++)");
            throw new TestAbortedException("the kernels were not built");
        }
    }
}
