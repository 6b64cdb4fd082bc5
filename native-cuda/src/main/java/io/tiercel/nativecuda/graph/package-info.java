/**
 * Graphs of other programs (family {@code onnx}), whatever library computes them: sessions' windows in and answers out
 * ({@code GraphExecutor}), what a library has to offer for that ({@code GraphRunner}), and what is checked before
 * anybody is served ({@code GraphSignature}, {@code GraphTrial}).
 */
package io.tiercel.nativecuda.graph;
