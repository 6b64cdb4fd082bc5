package io.tiercel.appliance;

import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.PruneReport;
import io.tiercel.appliance.snapshot.SnapshotAgent;
import org.agrona.concurrent.EpochNanoClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a snapshot has done to the journal: it does not know one, and a journal knows no snapshots. */
record JournalHousekeeping(JournalDirectory journal, EpochNanoClock clock) implements SnapshotAgent.Housekeeping {

    private static final Logger LOG = LoggerFactory.getLogger(JournalHousekeeping.class);

    @Override
    public void sync() {
        journal.sync();
    }

    @Override
    public void prune(final long keepFromSequence) {
        final PruneReport report = journal.prune(keepFromSequence, clock.nanoTime());
        if (report.fileCount() > 0) {
            LOG.info("journal {}", report);
        }
    }
}
