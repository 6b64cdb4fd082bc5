/**
 * Backends over native code. Today they only look at the machine and say what they find: the kernels are not built in
 * this version, and no backend claims otherwise.
 */
package io.tiercel.nativecuda;
