package io.tiercel.nativecuda.cuda;

/** States of an executor's last batch that are still those from before it. One thread; allocates nothing in use. */
final class DueStates {

    private static final int NONE = -1;

    /** 0 where the new state has been taken. */
    private final long[] addresses;
    private int count;

    DueStates(final int maxBatch) {
        addresses = new long[maxBatch];
    }

    /** Before a batch of so many positions: what it would overwrite has been taken. */
    void begin(final int size, final boolean isClosed) {
        if (size > addresses.length || isClosed) {
            throw new IllegalStateException("batch=" + size + " maxBatch=" + addresses.length + " closed=" + isClosed);
        }
        for (int i = 0; i < count; i++) {
            if (addresses[i] != 0) {
                throw new IllegalStateException("a step before the hash of position " + i + " of the last one");
            }
        }
        count = 0;
    }

    /** Before a batch, whatever the one before has left. */
    void clear() {
        count = 0;
    }

    /** The next position of the batch has been answered. */
    void add(final long stateAddress) {
        addresses[count++] = stateAddress;
    }

    /** The position whose state is due, from here on no more; below 0 if it is not. */
    int take(final long stateAddress) {
        final int position = find(stateAddress);
        if (position >= 0) {
            addresses[position] = 0;
        }
        return position;
    }

    /** The position whose state is due; below 0 if it is not. */
    int find(final long stateAddress) {
        for (int i = 0; i < count; i++) {
            if (addresses[i] == stateAddress) {
                return i;
            }
        }
        return NONE;
    }
}
