/**
 * The {@code onnxruntime} backend: graphs of other programs by Microsoft's ONNX Runtime, on the CPU, within the
 * tolerance that a bundle states. Read {@code OnnxRuntimeBackend}, {@code OnnxModel}, {@code OnnxRunner}.
 *
 * <p>The library is an optional dependency: {@code OnnxRuntimeBackend} and {@code OnnxRuntimeProbe} name none of its
 * classes, so that both load where it is not on the class path, and say so.
 */
package io.tiercel.nativecuda.onnxruntime;
