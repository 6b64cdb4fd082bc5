package io.tiercel.appliance.engine;

/**
 * Positions of one batch: for each, where its features and state are and where its outputs go. Written by the infer
 * thread that owns it, read by a {@link ModelExecutor} on the same thread; reused, never grown.
 */
public final class StepBatch {

    private final long[] featuresAddresses;
    private final long[] stateAddresses;
    private final long[] outputsAddresses;
    private int size;

    public StepBatch(final int capacity) {
        featuresAddresses = new long[capacity];
        stateAddresses = new long[capacity];
        outputsAddresses = new long[capacity];
    }

    public void clear() {
        size = 0;
    }

    /** Adds a position; the caller keeps to {@link #capacity()}. */
    public void add(final long featuresAddress, final long stateAddress, final long outputsAddress) {
        final int index = size++;
        featuresAddresses[index] = featuresAddress;
        stateAddresses[index] = stateAddress;
        outputsAddresses[index] = outputsAddress;
    }

    public int size() {
        return size;
    }

    public int capacity() {
        return featuresAddresses.length;
    }

    public long featuresAddress(final int index) {
        return featuresAddresses[index];
    }

    public long stateAddress(final int index) {
        return stateAddresses[index];
    }

    public long outputsAddress(final int index) {
        return outputsAddresses[index];
    }
}
