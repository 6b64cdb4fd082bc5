/**
 * The {@code cpu} backend: the C++ kernels of {@code src/main/cpp} behind the engine's SPI. Read {@code CpuBackend},
 * then {@code CpuLstmModel} and {@code CpuLstmExecutor}; {@code CpuKernels} is the C interface in Java.
 */
package io.tiercel.nativecuda.cpu;
