package io.tiercel.appliance;

import io.tiercel.appliance.snapshot.SnapshotAgent;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** A journal in memory has nothing to write through and nothing to remove; it counts what it is asked. */
final class UnwrittenJournal implements SnapshotAgent.Housekeeping {

    private int syncCount;
    private int pruneCount;

    @Override
    public void sync() {
        syncCount++;
    }

    @Override
    public void prune(final long keepFromSequence) {
        assertTrue(keepFromSequence >= 0);
        pruneCount++;
    }

    int syncCount() {
        return syncCount;
    }

    int pruneCount() {
        return pruneCount;
    }
}
