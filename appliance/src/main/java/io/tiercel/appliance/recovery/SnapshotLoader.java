package io.tiercel.appliance.recovery;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.recovery.RecoveryException.Code;
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
    private final Sessions sessions;
    private final SessionPlaces places;
    private final RetryWindow retries;
    private int skippedCount;

    SnapshotLoader(
            final SnapshotStore store,
            final List<LoadedModel> models,
            final Sessions sessions,
            final SessionPlaces places,
            final RetryWindow retries) {
        this.places = places;
        this.retries = retries;
        this.store = store;
        this.models = models;
        this.sessions = sessions;
    }

    /** Newer snapshots than the one that was found, which could not be used; each is said in the log. */
    int skippedCount() {
        return skippedCount;
    }

    /**
     * @param missingAt which of the two queues lacks a sequence, by name; null if neither does.
     * @return the snapshot, to be closed by the caller, or null if there is none that can be used.
     * @throws RecoveryException if the one that would be used has sessions of other models than those configured, or if
     *                           there is one that the journal does not reach to: the journal was written through before
     *                           it was taken, so something has been lost since.
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

    void load(final SnapshotReader snapshot) {
        loadSessions(snapshot);
        final KnownAnswer answer = new KnownAnswer();
        while (snapshot.nextAnswer(answer)) {
            retries.restore(answer);
        }
    }

    private void loadSessions(final SnapshotReader snapshot) {
        final ModelExecutor[] executors = new ModelExecutor[models.size()];
        try {
            for (int index = 0; index < executors.length; index++) {
                executors[index] = models.get(index).model().newExecutor(1);
            }
            final int lostCount = places.lose(snapshot.sessionCount(), snapshot.file());
            for (int order = 0; snapshot.nextSession(); order++) {
                if (order >= lostCount) {
                    loadSession(snapshot, order - snapshot.sessionCount(), executors[snapshot.modelIndex()]);
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

    /** @param lastSequence below that of any request, in the order of last use, which is that of the file. */
    private void loadSession(
            final SnapshotReader snapshot, final long lastSequence, final ModelExecutor executor) {
        final SessionStates states = sessions.states(snapshot.modelIndex());
        final int sessionIndex =
                sessions.table().add(snapshot.principalId(), snapshot.modelIndex(), snapshot.sessionKey());
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
        final SnapshotReader snapshot;
        try {
            snapshot = store.open(entry);
        } catch (final SnapshotException ex) {
            LOG.warn("snapshot skipped: {}", ex.getMessage());
            return null;
        }
        try {
            checkModels(snapshot);
            return snapshot;
        } catch (final RecoveryException ex) {
            snapshot.close();
            throw ex;
        }
    }

    /** Models may have been added behind those that there were. */
    private void checkModels(final SnapshotReader snapshot) {
        for (int index = 0; index < snapshot.models().size(); index++) {
            final SnapshotReader.ModelEntry entry = snapshot.models().get(index);
            final LoadedModel model = index < models.size() ? models.get(index) : null;
            if (model == null || !model.alias().equals(entry.alias()) ||
                    !model.versionHex().equals(entry.versionHex()) ||
                    model.model().shape().canonicalBytes() != entry.stateLength()) {
                throw new RecoveryException(Code.OTHER_MODEL, "file=" + snapshot.file() + " models[" + index +
                        "]: snapshot alias=" + entry.alias() + " version=" + entry.versionHex() + ", configured " +
                        (model == null ? "none" : "alias=" + model.alias() + " version=" + model.versionHex()) +
                        "; sessions cannot go on with another model: configure it as it was, or begin a new journal");
            }
        }
    }
}
