/**
 * The {@code tensorrt} backend: graphs of other programs by NVIDIA's TensorRT, on a GPU, within the tolerance that a
 * bundle states. Read {@code TensorRtBackend}, {@code TensorRtModel}, {@code EngineCache}, then {@code NvInfer}, which
 * alone names classes of the library.
 *
 * <p>The bindings are an optional dependency and the libraries are the host's: {@code TensorRtBackend} and {@code
 * TensorRtProbe} load where neither is, and say so.
 */
package io.tiercel.nativecuda.tensorrt;
