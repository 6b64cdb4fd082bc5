/**
 * Bundles of the {@code transformer} family: made from networks in fp32 and what their attention is seen to do
 * (calibration), measured against them, and run from the command line.
 *
 * <p>Read in this order: {@code TransformerSettings}, {@code CacheStatistics}, {@code CodecCalibration},
 * {@code TransformerQuantiser}; then {@code TransformerSession}, {@code TransformerEvaluation},
 * {@code GenerateCommand}.
 */
package io.tiercel.tools.transformer;
