package io.tiercel.appliance;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.protocol.journal.OutcomeStatus;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

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
            assertSameRoutes(straight, snapshot);
            for (final StraightRun.Name name : straight.sessionNames()) {
                assertTrue(snapshot.nextSession());
                final long principalId = snapshot.principalId();
                final int modelId = snapshot.modelId();
                final long sessionKey = snapshot.sessionKey();
                assertEquals(name, new StraightRun.Name(principalId, modelId, sessionKey), entry::toString);
                assertEquals(straight.version(principalId, modelId, sessionKey).versionHex(),
                        snapshot.models().get(snapshot.modelIndex()).versionHex(), entry::toString);
                final byte[] state = new byte[snapshot.state().capacity()];
                snapshot.state().getBytes(0, state);
                assertEquals(
                        straight.hash(principalId, modelId, sessionKey), snapshot.stateHash(), entry::toString);
                assertArrayEquals(
                        straight.canonicalState(principalId, modelId, sessionKey), state, entry::toString);
            }
        }
    }

    /** A version that is going, and has no session, may be missing. */
    private static void assertSameRoutes(final StraightRun straight, final SnapshotReader snapshot) {
        final Routes routes = straight.routes();
        for (final LoadedModel version : straight.versions()) {
            final int index = version.index();
            final Optional<SnapshotReader.ModelEntry> found = snapshot.models().stream()
                    .filter(model -> model.modelId() == version.modelId() &&
                            model.versionHex().equals(version.versionHex()))
                    .findFirst();
            if (found.isPresent()) {
                final SnapshotReader.ModelEntry entry = found.get();
                assertTrue(routes.isKnown(index), entry::toString);
                assertEquals(routes.weight(index), entry.weight(), entry::toString);
                assertEquals(routes.formerWeight(index), entry.formerWeight(), entry::toString);
                assertEquals(routes.isDrained(index), entry.isDrained(), entry::toString);
            } else {
                assertTrue(!routes.isKnown(index) || straight.isGone(index), () -> "not in it: " + version);
            }
        }
    }
}
