package io.tiercel.tools.journal;

import io.tiercel.replay.KernelSpeed;

/**
 * How fast a verification is beside the kernels that it uses.
 *
 * @param kernels           alone.
 * @param requestsPerSecond of a verification in a process that is warm: a JVM spends its first second on compiling.
 */
record KernelRatio(KernelSpeed kernels, double requestsPerSecond) {

    /** Which part of the kernels' speed it has. */
    double ratio() {
        return requestsPerSecond / kernels.requestsPerSecond();
    }
}
