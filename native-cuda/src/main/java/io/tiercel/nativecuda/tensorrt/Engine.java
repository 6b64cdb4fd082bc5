package io.tiercel.nativecuda.tensorrt;

import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.graph.GraphRunner;
import io.tiercel.nativecuda.graph.GraphSignature;

/** A plan that is ready to run; runners share its weights on the GPU, and are closed before it. */
interface Engine extends AutoCloseable {

    GraphSignature signature();

    /** @param capacity positions of one run, at most those that the plan was made for. */
    GraphRunner newRunner(GraphParameters parameters, int capacity);

    @Override
    void close();
}
