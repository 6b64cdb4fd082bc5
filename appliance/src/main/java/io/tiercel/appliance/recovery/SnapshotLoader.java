package io.tiercel.appliance.recovery;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.recovery.RecoveryException.Code;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.KnownAnswer;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotException;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.appliance.snapshot.SnapshotStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.List;
import java.util.function.LongFunction;

/** Finds the newest snapshot that is whole and belongs to the journal, and fills sessions and retry windows from it. */
final class SnapshotLoader {

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotLoader.class);

    private final SnapshotStore store;
    private final List<LoadedModel> models;
    private final RecoveredVersions versions;
    private final Sessions sessions;
    private final SessionPlaces places;
    private final RetryWindow retries;
    private int skippedCount;

    SnapshotLoader(
            final SnapshotStore store,
            final List<LoadedModel> models,
            final RecoveredVersions versions,
            final Sessions sessions,
            final SessionPlaces places,
            final RetryWindow retries) {
        this.places = places;
        this.retries = retries;
        this.store = store;
        this.models = models;
        this.versions = versions;
        this.sessions = sessions;
    }

    /** Newer snapshots than the one that was found, which could not be used; each is said in the log. */
    int skippedCount() {
        return skippedCount;
    }

    /**
     * @param missingAt which of the two queues lacks a sequence, by name; null if neither does.
     * @return the snapshot, to be closed by the caller, or null if there is none that can be used.
     * @throws RecoveryException if there is one that the journal does not reach to: the journal was written through
     *                           before it was taken, so something has been lost since.
     */
    SnapshotReader find(final LongFunction<String> missingAt) {
        for (final SnapshotStore.Entry entry : store.list()) {
            final String missing = missingAt.apply(entry.sequence());
            if (missing != null) {
                throw tooShort(entry, missing);
            }
            final SnapshotReader snapshot = open(entry);
            if (snapshot != null) {
                return snapshot;
            }
            skippedCount++;
        }
        return null;
    }

    /** Of a journal without records, for which no snapshot can stand. */
    void refuseAny() {
        final List<SnapshotStore.Entry> entries = store.list();
        if (!entries.isEmpty()) {
            throw tooShort(entries.get(0), "requests");
        }
    }

    /** @throws RecoveryException if it has sessions of other models than those configured. */
    void load(final SnapshotReader snapshot) {
        loadSessions(snapshot);
        final KnownAnswer answer = new KnownAnswer();
        while (snapshot.nextAnswer(answer)) {
            retries.restore(answer);
        }
    }

    private void loadSessions(final SnapshotReader snapshot) {
        final ModelExecutor[] executors = new ModelExecutor[sessions.capacity()];
        final int[] indices = restoreRoutes(snapshot);
        try {
            final int lostCount = places.lose(snapshot.sessionCount(), snapshot.file());
            for (int order = 0; snapshot.nextSession(); order++) {
                if (order >= lostCount) {
                    final int index = versionOf(snapshot, indices);
                    if (executors[index] == null) {
                        executors[index] = models.get(index).model().newExecutor(1);
                    }
                    loadSession(snapshot, index, order - snapshot.sessionCount(), executors[index]);
                }
            }
        } finally {
            for (final ModelExecutor executor : executors) {
                if (executor != null) {
                    executor.close();
                }
            }
        }
    }

    /** The index here of each of the snapshot's versions; of one that is going, only where something needs it. */
    private int[] restoreRoutes(final SnapshotReader snapshot) {
        final int[] indices = new int[snapshot.models().size()];
        for (int entry = 0; entry < indices.length; entry++) {
            final SnapshotReader.ModelEntry version = snapshot.models().get(entry);
            final boolean isGoing =
                    Routes.isGoing(version.weight(), version.formerWeight(), version.isDrained());
            final String place = placeOf(snapshot, entry);
            indices[entry] = isGoing ? versions.restoreGoing(place, version) : versions.restore(place, version);
        }
        return indices;
    }

    private int versionOf(final SnapshotReader snapshot, final int[] indices) {
        final int entry = snapshot.modelIndex();
        if (indices[entry] == RecoveredVersions.NOT_HERE) {
            indices[entry] = versions.restore(placeOf(snapshot, entry), snapshot.models().get(entry));
        }
        return indices[entry];
    }

    private static String placeOf(final SnapshotReader snapshot, final int entry) {
        return "file=" + snapshot.file() + " models[" + entry + "]";
    }

    /** @param lastSequence below that of any request, in the order of last use, which is that of the file. */
    private void loadSession(
            final SnapshotReader snapshot, final int modelIndex, final long lastSequence,
            final ModelExecutor executor) {
        final SessionStates states = sessions.states(modelIndex);
        final int sessionIndex =
                sessions.table().add(snapshot.principalId(), snapshot.modelId(), snapshot.sessionKey());
        sessions.table().putModelIndex(sessionIndex, modelIndex);
        states.restore(sessionIndex, snapshot.stateHash(), snapshot.state(), executor);
        states.name(sessionIndex, snapshot.principalId(), snapshot.sessionKey());
        states.use(sessionIndex, lastSequence);
    }

    private static RecoveryException tooShort(final SnapshotStore.Entry entry, final String missing) {
        return new RecoveryException(Code.JOURNAL_TOO_SHORT, "snapshot=" + entry.file() + " sequence=" +
                entry.sequence() + ": the journal's " + missing + " had been written through up to there, and do not " +
                "reach it any more; bring back the files that are missing, or move the snapshot away to go on without");
    }

    private SnapshotReader open(final SnapshotStore.Entry entry) {
        try {
            return store.open(entry);
        } catch (final SnapshotException ex) {
            LOG.warn("snapshot skipped: {}", ex.getMessage());
            return null;
        }
    }
}
