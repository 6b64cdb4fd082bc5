package io.tiercel.tools.engine;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import org.agrona.concurrent.UnsafeBuffer;

/** A model on a device beside the same on the Java reference: where they differ, no figure of the device counts. */
final class DeviceCheck {

    private final ModelExecutor executor;
    private final FeatureTape tape;
    private final UnsafeBuffer state;
    private final UnsafeBuffer outputs;
    private final StepBatch batch = new StepBatch(1);
    private long hash;

    private DeviceCheck(final Model model, final ModelExecutor executor, final FeatureTape tape) {
        this.executor = executor;
        this.tape = tape;
        state = NativeMemory.allocate(model.shape().stateBytes());
        outputs = NativeMemory.allocate(model.shape().outputCount() * Float.BYTES);
        executor.initialise(state.addressOffset());
    }

    /** @throws ToolException at the first step of the tape that differs. */
    static void requireEqual(final String title, final Model model, final Bundle bundle, final FeatureTape tape) {
        try (Model reference = new ReferenceBackend().load(bundle, 1);
                ModelExecutor expectedExecutor = reference.newExecutor(1);
                ModelExecutor executor = model.newExecutor(1)) {
            final DeviceCheck expected = new DeviceCheck(reference, expectedExecutor, tape);
            final DeviceCheck actual = new DeviceCheck(model, executor, tape);
            for (int step = 0; step < FeatureTape.LENGTH; step++) {
                expected.step(step);
                actual.step(step);
                if (expected.hash != actual.hash || expected.outputs.compareTo(actual.outputs) != 0) {
                    throw new ToolException(ExitCode.CHECK_FAILED,
                            title + ": step " + step + " differs from the reference");
                }
            }
        }
    }

    private void step(final int index) {
        if (!executor.hasRoom(state.addressOffset(), 1)) {
            executor.initialise(state.addressOffset());
        }
        batch.clear();
        batch.add(tape.address(index), state.addressOffset(), outputs.addressOffset());
        executor.step(batch);
        hash = executor.hash(state.addressOffset(), hash);
        executor.ahead(batch);
    }
}
