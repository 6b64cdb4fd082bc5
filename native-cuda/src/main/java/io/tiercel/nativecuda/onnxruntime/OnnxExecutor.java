package io.tiercel.nativecuda.onnxruntime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.exact.Softmax;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.appliance.engine.onnx.RowWindow;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.CloseHelper;
import org.agrona.UnsafeApi;

/**
 * Steps of one graph, for one thread at a time. A step adds a row to each session's window, in Java, copies the windows
 * to the input, one behind the other, and runs the graph once for all of them, or for one after the other where the
 * graph takes no batches. Input and outputs are pinned: buffers of this object's life, which the graph reads and writes
 * itself, with tensors over their first 1, 2, … positions.
 *
 * <p>Allocates in its constructor, but for what {@code OrtSession.run} allocates on the Java heap: 544 bytes a run,
 * measured; there is no API without. A run that fails is a broken invariant, since the graph has run at load.
 */
final class OnnxExecutor implements ModelExecutor {

    private static final long FLOATS = UnsafeApi.arrayBaseOffset(float[].class);

    /** What a run of so many positions is given: values by input, and by output. */
    private record Binding(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) implements AutoCloseable {

        @Override
        public void close() {
            inputs.values().forEach(OnnxTensor::close);
            outputs.values().forEach(OnnxTensor::close);
        }
    }

    private final OrtSession session;
    private final RowWindow window;
    private final boolean hasSoftmax;
    private final int featuresBytes;
    private final int outputsBytes;
    /** Positions of one run. */
    private final int capacity;
    private final ByteBuffer input;
    private final ByteBuffer output;
    private final long inputAddress;
    private final long outputAddress;
    private final Binding[] bindings;
    /** Where the outputs of each position go. */
    private final long[] targets;
    private final float[] scores;
    private final int[] terms;

    OnnxExecutor(
            final OrtEnvironment environment, final OrtSession session, final GraphParameters parameters,
            final int maxBatch) {
        this.session = session;
        window = parameters.window();
        final GraphFormat format = parameters.format();
        hasSoftmax = format.softmax();
        featuresBytes = window.columns() * Float.BYTES;
        outputsBytes = parameters.outputCount() * Float.BYTES;
        capacity = format.hasBatches() ? maxBatch : 1;
        input = allocate(window.windowBytes());
        output = allocate(outputsBytes);
        inputAddress = BufferUtil.address(input);
        outputAddress = BufferUtil.address(output);
        targets = new long[capacity];
        scores = new float[parameters.outputCount()];
        terms = new int[parameters.outputCount()];
        bindings = new Binding[capacity];
        boolean isBound = false;
        try {
            for (int count = 1; count <= capacity; count++) {
                bindings[count - 1] = bind(environment, format, count);
            }
            isBound = true;
        } catch (final OrtException ex) {
            throw new OnnxRuntimeException("ONNX Runtime makes no tensors: " + ex.getMessage(), ex);
        } finally {
            if (!isBound) {
                close();
            }
        }
    }

    @Override
    public void initialise(final long stateAddress) {
        window.initialise(stateAddress);
    }

    @Override
    public void step(final StepBatch batch) {
        int count = 0;
        for (int i = 0, size = batch.size(); i < size; i++) {
            window.add(batch.stateAddress(i), batch.featuresAddress(i));
            count = enqueue(count, batch.stateAddress(i), batch.outputsAddress(i));
        }
        run(count);
    }

    @Override
    public long hash(final long stateAddress, final long previousHash) {
        return window.hash(stateAddress, previousHash);
    }

    @Override
    public void ahead(final StepBatch batch) {
        // The next window needs the next row.
    }

    /** A graph has no memory, so it runs only for steps whose outputs are kept, and for many of them at once. */
    @Override
    public long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        long hash = previousHash;
        int count = 0;
        for (int step = 0; step < stepCount; step++) {
            window.add(stateAddress, featuresAddress + (long) step * featuresBytes);
            hash = window.hash(stateAddress, hash);
            if (outputsStride > 0 || step == stepCount - 1) {
                count = enqueue(count, stateAddress, outputsAddress + (long) step * outputsStride);
            }
        }
        run(count);
        return hash;
    }

    @Override
    public void restore(final long stateAddress) {
        window.check(stateAddress);
    }

    @Override
    public void close() {
        CloseHelper.closeAll(bindings);
    }

    /** Copies a window to the input's next position, and runs the graph if that was the last. Returns the next one. */
    private int enqueue(final int position, final long stateAddress, final long outputsAddress) {
        window.copyTo(stateAddress, inputAddress + (long) position * window.windowBytes());
        targets[position] = outputsAddress;
        if (position + 1 < capacity) {
            return position + 1;
        }
        run(capacity);
        return 0;
    }

    private void run(final int count) {
        if (count == 0) {
            return;
        }
        final Binding binding = bindings[count - 1];
        try {
            session.run(binding.inputs, binding.outputs).close(); // closes nothing that is pinned
        } catch (final OrtException ex) {
            throw new OnnxRuntimeException("ONNX Runtime cannot compute a step: " + ex.getMessage(), ex);
        }
        for (int position = 0; position < count; position++) {
            answer(outputAddress + (long) position * outputsBytes, targets[position]);
        }
    }

    private void answer(final long fromAddress, final long toAddress) {
        if (hasSoftmax) {
            UnsafeApi.copyMemory(null, fromAddress, scores, FLOATS, outputsBytes);
            Softmax.apply(scores, terms, scores.length);
            UnsafeApi.copyMemory(scores, FLOATS, null, toAddress, outputsBytes);
        } else {
            UnsafeApi.copyMemory(fromAddress, toAddress, outputsBytes);
        }
    }

    private ByteBuffer allocate(final int positionBytes) {
        return BufferUtil.allocateDirectAligned(Math.multiplyExact(capacity, positionBytes), BitUtil.CACHE_LINE_LENGTH)
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
