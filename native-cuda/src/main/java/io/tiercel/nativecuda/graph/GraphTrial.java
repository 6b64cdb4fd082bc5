package io.tiercel.nativecuda.graph;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.OutputComparison;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.exact.Philox;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Lets a graph run before it serves: two windows of made-up rows, each alone and, if it takes batches, both at once. A
 * graph that fails, or whose answers depend on what else is in the batch, is refused here: an answer of the second kind
 * could be told from no replay, which computes one request at a time, and would be another session's as well.
 */
public final class GraphTrial {

    private static final int POSITIONS = 2;

    private final Model model;
    private final GraphParameters parameters;
    private final ModelShape shape;
    private final UnsafeBuffer[] features = new UnsafeBuffer[POSITIONS];
    private final UnsafeBuffer[] states = new UnsafeBuffer[POSITIONS];
    private final UnsafeBuffer[] together = new UnsafeBuffer[POSITIONS];
    private final UnsafeBuffer alone;

    public GraphTrial(final Model model, final GraphParameters parameters) {
        this.model = model;
        this.parameters = parameters;
        shape = model.shape();
        alone = allocate(shape.outputCount() * Float.BYTES);
        for (int position = 0; position < POSITIONS; position++) {
            features[position] = allocate(shape.featureCount() * Float.BYTES);
            states[position] = allocate(shape.stateBytes());
            together[position] = allocate(shape.outputCount() * Float.BYTES);
        }
    }

    /** @throws GraphException if the graph is not to be served. */
    public void run() {
        try (ModelExecutor executor = model.newExecutor(POSITIONS)) {
            final StepBatch batch = new StepBatch(POSITIONS);
            for (int position = 0; position < POSITIONS; position++) {
                add(batch, position, together[position]);
            }
            executor.step(batch);
            for (int position = 0; position < POSITIONS; position++) {
                batch.clear();
                add(batch, position, alone);
                executor.step(batch);
                compare(position);
            }
        }
    }

    /** A position whose window is as it was each time before: all rows but the newest, which the step brings. */
    private void add(final StepBatch batch, final int position, final UnsafeBuffer outputs) {
        final long state = states[position].addressOffset();
        parameters.window().initialise(state);
        for (int row = 1; row < parameters.window().rows(); row++) {
            makeRow(position, row);
            parameters.window().add(state, features[position].addressOffset());
        }
        makeRow(position, 0);
        batch.add(features[position].addressOffset(), state, outputs.addressOffset());
    }

    /** Within a deviation of the means, so that no part of a graph saturates. */
    private void makeRow(final int position, final int row) {
        for (int column = 0; column < shape.featureCount(); column++) {
            final int bits = (int) Philox.bits(position, (long) row * shape.featureCount() + column);
            features[position].putFloat(
                    column * Float.BYTES, parameters.window().feature(column, bits * 0x1p-31f));
        }
    }

    private void compare(final int position) {
        final OutputComparison comparison = new OutputComparison(model);
        final int index = comparison.firstDifference(together[position], 0, alone, alone.capacity());
        if (index != OutputComparison.NONE) {
            final String found = "outputs[" + index + "]=" + together[position].getFloat(index * Float.BYTES) +
                    " and then " + alone.getFloat(index * Float.BYTES);
            throw new GraphException(parameters.format().hasBatches()
                    ? "the graph's answers depend on what else is in the batch, if not on chance: " + found +
                            " alone; with a batch of 1 in graph.inputShape it may do"
                    : "the graph's answers depend on chance: " + found + " for the same rows", null);
        }
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(bytes, BitUtil.CACHE_LINE_LENGTH));
    }
}
