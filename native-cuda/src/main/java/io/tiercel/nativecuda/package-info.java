/**
 * Backends over native code. {@code cpu} and {@code onnxruntime} have packages of their own; {@code cuda} and
 * {@code tensorrt} only look at the machine and say what they find: their kernels are not built in this version, and
 * neither claims otherwise.
 */
package io.tiercel.nativecuda;
