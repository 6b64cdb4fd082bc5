package io.tiercel.nativecuda.tensorrt;

import io.tiercel.appliance.engine.onnx.GraphParameters;

/** What TensorRT is asked for: plans of graphs, made once for a GPU, and engines that run them. */
interface EngineFactory {

    /**
     * What a plan is good for, and for nothing else: GPU, compute capability, versions of TensorRT, CUDA and driver; in
     * letters, digits, {@code .}, {@code -} and {@code _}.
     */
    String platform();

    /**
     * Makes the plan of a graph, by trying on the GPU what is fastest: seconds to minutes.
     *
     * @param maxPositions of one run.
     * @throws io.tiercel.nativecuda.graph.GraphException if TensorRT refuses the graph.
     */
    byte[] build(GraphParameters parameters, int maxPositions);

    /**
     * Makes a plan ready to run.
     *
     * @throws io.tiercel.nativecuda.graph.GraphException if it is not of this platform, or damaged.
     */
    Engine open(byte[] plan);
}
