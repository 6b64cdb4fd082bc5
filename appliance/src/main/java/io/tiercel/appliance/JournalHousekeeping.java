package io.tiercel.appliance;

import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.snapshot.SnapshotAgent;
import org.agrona.concurrent.EpochNanoClock;

/** What a snapshot has done to the journal: it does not know one, and a journal knows no snapshots. */
record JournalHousekeeping(JournalDirectory journal, EpochNanoClock clock) implements SnapshotAgent.Housekeeping {

    @Override
    public void sync() {
        journal.sync();
    }

    @Override
    public void prune(final long keepFromSequence) {
        journal.prune(keepFromSequence, clock.nanoTime());
    }
}
