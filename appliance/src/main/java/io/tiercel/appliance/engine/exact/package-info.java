/**
 * The few float formulas of the exact arithmetic, and what is drawn from them: whoever computes or chooses with them
 * has the same bits. Every float operation is one IEEE binary32 operation rounded to nearest, ties to even, in the
 * order written.
 */
package io.tiercel.appliance.engine.exact;
