/** Backends over native code, each in a package of its own, and how its libraries are found and loaded. */
package io.tiercel.nativecuda;
