package io.tiercel.tools.engine;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A session on an executor of the engine, in a batch of one. Timed is {@link ModelExecutor#step}, after which the
 * answer can leave; hash and work ahead follow, as in the appliance. Allocates in its constructor only; owns the
 * executor and the model.
 */
final class ExecutorStep implements TimedStep {

    private final NanoClock clock;
    private final FeatureTape tape;
    private final Model model;
    private final ModelExecutor executor;
    private final UnsafeBuffer features;
    private final UnsafeBuffer state;
    private final UnsafeBuffer outputs;
    private final StepBatch batch = new StepBatch(1);
    private long hash;

    private ExecutorStep(
            final NanoClock clock, final FeatureTape tape, final Model model, final ModelExecutor executor) {
        this.clock = clock;
        this.tape = tape;
        this.model = model;
        this.executor = executor;
        features = NativeMemory.allocate(model.shape().featureCount() * Float.BYTES);
        state = NativeMemory.allocate(model.shape().stateBytes());
        outputs = NativeMemory.allocate(model.shape().outputCount() * Float.BYTES);
        executor.initialise(state.addressOffset());
    }

    /** On a new executor of the model; closes the model if there can be none. */
    static ExecutorStep open(final NanoClock clock, final FeatureTape tape, final Model model) {
        ModelExecutor executor = null;
        try {
            executor = model.newExecutor(1);
            return new ExecutorStep(clock, tape, model, executor);
        } finally {
            if (executor == null) {
                model.close();
            }
        }
    }

    @Override
    public long stepNs(final int tapeIndex) {
        // As ingress does, which writes a request into its slot just before it is computed.
        UnsafeApi.copyMemory(tape.address(tapeIndex), features.addressOffset(), features.capacity());
        if (!executor.hasRoom(state.addressOffset(), 1)) {
            executor.initialise(state.addressOffset());
        }
        batch.clear();
        batch.add(features.addressOffset(), state.addressOffset(), outputs.addressOffset());
        final long begunNs = clock.nanoTime();
        executor.step(batch);
        final long tookNs = clock.nanoTime() - begunNs;
        hash = executor.hash(state.addressOffset(), hash);
        executor.ahead(batch);
        return tookNs;
    }

    /** Of the last step. */
    StepBatch batch() {
        return batch;
    }

    Model model() {
        return model;
    }

    ModelExecutor executor() {
        return executor;
    }

    @Override
    public void close() {
        executor.close();
        model.close();
    }
}
