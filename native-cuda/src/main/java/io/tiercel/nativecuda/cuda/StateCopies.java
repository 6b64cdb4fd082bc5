package io.tiercel.nativecuda.cuda;

import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.UnsafeApi;

/**
 * Which sessions' states an executor's GPU has copies of. A state on the host says so itself, by a note in its derived
 * part:
 * <pre>
 *   0                   + 8                      + 12                  + 16             + 64
 *   +-------------------+------------------------+---------------------+----------------+
 *   | int64 stamp       | int32 copy             |                     | the executor's |
 *   +-------------------+------------------------+---------------------+----------------+
 * </pre>
 * A copy is that of a state if both have the same stamp. Each note that is made has a new one, which no other of the
 * process has; so what was copied with its note is a state with a copy too, until either goes on.
 *
 * <p>One thread. Allocates in its constructor only.
 */
final class StateCopies {

    /** Of a state: a cache line. */
    static final int NOTE_BYTES = 64;
    /** Of a note: from here on it is the executor's own. */
    static final int OWN_OFFSET = 2 * Long.BYTES;

    static final int NONE = -1;

    private static final int COPY_OFFSET = Long.BYTES;
    private static final long NO_STAMP = 0;
    /** Above so many bits of a stamp is the executor's number: at 100,000 steps a second they last for five years. */
    private static final int STAMP_BITS = 44;
    private static final int MOST_EXECUTORS = 1 << Long.SIZE - STAMP_BITS - 1;
    private static final AtomicInteger EXECUTORS = new AtomicInteger();

    /** Memory of the GPU that copies of states may take, and how many are worth looking after. */
    private static final long COPIES_BYTES = 256L << 20;
    private static final int MOST_COPIES = 1 << 16;

    private final int first;
    /** Of each copy, the stamp of the state that it is of. */
    private final long[] stamps;
    /** Of each copy, the batch that it is needed for. */
    private final long[] batches;
    private int nextCopy;
    private int spare = NONE;
    private long stamp;
    private long batch = 1;

    /**
     * @param first number of a copy; {@code count} of them follow each other.
     * @throws CudaException if this process has made more executors than stamps can tell.
     */
    StateCopies(final int first, final int count) {
        this.first = first;
        stamps = new long[first + count];
        batches = new long[first + count];
        nextCopy = first;
        final int number = EXECUTORS.incrementAndGet();
        if (number >= MOST_EXECUTORS) {
            throw new CudaException("this process has made " + number + " executors, more than stamps can tell");
        }
        stamp = (long) number << STAMP_BITS;
    }

    /** How many copies an executor is to have: at least enough for a batch, and two more. */
    static int countFor(final long stateBytes, final int maxBatch) {
        return (int) Math.max(maxBatch + 2L, Math.min(MOST_COPIES, COPIES_BYTES / stateBytes));
    }

    /** There is no copy of the state whose note that is. */
    static void erase(final long noteAddress) {
        UnsafeApi.putLong(noteAddress, NO_STAMP);
    }

    /** From here on copies that were found or taken are not taken for others, until the next batch. */
    void beginBatch() {
        batch++;
    }

    /** The copy of the state whose note that is, or {@link #NONE}. */
    int find(final long noteAddress) {
        final long noted = UnsafeApi.getLong(noteAddress);
        final int copy = UnsafeApi.getInt(noteAddress + COPY_OFFSET);
        if (noted == NO_STAMP || copy < first || copy >= stamps.length || stamps[copy] != noted) {
            return NONE;
        }
        batches[copy] = batch;
        return copy;
    }

    /** A copy that is not needed for this batch: whosever it was, it is so no more. */
    int take() {
        for (int tries = first; tries < stamps.length; tries++) {
            final int copy = nextCopy;
            nextCopy = nextCopy + 1 == stamps.length ? first : nextCopy + 1;
            if (batches[copy] != batch && copy != spare) {
                batches[copy] = batch;
                stamps[copy] = NO_STAMP;
                return copy;
            }
        }
        throw new IllegalStateException("each of copies=" + (stamps.length - first) + " is needed for one batch");
    }

    /** The copy is becoming another state's, of which there is no note yet. */
    void forget(final int copy) {
        stamps[copy] = NO_STAMP;
    }

    /** A copy that was found or taken for this batch may be taken for others. */
    void release(final int copy) {
        batches[copy] = 0;
    }

    /** Notes that the copy is of the state whose note that is. */
    void note(final long noteAddress, final int copy) {
        stamps[copy] = ++stamp;
        UnsafeApi.putLong(noteAddress, stamp);
        UnsafeApi.putInt(noteAddress + COPY_OFFSET, copy);
    }

    /** Takes a copy that is nobody's, to be {@link #spare}. */
    void takeSpare() {
        spare = take();
    }

    /** A copy to try something out on. */
    int spare() {
        return spare;
    }

    /** The spare copy is as any other from here on, and this one is the spare one. */
    void exchangeSpare(final int copy) {
        spare = copy;
        forget(copy);
    }
}
