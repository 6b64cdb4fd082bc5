package io.tiercel.nativecuda.cpu;

import io.tiercel.appliance.engine.StepBatch;
import org.agrona.UnsafeApi;

/** A batch as it crosses over: a table of three addresses a position, of features, state and outputs. One thread. */
final class PositionTable implements AutoCloseable {

    private static final int POSITION_BYTES = 3 * Long.BYTES;

    private final int maxBatch;
    private long address;

    PositionTable(final int maxBatch) {
        this.maxBatch = maxBatch;
        address = UnsafeApi.allocateMemory((long) maxBatch * POSITION_BYTES);
    }

    /** Fills the table; returns where it is. */
    long of(final StepBatch batch) {
        final int size = batch.size();
        if (size > maxBatch || address == 0) {
            throw new IllegalStateException("batch=" + size + " maxBatch=" + maxBatch + " closed=" + (address == 0));
        }
        for (int i = 0; i < size; i++) {
            put(i, batch.featuresAddress(i), batch.stateAddress(i), batch.outputsAddress(i));
        }
        return address;
    }

    /** A table of one state, for what needs no more. */
    long of(final long stateAddress) {
        put(0, 0, stateAddress, 0);
        return address;
    }

    /** A second call does nothing. */
    @Override
    public void close() {
        if (address != 0) {
            UnsafeApi.freeMemory(address);
            address = 0;
        }
    }

    private void put(final int index, final long featuresAddress, final long stateAddress, final long outputsAddress) {
        final long position = address + (long) index * POSITION_BYTES;
        UnsafeApi.putLong(position, featuresAddress);
        UnsafeApi.putLong(position + Long.BYTES, stateAddress);
        UnsafeApi.putLong(position + 2 * Long.BYTES, outputsAddress);
    }
}
