/**
 * The {@code lstm} family as a bundle holds it: what every backend of the family shares, part of the SPI. A backend
 * reads {@code LstmParameters} from a {@code Bundle}, so that all refuse the same bundles in the same words and round
 * the same products once, and packs the weights as its kernels want them; {@code LstmStateLayout} says where the
 * state's canonical bytes stand. Whoever has these and {@code ENGINE.md} needs nothing of the reference.
 *
 * <p>Read in this order: {@code engine.matrix.MatrixParameters}, {@code LstmLayerParameters}, {@code LstmParameters},
 * {@code LstmStateLayout}. Not on a hot path.
 */
package io.tiercel.appliance.engine.lstm;
