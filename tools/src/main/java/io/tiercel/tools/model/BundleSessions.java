package io.tiercel.tools.model;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.ModelInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.agrona.BufferUtil;

/** A loaded bundle and the state of each session that rows have been given for. */
final class BundleSessions implements AutoCloseable {

    /** A file with more sessions than this is refused: each has memory of its own. */
    private static final int MAX_SESSIONS = 65_536;
    private static final int ALIGNMENT = 64;
    private static final int THREADS = 1;

    private final Model model;
    private final ModelExecutor executor;
    private final StepBatch batch = new StepBatch(1);
    private final Map<Long, ByteBuffer> states = new HashMap<>();
    private final ByteBuffer features;
    private final ByteBuffer outputs;
    private final float[] result;

    BundleSessions(final Bundle bundle, final Backend backend) {
        model = Backends.load(backend, bundle, THREADS);
        executor = model.newExecutor(1);
        features = allocate(Float.BYTES * model.shape().featureCount());
        outputs = allocate(Float.BYTES * model.shape().outputCount());
        result = new float[model.shape().outputCount()];
    }

    ModelShape shape() {
        return model.shape();
    }

    /** One step of a session; the same array for each call. */
    float[] step(final long session, final float[] values) {
        final long state = BufferUtil.address(states.computeIfAbsent(session, key -> newState()));
        features.asFloatBuffer().put(values);
        batch.clear();
        batch.add(BufferUtil.address(features), state, BufferUtil.address(outputs));
        executor.step(batch);
        executor.ahead(batch);
        outputs.asFloatBuffer().get(result);
        return result;
    }

    @Override
    public void close() {
        executor.close();
        model.close();
    }

    private ByteBuffer newState() {
        if (states.size() == MAX_SESSIONS) {
            throw new ModelInputException("sessions are more than " + MAX_SESSIONS);
        }
        final ByteBuffer state = allocate(model.shape().stateBytes());
        executor.initialise(BufferUtil.address(state));
        return state;
    }

    private static ByteBuffer allocate(final int bytes) {
        final int aligned = (bytes + ALIGNMENT - 1) & -ALIGNMENT;
        return BufferUtil.allocateDirectAligned(aligned, ALIGNMENT).order(ByteOrder.nativeOrder());
    }
}
