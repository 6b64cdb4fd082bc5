/**
 * The {@code transformer} family as a bundle holds it: what every backend of the family shares, part of the SPI. A
 * backend reads {@code TransformerParameters} from a {@code Bundle}, so that all refuse the same bundles in the same
 * words, and packs the weights as its kernels want them; {@code TransformerStateLayout} says where each bit of a
 * session's state stands. Whoever has these and {@code TRANSFORMER.md} needs nothing of the reference.
 *
 * <p>Read in this order: {@code TransformerShape}, {@code TransformerParameters}, {@code TransformerLayerParameters},
 * {@code CodecParameters}, {@code TransformerStateLayout}. Not on a hot path, but for the rotation's angles.
 */
package io.tiercel.appliance.engine.transformer;
