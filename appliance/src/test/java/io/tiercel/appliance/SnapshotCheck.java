package io.tiercel.appliance;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.protocol.journal.OutcomeStatus;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Holds snapshots against what the requests up to their sequence come to, one by one. */
final class SnapshotCheck {

    private SnapshotCheck() {
    }

    /** @return the snapshots, oldest first. */
    static List<SnapshotStore.Entry> assertEachIsOfItsSequence(
            final SnapshotStore store,
            final List<LoadedModel> models,
            final int maxSessions,
            final MemoryRecordLog requests,
            final MemoryRecordLog outcomes) {
        final List<SnapshotStore.Entry> entries = new ArrayList<>(store.list());
        Collections.reverse(entries);
        try (StraightRun straight = new StraightRun(models, maxSessions)) {
            long next = 0;
            for (final SnapshotStore.Entry entry : entries) {
                for (; next <= entry.sequence(); next++) {
                    straight.next(requests.find(next),
                            StraightRun.Outcome.of(outcomes.find(next)).status() == OutcomeStatus.EXPIRED);
                }
                assertSame(straight, store, entry);
            }
        }
        return entries;
    }

    /** Holds one snapshot against a run that has come up to its sequence. */
    static void assertSame(
            final StraightRun straight, final SnapshotStore store, final SnapshotStore.Entry entry) {
        try (SnapshotReader snapshot = store.open(entry)) {
            assertEquals(straight.sessionCount(), snapshot.sessionCount(), entry::toString);
            for (final StraightRun.Name name : straight.sessionNames()) {
                assertTrue(snapshot.nextSession());
                assertEquals(name, new StraightRun.Name(
                        snapshot.principalId(), snapshot.modelIndex(), snapshot.sessionKey()), entry::toString);
                final byte[] state = new byte[snapshot.state().capacity()];
                snapshot.state().getBytes(0, state);
                assertEquals(
                        straight.hash(snapshot.principalId(), snapshot.modelIndex(), snapshot.sessionKey()),
                        snapshot.stateHash(), entry::toString);
                assertArrayEquals(straight.canonicalState(
                        snapshot.principalId(), snapshot.modelIndex(), snapshot.sessionKey()), state, entry::toString);
            }
        }
    }
}
