/**
 * The {@code cuda} backend: the CUDA kernels of {@code src/main/cuda} behind the engine's SPI. Read
 * {@code CudaBackend}, {@code CudaDevice}, {@code CudaLstmModel}, {@code PersistentKernel}, {@code CudaLstmExecutor},
 * and {@code CudaTransformerModel}, {@code TransformerLaunches}, {@code TransformerResident},
 * {@code CudaTransformerExecutor}; {@code CudaDriver} is the driver's interface in Java.
 */
package io.tiercel.nativecuda.cuda;
