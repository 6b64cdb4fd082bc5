package io.tiercel.appliance.engine;

import org.agrona.UnsafeApi;

/**
 * A block of memory for sessions' states, of the kind that a backend reaches fastest. Its first touch is slow wherever
 * it comes from, so a block is touched from its start.
 */
public interface StateMemory extends AutoCloseable {

    /** Where it begins, 64-byte aligned; the same until it is closed. */
    long address();

    /** Gives it back. A second call does nothing. */
    @Override
    void close();

    /**
     * Memory as the allocator gives it; not zeroed.
     *
     * @throws OutOfMemoryError if there is none.
     */
    static StateMemory plain(final long bytes) {
        return new PlainMemory(bytes);
    }

    /** Behind {@link #plain}. */
    final class PlainMemory implements StateMemory {

        private static final int ALIGNMENT = 64;

        private long allocation;

        private PlainMemory(final long bytes) {
            allocation = UnsafeApi.allocateMemory(bytes + ALIGNMENT);
        }

        @Override
        public long address() {
            return (allocation + ALIGNMENT - 1) & -ALIGNMENT;
        }

        @Override
        public void close() {
            if (allocation != 0) {
                UnsafeApi.freeMemory(allocation);
                allocation = 0;
            }
        }
    }
}
