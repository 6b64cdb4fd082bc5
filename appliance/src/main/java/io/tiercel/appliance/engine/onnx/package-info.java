/**
 * The {@code onnx} family: a graph of another program, with a window of the newest rows as the session's state. What
 * every backend of the family shares, part of the SPI: {@code GraphParameters} is a bundle's content, validated;
 * {@code RowWindow} is the state, its layout and its arithmetic, which is exact. Only what a graph makes of a window is
 * not; how near two computations of it are is the bundle's tolerance. See {@code ENGINE.md}.
 */
package io.tiercel.appliance.engine.onnx;
