package io.tiercel.nativecuda.onnxruntime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.graph.GraphException;
import io.tiercel.nativecuda.graph.GraphRunner;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.CloseHelper;

/**
 * Input and outputs are pinned: buffers of this object's life, which the graph reads and writes itself, with tensors
 * over their first 1, 2, … positions.
 *
 * <p>Allocates in its constructor, but for what {@code OrtSession.run} allocates on the Java heap: 544 bytes a run,
 * measured; there is no API without.
 */
final class OnnxRunner implements GraphRunner {

    /** What a run of so many positions is given: values by input, and by output. */
    private record Binding(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) implements AutoCloseable {

        @Override
        public void close() {
            inputs.values().forEach(OnnxTensor::close);
            outputs.values().forEach(OnnxTensor::close);
        }
    }

    private final OrtSession session;
    private final ByteBuffer input;
    private final ByteBuffer output;
    private final Binding[] bindings;

    OnnxRunner(
            final OrtEnvironment environment, final OrtSession session, final GraphParameters parameters,
            final int maxBatch) {
        this.session = session;
        final GraphFormat format = parameters.format();
        bindings = new Binding[format.hasBatches() ? maxBatch : 1];
        input = allocate(parameters.window().windowBytes());
        output = allocate(parameters.outputCount() * Float.BYTES);
        boolean isBound = false;
        try {
            for (int count = 1; count <= bindings.length; count++) {
                bindings[count - 1] = bind(environment, format, count);
            }
            isBound = true;
        } catch (final OrtException ex) {
            throw new GraphException("ONNX Runtime makes no tensors: " + ex.getMessage(), ex);
        } finally {
            if (!isBound) {
                close();
            }
        }
    }

    @Override
    public int capacity() {
        return bindings.length;
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
        final Binding binding = bindings[count - 1];
        try {
            session.run(binding.inputs, binding.outputs).close(); // closes nothing that is pinned
        } catch (final OrtException ex) {
            throw new GraphException("ONNX Runtime cannot compute a step: " + ex.getMessage(), ex);
        }
    }

    @Override
    public void close() {
        CloseHelper.closeAll(bindings);
    }

    private ByteBuffer allocate(final int positionBytes) {
        return BufferUtil.allocateDirectAligned(
                Math.multiplyExact(bindings.length, positionBytes), BitUtil.CACHE_LINE_LENGTH)
                .order(ByteOrder.nativeOrder());
    }

    private Binding bind(final OrtEnvironment environment, final GraphFormat format, final int count)
            throws OrtException {
        return new Binding(
                Map.of(format.input(), tensor(environment, input, format.inputShape(), count)),
                Map.of(format.output(), tensor(environment, output, format.outputShape(), count)));
    }

    /** Over the first positions of the buffer itself: a direct one in native order is not copied. */
    private static OnnxTensor tensor(
            final OrtEnvironment environment, final ByteBuffer buffer, final List<Integer> shape, final int count)
            throws OrtException {
        final FloatBuffer floats = buffer.asFloatBuffer();
        floats.limit(count * GraphFormat.elementCount(shape));
        return OnnxTensor.createTensor(environment, floats, GraphFormat.shape(shape, count));
    }
}
