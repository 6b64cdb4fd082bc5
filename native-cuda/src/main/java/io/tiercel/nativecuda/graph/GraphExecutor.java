package io.tiercel.nativecuda.graph;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.exact.Softmax;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.appliance.engine.onnx.RowWindow;
import org.agrona.UnsafeApi;

/**
 * Steps of one graph, for one thread at a time. A step puts each session's window with the new row in it to the
 * runner's input, one behind the other, runs the graph once for all of them, or for a few after the other where the
 * runner takes no more, and only then adds the rows to the states: if the device is lost in between, no session has
 * moved.
 *
 * <p>Allocates in its constructor only. Owns the runner.
 */
public final class GraphExecutor implements ModelExecutor {

    private static final long FLOATS = UnsafeApi.arrayBaseOffset(float[].class);

    private final GraphRunner runner;
    private final RowWindow window;
    private final boolean hasSoftmax;
    private final int featuresBytes;
    private final int outputsBytes;
    private final int capacity;
    /** Where the outputs of each position go. */
    private final long[] targets;
    private final float[] scores;
    private final int[] terms;

    public GraphExecutor(final GraphRunner runner, final GraphParameters parameters) {
        this.runner = runner;
        window = parameters.window();
        hasSoftmax = parameters.format().softmax();
        featuresBytes = window.columns() * Float.BYTES;
        outputsBytes = parameters.outputCount() * Float.BYTES;
        capacity = runner.capacity();
        targets = new long[capacity];
        scores = new float[parameters.outputCount()];
        terms = new int[parameters.outputCount()];
    }

    @Override
    public void initialise(final long stateAddress) {
        window.initialise(stateAddress);
    }

    @Override
    public void step(final StepBatch batch) {
        int count = 0;
        for (int i = 0, size = batch.size(); i < size; i++) {
            window.copyTo(batch.stateAddress(i), batch.featuresAddress(i), inputAddress(count));
            count = enqueue(count, batch.outputsAddress(i));
        }
        run(count);
        for (int i = 0, size = batch.size(); i < size; i++) {
            window.add(batch.stateAddress(i), batch.featuresAddress(i));
        }
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
                window.copyTo(stateAddress, inputAddress(count));
                count = enqueue(count, outputsAddress + (long) step * outputsStride);
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
        runner.close();
    }

    private long inputAddress(final int position) {
        return runner.inputAddress() + (long) position * window.windowBytes();
    }

    /** The window at a position of the input is there; the graph runs if that was the last. Returns the next one. */
    private int enqueue(final int position, final long outputsAddress) {
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
        runner.run(count);
        for (int position = 0; position < count; position++) {
            answer(runner.outputAddress() + (long) position * outputsBytes, targets[position]);
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
}
