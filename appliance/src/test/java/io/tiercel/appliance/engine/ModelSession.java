package io.tiercel.appliance.engine;

import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** One session's off-heap memory, and a batch of one over it: what the pipeline does, for tests of engines. */
public final class ModelSession {

    public final MutableDirectBuffer state;
    public final MutableDirectBuffer features;
    public final MutableDirectBuffer outputs;
    public final StepBatch batch = new StepBatch(1);

    private final ModelShape shape;
    private final ModelExecutor executor;

    public ModelSession(final ModelShape shape, final ModelExecutor executor) {
        this.shape = shape;
        this.executor = executor;
        state = allocate(shape.stateBytes());
        features = allocate(Float.BYTES * shape.featureCount());
        outputs = allocate(Float.BYTES * shape.outputCount());
        batch.add(features.addressOffset(), state.addressOffset(), outputs.addressOffset());
        executor.initialise(state.addressOffset());
    }

    public ModelSession features(final float[] values) {
        for (int i = 0; i < values.length; i++) {
            features.putFloat(i * Float.BYTES, values[i]);
        }
        return this;
    }

    /** Four bytes of an input each: floats' bits, or a token. */
    public ModelSession input(final int[] values) {
        for (int i = 0; i < values.length; i++) {
            features.putInt(i * Integer.BYTES, values[i]);
        }
        return this;
    }

    public float[] outputs() {
        final float[] values = new float[shape.outputCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = outputs.getFloat(i * Float.BYTES);
        }
        return values;
    }

    public byte[] canonicalState() {
        return state(shape.canonicalBytes());
    }

    public byte[] wholeState() {
        return state(shape.stateBytes());
    }

    /** The first so many bytes of it. */
    public byte[] state(final int bytes) {
        final byte[] copy = new byte[bytes];
        state.getBytes(0, copy);
        return copy;
    }

    /** A step and all that follows it; returns the new hash. */
    public long step(final float[] values, final long previousHash) {
        return features(values).step(previousHash);
    }

    /** The same with the input that is there. */
    public long step(final long previousHash) {
        executor.step(batch);
        final long hash = executor.hash(state.addressOffset(), previousHash);
        executor.ahead(batch);
        return hash;
    }

    private static MutableDirectBuffer allocate(final int bytes) {
        return new UnsafeBuffer(
                BufferUtil.allocateDirectAligned(BitUtil.align(bytes, 64), 64).order(java.nio.ByteOrder.nativeOrder()));
    }
}
