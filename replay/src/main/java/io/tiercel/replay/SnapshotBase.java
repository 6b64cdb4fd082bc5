package io.tiercel.replay;

import io.tiercel.appliance.snapshot.SnapshotException;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.appliance.snapshot.SnapshotStore;
import java.util.List;

/** Finds the snapshots of a journal from which computing can begin. */
final class SnapshotBase {

    private final SnapshotStore store;
    private final long firstSequence;

    /** @param firstSequence of the journal: a snapshot that ends before what precedes it is of no use. */
    SnapshotBase(final SnapshotStore store, final long firstSequence) {
        this.store = store;
        this.firstSequence = firstSequence;
    }

    /** The oldest that can be read and fits; null if there is none. To be closed by the caller. */
    SnapshotReader oldest() {
        final List<SnapshotStore.Entry> newestFirst = store.list();
        for (int index = newestFirst.size() - 1; index >= 0; index--) {
            final SnapshotReader snapshot = open(newestFirst.get(index));
            if (snapshot != null) {
                return snapshot;
            }
        }
        return null;
    }

    /** The newest before a sequence that can be read and fits; null if there is none. To be closed by the caller. */
    SnapshotReader newestBefore(final long sequence) {
        for (final SnapshotStore.Entry entry : store.list()) {
            final SnapshotReader snapshot = entry.sequence() < sequence ? open(entry) : null;
            if (snapshot != null) {
                return snapshot;
            }
        }
        return null;
    }

    DamageException none() {
        return new DamageException(DamageKind.NO_SNAPSHOT, ReplayEngine.SNAPSHOTS, firstSequence,
                "the requests before it were removed, and no snapshot in " + store.directory() +
                        " that can be read stands for them");
    }

    private SnapshotReader open(final SnapshotStore.Entry entry) {
        if (entry.sequence() < firstSequence - 1) {
            return null;
        }
        try {
            return store.open(entry);
        } catch (final SnapshotException ex) {
            return null; // another one will do; this one is found by whoever verifies snapshots
        }
    }
}
