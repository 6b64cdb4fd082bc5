package io.tiercel.replay;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The sessions of a replay that one thread at a time works at, and how far it has come with them. Any thread may hold
 * it, so none is idle while another one's sessions are asked for most.
 *
 * <p>Within a block requests of different sessions may be run in another order than they came in, together, which no
 * bit depends on; those of a session never. Everything before a fork is run before it.
 *
 * <p><b>A fork between two shards</b> stands in the lists of both. The one with the source comes to it, says so, and
 * goes no further; then the other one makes the copy, and says so. Neither waits in place: whoever holds it lets go and
 * looks for other work. They cannot stand still for each other, as of all forks that are waited at the one with the
 * lowest sequence is the next request of both its shards.
 */
final class ReplayShard {

    /** How far to look for a request of another session, and how many of the same ones end it. */
    private static final int LOOK_LIMIT = 64;
    private static final int REPEAT_LIMIT = 8;

    private final int index;
    private final AtomicBoolean isHeld = new AtomicBoolean();
    private final ReplayTask[] batch;
    private final int[] met = new int[LOOK_LIMIT];
    // Of whoever holds it.
    private long blockNumber;
    private int nextIndex;
    private int batchCount;
    private int metCount;
    private long overSequence = Long.MAX_VALUE;

    ReplayShard(final int index, final int maxBatch) {
        this.index = index;
        batch = new ReplayTask[maxBatch];
    }

    /** @return false if another thread works at it. */
    boolean hold() {
        return !isHeld.get() && isHeld.compareAndSet(false, true);
    }

    void letGo() {
        isHeld.set(false);
    }

    /** The block that comes next, by its number since the beginning. */
    long blockNumber() {
        return blockNumber;
    }

    /**
     * Works at its share of a block until it is through with it, or has to wait for another shard.
     *
     * @param block that of {@link #blockNumber()}.
     * @return whether anything was done.
     */
    boolean work(final ReplayBlock block, final TaskRunner runner) {
        final ReplayTask[] share = block.share(index);
        final int count = block.shareCount(index);
        boolean hasWorked = false;
        while (nextIndex < count) {
            final ReplayTask task = share[nextIndex];
            if (task.isBetweenShards()) {
                hasWorked |= meet(task, runner);
                if (!task.isMade) {
                    return hasWorked;
                }
                nextIndex++;
            } else if (task.isTaken || task.sequence > overSequence) {
                nextIndex++;
            } else {
                gather(share, count);
                run(runner);
                hasWorked = true;
            }
        }
        nextIndex = 0;
        blockNumber++;
        block.finishShare();
        return true;
    }

    /** @return whether there was anything to do for a fork between this shard and another one. */
    private boolean meet(final ReplayTask task, final TaskRunner runner) {
        if (task.sourceShardIndex == index) {
            final boolean wasLent = task.isLent;
            task.isLent = true;
            return !wasLent;
        }
        if (!task.isLent) {
            return false;
        }
        if (task.sequence <= overSequence) {
            batch[0] = task;
            batchCount = 1;
            run(runner);
        }
        task.isMade = true;
        return true;
    }

    /** The request that comes next, and those of other sessions that can be run with it. */
    private void gather(final ReplayTask[] share, final int count) {
        final ReplayTask first = share[nextIndex];
        batch[0] = first;
        batchCount = 1;
        first.isTaken = true;
        if (!first.isBatchable()) {
            return;
        }
        metCount = 0;
        met[metCount++] = first.sessionIndex;
        int repeats = 0;
        final int end = Math.min(count, nextIndex + LOOK_LIMIT);
        for (int i = nextIndex + 1; i < end && batchCount < batch.length && repeats < REPEAT_LIMIT; i++) {
            final ReplayTask task = share[i];
            if (task.sourceStates != null || task.sequence > overSequence) {
                return;
            }
            if (task.isTaken) {
                continue;
            }
            if (hasMet(task.sessionIndex)) {
                repeats++;
            } else {
                met[metCount++] = task.sessionIndex;
                if (task.isBatchable() && task.model == first.model) {
                    task.isTaken = true;
                    batch[batchCount++] = task;
                }
            }
        }
    }

    private boolean hasMet(final int sessionIndex) {
        for (int i = 0; i < metCount; i++) {
            if (met[i] == sessionIndex) {
                return true;
            }
        }
        return false;
    }

    /** What fails is the first of them, as far as anybody can tell; what comes behind it does not count. */
    private void run(final TaskRunner runner) {
        try {
            runner.run(batch, batchCount);
        } catch (final RuntimeException | Error ex) {
            batch[0].failure = ex;
        }
        for (int i = 0; i < batchCount; i++) {
            if (batch[i].isOver()) {
                overSequence = Math.min(overSequence, batch[i].sequence);
            }
        }
    }
}
