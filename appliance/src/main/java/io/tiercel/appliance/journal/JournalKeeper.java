package io.tiercel.appliance.journal;

import org.agrona.concurrent.Agent;
import org.agrona.concurrent.EpochNanoClock;

/**
 * Prepares memory and files ahead of the writers of a journal, so that an append is nothing but stores to memory that
 * is mapped, writable and backed: no page fault, no block allocation, no {@code mmap}, no file creation.
 *
 * <p>Runs on a thread of its own that mostly sleeps; a slow disk stalls this thread and not a writer, whose
 * {@link RecordLog#append} then returns false when it reaches the end of what is prepared. A disk that is full is met
 * here too, and never as a fault on a writing thread.
 *
 * <p>Assumes one keeper per journal, and that each log's writer is one thread. Needs no lock: see
 * {@link SegmentKeeper} for who writes which field.
 */
public final class JournalKeeper implements Agent {

    private final EpochNanoClock clock;
    private final SpaceWatch space;
    private final SegmentKeeper[] keepers;

    JournalKeeper(final EpochNanoClock clock, final SpaceWatch space, final SegmentKeeper... keepers) {
        this.clock = clock;
        this.space = space;
        this.keepers = keepers;
    }

    @Override
    public int doWork() {
        final long nowNs = clock.nanoTime();
        int workCount = 0;
        for (final SegmentKeeper keeper : keepers) {
            workCount += doWork(keeper, nowNs);
        }
        space.doWork(nowNs);
        return workCount;
    }

    /** Nobody prepares memory for a log whose keeper has failed, so its writer must hear of it and not wait. */
    private static int doWork(final SegmentKeeper keeper, final long nowNs) {
        try {
            return keeper.doWork(nowNs);
        } catch (final RuntimeException | Error ex) {
            keeper.onError(ex);
            return 0;
        }
    }

    @Override
    public String roleName() {
        return "journal-keeper";
    }
}
