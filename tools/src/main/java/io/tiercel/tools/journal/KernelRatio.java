package io.tiercel.tools.journal;

import io.tiercel.replay.KernelSpeed;
import io.tiercel.replay.ReplayReport;

/**
 * How fast a verification is beside the kernels that it uses.
 *
 * @param kernels alone.
 * @param warm    a verification in a process that is warm: a JVM spends its first second on compiling.
 */
record KernelRatio(KernelSpeed kernels, ReplayReport warm) {

    /** Which part of the kernels' speed it has. */
    double ratio() {
        return warm.requestsPerSecond() / kernels.requestsPerSecond();
    }

    /** Of the verification, for a request: of all its threads together, reading and waiting for each other included. */
    double processorNs() {
        return (double) warm.processorNs() / (warm.rebuiltCount() + warm.comparedCount());
    }

    /** As {@link #ratio}, by processor time. */
    double processorRatio() {
        return kernels.processorNs() / processorNs();
    }
}
