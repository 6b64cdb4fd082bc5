/**
 * Backends over native code. {@code cpu} has its own package; {@code cuda} and {@code tensorrt} only look at the
 * machine and say what they find: their kernels are not built in this version, and neither claims otherwise.
 */
package io.tiercel.nativecuda;
