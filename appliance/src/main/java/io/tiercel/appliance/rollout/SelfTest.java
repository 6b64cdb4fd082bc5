package io.tiercel.appliance.rollout;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.OutputComparison;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.protocol.journal.Arithmetic;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Whether a version computes as it should: the same made-up session on its backend and on the reference, step by step,
 * outputs and state hash bit for bit. A version whose backend is not exact has no reference: it is held against itself,
 * within its tolerance. Of every version it is asked that outputs are finite. The inputs are the same each time.
 *
 * <p>Not for a hot thread; all it allocates goes with it.
 */
final class SelfTest {

    /** Beyond the window of a cache with bits, so that tokens are coded again, and short for a model of any size. */
    private static final int MAX_STEPS = 192;
    private static final long SPREAD = 0x9E3779B97F4A7C15L;
    private static final int FEATURE_BITS = 24;

    private final Bundle bundle;
    private final LoadedModel version;

    SelfTest(final Bundle bundle, final LoadedModel version) {
        this.bundle = bundle;
        this.version = version;
    }

    /** What is wrong; null if nothing is. */
    String run() {
        if (version.model().arithmetic() != Arithmetic.EXACT) {
            return compare(version.model());
        }
        try (Model reference = Backends.load(Backends.reference(bundle), bundle, 1)) {
            return compare(reference);
        }
    }

    private String compare(final Model reference) {
        try (Run tested = new Run(version.model()); Run expected = new Run(reference)) {
            for (int step = 0; step < MAX_STEPS && tested.hasRoom(); step++) {
                final String difference = compare(step, tested, expected);
                if (difference != null) {
                    return "version=" + version.versionHex() + " backend=" + version.backendName() + " step=" + step +
                            ' ' + difference;
                }
            }
            return null;
        }
    }

    private String compare(final int step, final Run tested, final Run expected) {
        tested.step(step);
        expected.step(step);
        for (int index = 0; index < tested.outputCount(); index++) {
            final float output = Float.intBitsToFloat(tested.outputBits(index));
            if (!tested.isToken(index) && !Float.isFinite(output)) {
                return "outputs[" + index + "]=" + output + " is not finite";
            }
        }
        final int index = new OutputComparison(version.model()).firstDifference(
                expected.outputs, 0, tested.outputs, tested.outputCount() * Float.BYTES);
        if (index != OutputComparison.NONE) {
            return "outputs[" + index + "]=0x" + Integer.toHexString(tested.outputBits(index)) + " reference=0x" +
                    Integer.toHexString(expected.outputBits(index));
        }
        return tested.hash() == expected.hash()
                ? null
                : "stateHash=0x" + Long.toHexString(tested.hash()) + " reference=0x" +
                        Long.toHexString(expected.hash());
    }

    /** One session of one model. */
    private final class Run implements AutoCloseable {

        private final ModelShape shape;
        private final SessionStates states;
        private final ModelExecutor executor;
        private final UnsafeBuffer features;
        private final UnsafeBuffer outputs;

        private Run(final Model model) {
            shape = model.shape();
            states = new SessionStates(1, model, version.versionBytes());
            executor = model.newExecutor(1);
            features = allocate(shape.featureCount());
            outputs = allocate(shape.outputCount());
            states.begin(0, executor, 0, 0);
        }

        private boolean hasRoom() {
            return states.hasRoom(0, 1, executor);
        }

        private void step(final int step) {
            for (int index = 0; index < shape.featureCount(); index++) {
                final long drawn = ((long) step * shape.featureCount() + index + 1) * SPREAD;
                if (shape.hasTokens()) {
                    features.putInt(index * Float.BYTES,
                            (int) ((drawn >>> Integer.SIZE) * shape.vocabularySize() >>> Integer.SIZE), LITTLE_ENDIAN);
                } else {
                    final float fraction = (drawn >> Long.SIZE - FEATURE_BITS) / (float) (1 << FEATURE_BITS - 2);
                    features.putFloat(index * Float.BYTES, fraction, LITTLE_ENDIAN);
                }
            }
            states.steps(0, executor, features.addressOffset(), 1, outputs.addressOffset(), 0);
        }

        private int outputCount() {
            return shape.outputCount();
        }

        /** Of next tokens, every other output is one. */
        private boolean isToken(final int index) {
            return shape.namesTokens() && (index & 1) == 0;
        }

        private int outputBits(final int index) {
            return outputs.getInt(index * Float.BYTES, LITTLE_ENDIAN);
        }

        private long hash() {
            return states.hash(0);
        }

        @Override
        public void close() {
            executor.close();
            states.close();
        }

        private UnsafeBuffer allocate(final int floatCount) {
            return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                    BitUtil.align(floatCount * Float.BYTES, BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
        }
    }
}
