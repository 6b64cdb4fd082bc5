/**
 * The exact-arithmetic reference in plain Java: the specification of every other exact backend, and the backend that
 * is always there.
 *
 * <p>What it computes with comes validated from {@code engine.lstm} and {@code engine.transformer}; the few float
 * formulas are in {@code engine.exact}. Read {@code QuantisedMatrix} (integer products), then for one family
 * {@code FeatureQuantiser}, {@code LstmModel} and {@code LstmExecutor}, for the other {@code VectorMath},
 * {@code TransformerCodec}, {@code TransformerCache} and {@code TransformerExecutor}; an executor is the forward pass.
 * Every float operation is one IEEE binary32 operation rounded to nearest, ties to even, in the order written;
 * denormals are kept; nothing is fused. Loops are written so that the JIT vectorises them, which changes no bit: an
 * element's operations are the same in any lane.
 */
package io.tiercel.appliance.engine.reference;
