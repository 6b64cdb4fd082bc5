package io.tiercel.tools.engine;

/** What a network's weights are held in. */
public enum Precision {

    /** Weights and arithmetic as trained. */
    FP32,

    /**
     * Signed 8-bit weights with one scale a matrix; activations are quantised anew at each step, from their range. What
     * onnxruntime's {@code quantize_dynamic} makes when nothing else is asked of it.
     */
    INT8
}
