/**
 * Model bundles: safetensors files with a manifest. Files come from outside, so everything here is checked once, when
 * a file is opened, and refused with the file, the tensor or key, and the value; behind an open {@code Bundle} nothing
 * has to be checked again. Not on a hot path.
 */
package io.tiercel.appliance.engine.bundle;
