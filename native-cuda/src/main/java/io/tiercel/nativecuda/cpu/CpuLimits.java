package io.tiercel.nativecuda.cpu;

/**
 * What this machine's core could do at best, measured when it is asked for: the floor that the kernels are compared
 * with. Not on a hot path; runs on the calling thread, which spins.
 */
public final class CpuLimits {

    private CpuLimits() {
    }

    /**
     * The median time in ns to read {@code timedBytes} as weights are read, with {@code betweenBytes} read between two
     * times: what a step and the work ahead of it do to the caches, without the computing.
     *
     * @throws IllegalStateException if there is no memory for it.
     * @throws UnsatisfiedLinkError  if the kernels were not built.
     */
    public static double streamNs(
            final KernelSet kernels, final long timedBytes, final long betweenBytes, final int repetitions) {
        CpuKernels.loadLibrary();
        final double medianNs = CpuKernels.streamNs(kernels.bit(), timedBytes, betweenBytes, repetitions);
        if (medianNs < 0) {
            throw new IllegalStateException("no memory to stream timedBytes=" + timedBytes + " betweenBytes=" +
                    betweenBytes);
        }
        return medianNs;
    }

    /** Cycles of the core a ns (GHz) as it runs now; 0 where it cannot be told. */
    public static double cyclesPerNs() {
        CpuKernels.loadLibrary();
        return CpuKernels.cyclesPerNs();
    }
}
