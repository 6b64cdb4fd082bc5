/**
 * {@code tiercel model}: from a trained network to a bundle, and a look at what a bundle is and does. Nothing here is
 * on a hot path; everything that comes from a file is checked, and refused in one line with the file, the line or
 * tensor, and the value.
 */
package io.tiercel.tools.model;
