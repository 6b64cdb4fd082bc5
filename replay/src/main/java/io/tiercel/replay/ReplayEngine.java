package io.tiercel.replay;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.SessionTable;
import io.tiercel.appliance.snapshot.SnapshotReader;
import java.util.ArrayList;
import java.util.List;
import org.agrona.DirectBuffer;

/**
 * Says of requests, in sequence order, what there is to do: which bundle is asked, which session it is, when one
 * begins, is forgotten, or is copied. That depends on all requests before it, so it is done by the one thread that
 * reads the journal; computing depends on the requests of the session alone, and is {@link ReplayComputer}'s. Together
 * they are the journal's state machine without a clock, a network or a queue.
 *
 * <p>When a session begins is taken from the outcomes. One that made room for another is forgotten when there are
 * twice as many as the appliance had: those used last include all that it had. Where it went on from a snapshot that
 * did not say in which order its sessions had been used, it may have forgotten others than those unused for longest;
 * by the time that one of those is forgotten here, it had forgotten that one too.
 *
 * <p>One thread. Allocates when a model, a session block or a larger frame appears.
 */
final class ReplayEngine implements AutoCloseable {

    static final String SNAPSHOTS = "snapshots";

    private static final int FIRST_SESSION_LIMIT = 4096;

    private final BundleStore bundles;
    private final String backendChoice;
    private final List<ReplayModel> models = new ArrayList<>();
    private final ReplayRoutes routes = new ReplayRoutes();
    private SessionTable sessions = new SessionTable(FIRST_SESSION_LIMIT);
    /** Sessions that the appliance had in memory. */
    private int liveCount;
    private ReplayModel model;

    ReplayEngine(final BundleStore bundles, final String backendChoice) {
        this.bundles = bundles;
        this.backendChoice = backendChoice;
    }

    /**
     * Puts the sessions where they stood when the snapshot was taken. Before any request.
     *
     * @param computer of this thread.
     * @throws DamageException if a bundle is missing, or the snapshot's states are not of its bundles.
     */
    void restore(final SnapshotReader snapshot, final ReplayComputer computer) {
        snapshot.models().forEach(routes::restore);
        for (long order = -snapshot.sessionCount(); snapshot.nextSession(); order++) {
            final ReplayModel owner = owner(snapshot);
            final int sessionIndex = indexOf(
                    snapshot.principalId(), owner, snapshot.modelId(), snapshot.sessionKey());
            final SessionStates states = owner.sessions().ensure(sessionIndex);
            final int slot = SessionBlocks.slot(sessionIndex);
            states.restore(slot, snapshot.stateHash(), snapshot.state(), computer.executor(owner));
            states.use(slot, order);
        }
        liveCount = sessions.size();
    }

    /**
     * Compares every session with what a snapshot says of it, while nobody is at work. The snapshot may lack sessions
     * that had not been used for longer than all of those that it has: the appliance had forgotten them.
     *
     * @return the first difference; null if there is none.
     * @throws DamageException if a bundle is missing, or the snapshot's states are not of its bundles.
     */
    SnapshotDifference compare(final SnapshotReader snapshot) {
        long oldestUse = snapshot.sessionCount() == 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
        while (snapshot.nextSession()) {
            final ReplayModel owner = owner(snapshot);
            final int sessionIndex = indexOf(
                    snapshot.principalId(), owner, snapshot.modelId(), snapshot.sessionKey());
            final SnapshotDifference difference = SnapshotDifference.find(
                    snapshot, owner.sessions().ensure(sessionIndex), SessionBlocks.slot(sessionIndex));
            if (difference != null) {
                return difference;
            }
            oldestUse = Math.min(oldestUse, lastUse(sessionIndex));
        }
        final int expectedCount = countUsedSince(oldestUse);
        return expectedCount == snapshot.sessionCount() ? null : SnapshotDifference.ofCounts(snapshot, expectedCount);
    }

    private int countUsedSince(final long use) {
        int count = 0;
        for (int sessionIndex = 0; sessionIndex < sessions.size(); sessionIndex++) {
            count += lastUse(sessionIndex) >= use ? 1 : 0;
        }
        return count;
    }

    private long lastUse(final int sessionIndex) {
        return models.get(sessions.modelIndex(sessionIndex))
                .sessions().ensure(sessionIndex).lastUse(SessionBlocks.slot(sessionIndex));
    }

    /** The bundle of the snapshot's current session. */
    private ReplayModel owner(final SnapshotReader snapshot) {
        final SnapshotReader.ModelEntry entry = snapshot.models().get(snapshot.modelIndex());
        final ReplayModel owner = find(entry.versionHex(), snapshot.sequence());
        if (owner.shape().canonicalBytes() != entry.stateLength()) {
            throw new DamageException(DamageKind.BAD_SNAPSHOT, SNAPSHOTS, snapshot.sequence(),
                    "file=" + snapshot.file() + " stateLength=" + entry.stateLength() + " but modelVersion=" +
                            entry.versionHex() + " has " + owner.shape().canonicalBytes());
        }
        return owner;
    }

    /**
     * What there is to do for the request, which has an outcome.
     *
     * @param isExpired whether the journal says that the clock had decided against computing it.
     * @throws DamageException if no appliance would have taken it.
     */
    void take(final JoinedJournal journal, final boolean isExpired, final ReplayTask task) {
        final RequestFrame request = journal.requestFrame();
        final OutcomeFrame outcome = journal.outcomeFrame();
        selectModel(journal.sequence(), journal.requestModelVersion());
        routes.onRequest(journal);
        checkFeatures(journal.sequence(), request);
        final int strideBytes = model.shape().outputCount() * Float.BYTES;
        final int outputsRoom = outputsRoom(journal.sequence(), request, strideBytes);
        task.clear();
        task.sourceIndex = request.kind() == RequestKind.FORK ? lend(journal) : SessionTable.ABSENT;
        task.sessionIndex = use(journal);
        task.states = model.sessions().ensure(task.sessionIndex);
        task.sourceStates = request.kind() == RequestKind.FORK ? model.sessions().ensure(task.sourceIndex) : null;
        task.model = model;
        task.sequence = journal.sequence();
        task.ingressNs = journal.requestIngressNs();
        task.principalId = journal.requestPrincipalId();
        task.sessionKey = request.sessionKey();
        task.correlationId = request.correlationId();
        task.kind = request.kind();
        task.begins = outcome.hasSessionBegun();
        task.isExpired = isExpired;
        task.isStream = request.isStream();
        task.isStandby = outcome.isComputedByStandby();
        task.stepCount = request.stepCount();
        task.strideBytes = task.isStream ? strideBytes : 0;
        task.expectedStatus = outcome.status();
        task.expectedArithmetic = outcome.arithmetic();
        task.expectedStepCount = outcome.stepCount();
        task.expectedOutputCount = outcome.outputCount();
        task.expectedHash = outcome.stateHash();
        task.sessionCount = sessions.size();
        task.modelCount = models.size();
        task.copy(request, outcome, outputsRoom);
    }

    /**
     * Follows a command: which version a session is with stands in each record, so nothing is computed of it; but where
     * it leads is compared with what its outcome says.
     *
     * @throws DamageException if that is not the same.
     */
    void administer(final JoinedJournal journal) {
        routes.apply(journal);
    }

    /** Bytes that its outputs take: of each step if it is streamed. */
    private static int outputsRoom(final long sequence, final RequestFrame request, final int strideBytes) {
        final long wantedBytes = !request.kind().hasSteps()
                ? 0
                : (long) strideBytes * (request.isStream() ? request.stepCount() : 1);
        if (wantedBytes > Integer.MAX_VALUE / 2) {
            throw new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.REQUESTS, sequence,
                    "stepCount=" + request.stepCount() + " of outputCount=" + strideBytes / Float.BYTES +
                            " is more than a record can hold");
        }
        return (int) wantedBytes;
    }

    /** The session that is copied; its states may be in another block of memory than the copy's. */
    private int lend(final JoinedJournal journal) {
        final RequestFrame request = journal.requestFrame();
        final int sourceIndex = sessions.find(
                journal.requestPrincipalId(), request.modelId(), request.sourceKey());
        if (sourceIndex == SessionTable.ABSENT) {
            throw new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.REQUESTS, journal.sequence(),
                    "sourceKey=" + request.sourceKey() + " is no session's");
        }
        sessions.use(sourceIndex);
        return sourceIndex;
    }

    /** What no appliance would have taken, and no executor looks at again. */
    private void checkFeatures(final long sequence, final RequestFrame request) {
        if (!request.kind().hasSteps()) {
            return;
        }
        final ModelShape shape = model.shape();
        if (request.kind() == RequestKind.GENERATE && !shape.namesTokens()) {
            throw new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.REQUESTS, sequence,
                    "a Generate, but modelVersion=" + model.versionHex() + " does not name next tokens");
        }
        if (request.featureCount() != shape.featureCount()) {
            throw new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.REQUESTS, sequence,
                    "featureCount=" + request.featureCount() + " but modelVersion=" + model.versionHex() +
                            " takes " + shape.featureCount());
        }
        final int step = shape.firstStrayStep(request.buffer(), request.featuresOffset(), request.stepCount());
        if (step >= 0) {
            throw new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.REQUESTS, sequence, "step=" + step +
                    " token=" + ModelShape.tokenAt(request.buffer(), request.featuresOffset(), step) +
                    " but modelVersion=" + model.versionHex() + " has vocabularySize=" + shape.vocabularySize());
        }
    }

    /** Two aliases may serve one bundle: their sessions are different ones, and the model id tells them apart. */
    private int indexOf(
            final long principalId, final ReplayModel owner, final int modelId, final long sessionKey) {
        final int known = sessions.find(principalId, modelId, sessionKey);
        final int sessionIndex = known == SessionTable.ABSENT ? add(principalId, modelId, sessionKey) : known;
        sessions.putModelIndex(sessionIndex, owner.index());
        return sessionIndex;
    }

    private int add(final long principalId, final int modelId, final long sessionKey) {
        if (sessions.isFull()) {
            sessions = sessions.withLimit(sessions.maxSessions() * 2);
        }
        return sessions.add(principalId, modelId, sessionKey);
    }

    private int use(final JoinedJournal journal) {
        final long principalId = journal.requestPrincipalId();
        final RequestFrame request = journal.requestFrame();
        final OutcomeFrame outcome = journal.outcomeFrame();
        final int known = sessions.find(principalId, request.modelId(), request.sessionKey());
        final boolean hasCome = outcome.hasSessionBegun() && !outcome.hasSessionMoved();
        if (known == SessionTable.ABSENT || hasCome) {
            liveCount += outcome.hasSessionEvicted() ? 0 : 1;
        }
        final int sessionIndex = known == SessionTable.ABSENT ? admit(principalId, request, outcome) : known;
        sessions.use(sessionIndex);
        sessions.putModelIndex(sessionIndex, model.index());
        return sessionIndex;
    }

    /** A session that is not there. */
    private int admit(final long principalId, final RequestFrame request, final OutcomeFrame outcome) {
        final boolean makesRoom = outcome.hasSessionBegun() && outcome.hasSessionEvicted() && liveCount > 0 &&
                sessions.size() >= 2 * liveCount;
        return makesRoom
                ? sessions.replaceOldest(principalId, request.modelId(), request.sessionKey())
                : add(principalId, request.modelId(), request.sessionKey());
    }

    private void selectModel(final long sequence, final DirectBuffer version) {
        if (model == null || !model.isOfVersion(version)) {
            model = find(version, sequence);
        }
    }

    private ReplayModel find(final DirectBuffer version, final long sequence) {
        for (final ReplayModel known : models) {
            if (known.isOfVersion(version)) {
                return known;
            }
        }
        return add(ReplayModel.versionHex(version), sequence);
    }

    private ReplayModel find(final String versionHex, final long sequence) {
        for (final ReplayModel known : models) {
            if (known.versionHex().equals(versionHex)) {
                return known;
            }
        }
        return add(versionHex, sequence);
    }

    private ReplayModel add(final String versionHex, final long sequence) {
        final ReplayModel loaded = load(versionHex, sequence);
        models.add(loaded);
        return loaded;
    }

    private ReplayModel load(final String versionHex, final long sequence) {
        final Bundle bundle = bundles.open(versionHex, sequence);
        final Backend backend = Backends.select(backendChoice, bundle);
        try {
            return new ReplayModel(models.size(), bundle, backend);
        } catch (final BundleException ex) {
            throw BundleStore.damage(DamageKind.BAD_BUNDLE, sequence, ex.getMessage());
        }
    }

    List<ReplayModel> models() {
        return models;
    }

    int sessionCount() {
        return sessions.size();
    }

    @Override
    public void close() {
        for (final ReplayModel loaded : models) {
            loaded.close();
        }
        models.clear();
    }
}
