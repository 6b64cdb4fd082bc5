package io.tiercel.nativecuda.tensorrt;

import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.graph.GraphRunner;
import io.tiercel.nativecuda.graph.GraphSignature;
import io.tiercel.nativecuda.graph.GraphSignature.Port;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.agrona.concurrent.NanoClock;
import org.bytedeco.tensorrt.global.nvinfer.DataType;
import org.bytedeco.tensorrt.global.nvinfer.TensorIOMode;
import org.bytedeco.tensorrt.nvinfer.Dims64;
import org.bytedeco.tensorrt.nvinfer.ICudaEngine;

/** A plan on the GPU; see {@link NvInfer} for how long it lives. */
final class NvEngine implements Engine {

    private final ICudaEngine engine;
    private final NvLog log;
    private final NanoClock clock;

    NvEngine(final ICudaEngine engine, final NvLog log, final NanoClock clock) {
        this.engine = engine;
        this.log = log;
        this.clock = clock;
    }

    @Override
    public GraphSignature signature() {
        final Map<String, Port> inputs = new LinkedHashMap<>();
        final Map<String, Port> outputs = new LinkedHashMap<>();
        for (int i = 0; i < engine.getNbIOTensors(); i++) {
            final String name = engine.getIOTensorName(i);
            (isInput(name) ? inputs : outputs).put(name, port(name));
        }
        return new GraphSignature(inputs, outputs);
    }

    @Override
    public GraphRunner newRunner(final GraphParameters parameters, final int capacity) {
        return new NvRunner(engine, log, clock, parameters, capacity);
    }

    @Override
    public void close() {
        // The presets cannot delete it.
    }

    /** By value: what a function of the presets returns is not one of the constants. */
    private boolean isInput(final String name) {
        return engine.getTensorIOMode(name).value == TensorIOMode.kINPUT.value;
    }

    private Port port(final String name) {
        final Dims64 dimensions = engine.getTensorShape(name);
        final List<Integer> shape = new ArrayList<>();
        for (int i = 0; i < dimensions.nbDims(); i++) {
            shape.add(Math.toIntExact(dimensions.d(i)));
        }
        final DataType type = engine.getTensorDataType(name);
        return new Port(type.value == DataType.kFLOAT.value ? GraphSignature.FLOAT : type.intern().toString(), shape);
    }
}
