/**
 * Backends over native code. {@code cpu}, {@code cuda} and {@code onnxruntime} have packages of their own;
 * {@code tensorrt} only looks at the machine and says what it finds: it is not built in this version, and does not
 * claim otherwise.
 */
package io.tiercel.nativecuda;
