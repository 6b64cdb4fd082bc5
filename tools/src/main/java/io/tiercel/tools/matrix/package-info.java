/** Matrices of floats, and how they become matrices of integers under a scale for each row. */
package io.tiercel.tools.matrix;
