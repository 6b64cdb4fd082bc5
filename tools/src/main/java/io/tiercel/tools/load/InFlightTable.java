package io.tiercel.tools.load;

import java.util.Arrays;
import org.agrona.BitUtil;

/**
 * The requests that are not answered yet, by correlation id: open addressing over four arrays, so that neither a
 * request nor its answer allocates. Single-threaded.
 *
 * <p>Assumes ids above 0. A removed entry's followers are moved up, so there are no tombstones and the table stays as
 * fast after hours as at the start.
 */
final class InFlightTable {

    private static final long FREE = 0;

    private final long[] correlationIds;
    private final long[] requestIndexes;
    private final long[] dueTimesNs;
    private final long[] sentTimesNs;
    private final int mask;
    private final int capacity;
    private int size;
    private long removedDueNs;
    private long removedSentNs;

    /**
     * @param capacity requests in flight at most.
     */
    InFlightTable(final int capacity) {
        if (capacity < 1 || capacity > 1 << 24) {
            throw new IllegalArgumentException("capacity=" + capacity + " is not in 1..16777216");
        }
        final int slots = BitUtil.findNextPositivePowerOfTwo(2 * capacity);
        this.capacity = capacity;
        this.mask = slots - 1;
        this.correlationIds = new long[slots];
        this.requestIndexes = new long[slots];
        this.dueTimesNs = new long[slots];
        this.sentTimesNs = new long[slots];
    }

    boolean isFull() {
        return size == capacity;
    }

    int size() {
        return size;
    }

    /** Adds a request. The table must not be full, and the id not in it. */
    void put(final long correlationId, final long requestIndex, final long dueNs, final long sentNs) {
        if (correlationId <= FREE || size == capacity) {
            throw new IllegalStateException("correlationId=" + correlationId + " size=" + size);
        }
        int slot = (int) correlationId & mask;
        while (correlationIds[slot] != FREE) {
            if (correlationIds[slot] == correlationId) {
                throw new IllegalStateException("correlationId=" + correlationId + " is in flight already");
            }
            slot = (slot + 1) & mask;
        }
        correlationIds[slot] = correlationId;
        requestIndexes[slot] = requestIndex;
        dueTimesNs[slot] = dueNs;
        sentTimesNs[slot] = sentNs;
        size++;
    }

    /**
     * Takes a request out; its times then are {@link #removedDueNs} and {@link #removedSentNs}.
     *
     * @return its index, or −1 if the id is not in flight.
     */
    long remove(final long correlationId) {
        int slot = (int) correlationId & mask;
        while (correlationIds[slot] != correlationId) {
            if (correlationIds[slot] == FREE) {
                return -1;
            }
            slot = (slot + 1) & mask;
        }
        final long requestIndex = requestIndexes[slot];
        removedDueNs = dueTimesNs[slot];
        removedSentNs = sentTimesNs[slot];
        size--;
        closeGap(slot);
        return requestIndex;
    }

    long removedDueNs() {
        return removedDueNs;
    }

    long removedSentNs() {
        return removedSentNs;
    }

    void clear() {
        Arrays.fill(correlationIds, FREE);
        size = 0;
    }

    private void closeGap(final int removedSlot) {
        int gap = removedSlot;
        int slot = (gap + 1) & mask;
        while (correlationIds[slot] != FREE) {
            final int home = (int) correlationIds[slot] & mask;
            final boolean mayMove = ((slot - home) & mask) >= ((slot - gap) & mask); // its home is not after the gap
            if (mayMove) {
                correlationIds[gap] = correlationIds[slot];
                requestIndexes[gap] = requestIndexes[slot];
                dueTimesNs[gap] = dueTimesNs[slot];
                sentTimesNs[gap] = sentTimesNs[slot];
                gap = slot;
            }
            slot = (slot + 1) & mask;
        }
        correlationIds[gap] = FREE;
    }
}
