package io.tiercel.replay;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A stretch of the journal that is handed over at once: tasks in sequence order, and for each shard which of them are
 * its own, a fork between two shards being in both lists. Filled by the reading thread, then read by all until every
 * shard is through with it.
 */
final class ReplayBlock {

    static final int MAX_TASKS = 256;

    /** A block of large requests holds fewer of them. */
    private static final int MAX_BYTES = 1 << 18;

    private final ReplayTask[] tasks;
    private final ReplayTask[][] shares;
    private final int[] shareCounts;
    private final AtomicInteger openShares = new AtomicInteger();
    private int count;
    private int bytes;

    ReplayBlock(final int shardCount) {
        tasks = new ReplayTask[MAX_TASKS];
        for (int i = 0; i < MAX_TASKS; i++) {
            tasks[i] = new ReplayTask();
        }
        shares = new ReplayTask[shardCount][MAX_TASKS];
        shareCounts = new int[shardCount];
    }

    void clear() {
        count = 0;
        bytes = 0;
        Arrays.fill(shareCounts, 0);
        openShares.set(shares.length);
    }

    boolean isFull() {
        return count == MAX_TASKS || bytes >= MAX_BYTES;
    }

    /** The next to be filled, and then {@link #add}ed. */
    ReplayTask next() {
        return tasks[count];
    }

    /** Sessions go to shards by their index, so they are spread evenly. */
    void add() {
        final ReplayTask task = tasks[count++];
        bytes += task.length();
        task.shardIndex = task.sessionIndex % shares.length;
        task.sourceShardIndex = task.sourceStates == null ? task.shardIndex : task.sourceIndex % shares.length;
        share(task.shardIndex, task);
        if (task.isBetweenShards()) {
            share(task.sourceShardIndex, task);
        }
    }

    private void share(final int shardIndex, final ReplayTask task) {
        shares[shardIndex][shareCounts[shardIndex]++] = task;
    }

    int count() {
        return count;
    }

    ReplayTask task(final int index) {
        return tasks[index];
    }

    ReplayTask[] share(final int shardIndex) {
        return shares[shardIndex];
    }

    int shareCount(final int shardIndex) {
        return shareCounts[shardIndex];
    }

    /** A shard is through with its share; what it wrote is seen by who finds the block done. */
    void finishShare() {
        openShares.decrementAndGet();
    }

    boolean isDone() {
        return openShares.get() == 0;
    }
}
