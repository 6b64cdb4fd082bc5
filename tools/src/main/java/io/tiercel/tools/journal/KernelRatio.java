package io.tiercel.tools.journal;

import io.tiercel.replay.KernelSpeed;

/**
 * How fast a verification is beside the kernels that it uses.
 *
 * @param kernels           alone.
 * @param requestsPerSecond of a verification in a process that is warm: a JVM spends its first second on compiling.
 * @param processorNs       of that verification, for a request: its only thread's; 0 if it has several.
 */
record KernelRatio(KernelSpeed kernels, double requestsPerSecond, double processorNs) {

    /** Which part of the kernels' speed it has. */
    double ratio() {
        return requestsPerSecond / kernels.requestsPerSecond();
    }

    boolean hasProcessorTime() {
        return processorNs > 0;
    }

    /** As {@link #ratio}, by processor time, where it {@link #hasProcessorTime}. */
    double processorRatio() {
        return kernels.processorNs() / processorNs;
    }
}
