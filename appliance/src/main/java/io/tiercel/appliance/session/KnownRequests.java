package io.tiercel.appliance.session;

import java.util.Arrays;

/**
 * The newest requests of one principal, by correlation id: as many as their answers fit into the window's slots. A
 * request takes the slots that follow those of the one before, all around; to make room, the oldest are forgotten.
 *
 * <p>The ids stand in an open-addressing table with linear probing, at most half full, that holds slot indices. A
 * forgotten id leaves no mark in it: what stands behind moves up. So the table is as fast after a billion requests as
 * after the first.
 *
 * <p>Owned by one thread. Allocates in the constructor only.
 */
final class KnownRequests {

    static final int UNKNOWN = -1;

    /** Index of the slot where a request begins, and 1; 0 is free. */
    private final int[] table;
    private final int tableMask;
    private final int tableShift;
    // By the index of the slot where a request begins.
    private final long[] correlationIds;
    private final long[] sequences;
    private final int[] slotCounts;
    private long highestId;
    private long lastSequence;
    private int oldestIndex;
    private int nextIndex;
    private int usedCount;

    /** @param slotCount at least 1. */
    KnownRequests(final int slotCount) {
        table = new int[Integer.highestOneBit(2 * slotCount - 1) << 1];
        tableMask = table.length - 1;
        tableShift = Long.SIZE - Integer.numberOfTrailingZeros(table.length);
        correlationIds = new long[slotCount];
        sequences = new long[slotCount];
        slotCounts = new int[slotCount];
        highestId = Long.MIN_VALUE;
    }

    /** Forgets everything: the window is to be another principal's. */
    void clear() {
        Arrays.fill(table, 0);
        highestId = Long.MIN_VALUE;
        oldestIndex = 0;
        nextIndex = 0;
        usedCount = 0;
    }

    /**
     * Index of the slot where the request with this id begins, or {@link #UNKNOWN}. Most clients count their requests,
     * so most new ids are higher than any before and need no probe.
     */
    int find(final long correlationId) {
        return correlationId > highestId ? UNKNOWN : probe(correlationId);
    }

    /** Index of the slot where the next request begins. */
    int nextIndex() {
        return nextIndex;
    }

    long sequence(final int slotIndex) {
        return sequences[slotIndex];
    }

    /** Sequence of the principal's last request, whether it is known or had too many slots. */
    long lastSequence() {
        return lastSequence;
    }

    /** Adds a request with an id that is not known; one with more slots than there are is not. */
    void add(final long correlationId, final long sequence, final int slotCount) {
        lastSequence = sequence;
        if (slotCount > slotCounts.length) {
            return;
        }
        while (usedCount + slotCount > slotCounts.length) {
            forgetOldest();
        }
        correlationIds[nextIndex] = correlationId;
        sequences[nextIndex] = sequence;
        slotCounts[nextIndex] = slotCount;
        table[freeEntry(correlationId)] = nextIndex + 1;
        highestId = Math.max(highestId, correlationId);
        nextIndex = after(nextIndex, slotCount);
        usedCount += slotCount;
    }

    /** Forgets the request with this id, if it is known. Its slots stay taken until their turn comes. */
    void forget(final long correlationId) {
        final int slotIndex = find(correlationId);
        if (slotIndex != UNKNOWN) {
            removeFromTable(slotIndex);
        }
    }

    private int probe(final long correlationId) {
        int entry = firstEntry(correlationId);
        while (table[entry] != 0) {
            final int slotIndex = table[entry] - 1;
            if (correlationIds[slotIndex] == correlationId) {
                return slotIndex;
            }
            entry = (entry + 1) & tableMask;
        }
        return UNKNOWN;
    }

    private int freeEntry(final long correlationId) {
        int entry = firstEntry(correlationId);
        while (table[entry] != 0) {
            entry = (entry + 1) & tableMask;
        }
        return entry;
    }

    private void forgetOldest() {
        removeFromTable(oldestIndex);
        usedCount -= slotCounts[oldestIndex];
        oldestIndex = after(oldestIndex, slotCounts[oldestIndex]);
    }

    /** One that was forgotten before its turn is not there any more. */
    private void removeFromTable(final int slotIndex) {
        int entry = firstEntry(correlationIds[slotIndex]);
        while (table[entry] != 0) {
            if (table[entry] == slotIndex + 1) {
                closeGap(entry);
                return;
            }
            entry = (entry + 1) & tableMask;
        }
    }

    /**
     * Frees an entry. One behind it moves into the gap if a probe for it would come past there, that is, if it is at
     * least as far from its own first entry as from the gap; then its entry is the gap.
     */
    private void closeGap(final int freed) {
        int gap = freed;
        int entry = (gap + 1) & tableMask;
        while (table[entry] != 0) {
            final int first = firstEntry(correlationIds[table[entry] - 1]);
            if (((entry - first) & tableMask) >= ((entry - gap) & tableMask)) {
                table[gap] = table[entry];
                gap = entry;
            }
            entry = (entry + 1) & tableMask;
        }
        table[gap] = 0;
    }

    private int after(final int slotIndex, final int slotCount) {
        final int next = slotIndex + slotCount;
        return next >= slotCounts.length ? next - slotCounts.length : next;
    }

    /**
     * The high bits of a product with 2^64 divided by the golden ratio: ids are often consecutive, and of these it
     * puts hardly two into one entry. Ids may carry something in their high half, so that takes part too.
     */
    private int firstEntry(final long correlationId) {
        return (int) (((correlationId ^ (correlationId >>> 32)) * 0x9E3779B97F4A7C15L) >>> tableShift);
    }
}
