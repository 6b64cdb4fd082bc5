package io.tiercel.nativecuda.tensorrt;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.RandomGraphs;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.graph.GraphException;
import io.tiercel.nativecuda.graph.GraphRunner;
import io.tiercel.nativecuda.graph.GraphSignature;
import io.tiercel.nativecuda.graph.GraphSignature.Port;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.agrona.BufferUtil;

/**
 * Stands for TensorRT where there is none: plans are a text, and engines compute a random graph in Java. It counts what
 * it is asked for, and its GPU can be lost.
 */
final class MadeUpEngines implements EngineFactory {

    static final String PLATFORM = "Made_Up-sm00-tensorrt11.2.1-cuda13.0";

    private final RandomGraphs graph;
    private final List<Integer> runs = new ArrayList<>();
    private String platform = PLATFORM;
    private int buildCount;
    private int openCount;
    private int openEngines;
    private int openRunners;
    private int runsUntilLost = Integer.MAX_VALUE;
    private int maxPositions;

    MadeUpEngines(final RandomGraphs graph) {
        this.graph = graph;
    }

    void platform(final String newPlatform) {
        platform = newPlatform;
    }

    /** Of the GPU, which then does not come back. */
    void loseAfter(final int moreRuns) {
        runsUntilLost = moreRuns;
    }

    int buildCount() {
        return buildCount;
    }

    int openCount() {
        return openCount;
    }

    /** Engines and runners that are not closed. */
    int leftCount() {
        return openEngines + openRunners;
    }

    /** Positions of each run. */
    List<Integer> runs() {
        return runs;
    }

    @Override
    public String platform() {
        return platform;
    }

    @Override
    public byte[] build(final GraphParameters parameters, final int newMaxPositions) {
        buildCount++;
        maxPositions = newMaxPositions;
        return ("plan of " + platform).getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public Engine open(final byte[] plan) {
        openCount++;
        if (!new String(plan, StandardCharsets.US_ASCII).equals("plan of " + platform)) {
            throw new GraphException("TensorRT: deserializeCudaEngine failed: made for another platform", null);
        }
        openEngines++;
        return new MadeUpEngine();
    }

    private final class MadeUpEngine implements Engine {

        @Override
        public GraphSignature signature() {
            final GraphFormat format = graph.manifest().graph();
            return new GraphSignature(
                    Map.of(format.input(), new Port(GraphSignature.FLOAT, format.inputShape())),
                    Map.of(format.output(), new Port(GraphSignature.FLOAT, format.outputShape())));
        }

        @Override
        public GraphRunner newRunner(final GraphParameters parameters, final int capacity) {
            if (capacity > maxPositions && buildCount > 0) {
                throw new GraphException("capacity=" + capacity + " maxPositions=" + maxPositions, null);
            }
            openRunners++;
            return new MadeUpRunner(parameters, capacity);
        }

        @Override
        public void close() {
            openEngines--;
        }
    }

    private final class MadeUpRunner implements GraphRunner {

        private final int capacity;
        private final int windowFloats;
        private final int outputCount;
        private final ByteBuffer input;
        private final ByteBuffer output;

        private MadeUpRunner(final GraphParameters parameters, final int capacity) {
            this.capacity = capacity;
            windowFloats = parameters.window().windowBytes() / Float.BYTES;
            outputCount = parameters.outputCount();
            input = allocate(capacity * windowFloats);
            output = allocate(capacity * outputCount);
        }

        @Override
        public int capacity() {
            return capacity;
        }

        @Override
        public long inputAddress() {
            return BufferUtil.address(input);
        }

        @Override
        public long outputAddress() {
            return BufferUtil.address(output);
        }

        @Override
        public void run(final int count) {
            if (runsUntilLost-- <= 0) {
                throw new DeviceLostException("the GPU has not answered for 1000 ms", null);
            }
            runs.add(count);
            final float[] window = new float[windowFloats];
            for (int position = 0; position < count; position++) {
                input.asFloatBuffer().position(position * windowFloats).get(window);
                final double[] expected = graph.expected(window);
                for (int i = 0; i < outputCount; i++) {
                    output.putFloat((position * outputCount + i) * Float.BYTES, (float) expected[i]);
                }
            }
        }

        @Override
        public void close() {
            openRunners--;
        }

        private static ByteBuffer allocate(final int floats) {
            return BufferUtil.allocateDirectAligned(floats * Float.BYTES, 64).order(ByteOrder.nativeOrder());
        }
    }
}
