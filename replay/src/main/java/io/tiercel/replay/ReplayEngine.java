package io.tiercel.replay;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.OutputComparison;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.generation.TokenDraw;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.SessionTable;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.Arithmetic;
import io.tiercel.protocol.journal.OutcomeStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Applies requests, in sequence order and one at a time, to sessions that begin empty or as a snapshot has them: the
 * journal's state machine without a clock, a network or a queue. What became of the last request stands in the fields
 * until the next one.
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

    private static final int VERSION_BYTES = 32;
    private static final int FIRST_SESSION_LIMIT = 4096;

    private final BundleStore bundles;
    private final String backendChoice;
    private final List<ReplayModel> models = new ArrayList<>();
    private final byte[] lastVersion = new byte[VERSION_BYTES];
    private final byte[] wantedVersion = new byte[VERSION_BYTES];
    private final NativeFloats features = new NativeFloats();
    private final NativeFloats outputs = new NativeFloats();
    private final UnsafeBuffer frame = new UnsafeBuffer(0, 0);
    private SessionTable sessions = new SessionTable(FIRST_SESSION_LIMIT);
    /** Sessions that the appliance had in memory. */
    private int liveCount;
    private ReplayModel model;
    private OutcomeStatus status;
    private int stepCount;
    private int outputCount;
    private int outputsLength;
    private long stateHash;
    private long totalStepCount;

    ReplayEngine(final BundleStore bundles, final String backendChoice) {
        this.bundles = bundles;
        this.backendChoice = backendChoice;
    }

    /**
     * Puts the sessions where they stood when the snapshot was taken. Before any request.
     *
     * @throws DamageException if a bundle is missing, or the snapshot's states are not of its bundles.
     */
    void restore(final SnapshotReader snapshot) {
        for (long order = -snapshot.sessionCount(); snapshot.nextSession(); order++) {
            final ReplayModel owner = owner(snapshot);
            final int sessionIndex = indexOf(
                    snapshot.principalId(), owner, snapshot.modelIndex(), snapshot.sessionKey());
            owner.states(sessionIndex).restore(
                    ReplayModel.slot(sessionIndex), snapshot.stateHash(), snapshot.state(), owner.executor());
            owner.states(sessionIndex).use(ReplayModel.slot(sessionIndex), order);
        }
        liveCount = sessions.size();
    }

    /**
     * Compares every session with what a snapshot says of it. The snapshot may lack sessions that had not been used for
     * longer than all of those that it has: the appliance had forgotten them.
     *
     * @return the first difference; null if there is none.
     * @throws DamageException if a bundle is missing, or the snapshot's states are not of its bundles.
     */
    SnapshotDifference compare(final SnapshotReader snapshot) {
        long oldestUse = snapshot.sessionCount() == 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
        while (snapshot.nextSession()) {
            final ReplayModel owner = owner(snapshot);
            final int sessionIndex = indexOf(
                    snapshot.principalId(), owner, snapshot.modelIndex(), snapshot.sessionKey());
            final SnapshotDifference difference = SnapshotDifference.find(
                    snapshot, owner.states(sessionIndex), ReplayModel.slot(sessionIndex));
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
        return models.get(sessions.modelIndex(sessionIndex) >>> Short.SIZE)
                .states(sessionIndex).lastUse(ReplayModel.slot(sessionIndex));
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
     * What the request, which has an outcome, does to its session.
     *
     * @param isExpired whether the journal says that the clock had decided against computing it.
     */
    void apply(final JoinedJournal journal, final boolean isExpired) {
        final RequestFrame request = journal.requestFrame();
        selectModel(journal.sequence(), journal.requestModelVersion());
        checkFeatures(journal.sequence(), request);
        final int sourceIndex = request.kind() == RequestKind.FORK ? lend(journal) : SessionTable.ABSENT;
        final int sessionIndex = use(journal);
        final SessionStates states = model.states(sessionIndex);
        final int slot = ReplayModel.slot(sessionIndex);

        stepCount = request.stepCount();
        outputCount = 0;
        outputsLength = 0;
        if (journal.outcomeFrame().hasSessionBegun()) {
            states.reset(slot, model.executor());
        } else {
            states.ensureInitialised(slot, model.executor());
        }
        states.use(slot, journal.sequence());
        if (request.kind() == RequestKind.RESET) {
            states.reset(slot, model.executor());
            status = OutcomeStatus.RESET;
        } else if (request.kind() == RequestKind.FORK) {
            states.fork(model.states(sourceIndex), ReplayModel.slot(sourceIndex), slot);
            status = OutcomeStatus.FORKED;
        } else if (isExpired) {
            status = OutcomeStatus.EXPIRED;
        } else if (!states.hasRoom(slot, stepCount, model.executor())) {
            status = OutcomeStatus.CONTEXT_FULL;
        } else {
            infer(journal.sequence(), request, states, slot);
        }
        stateHash = states.hash(slot);
    }

    private void infer(
            final long sequence, final RequestFrame request, final SessionStates states, final int slot) {
        status = OutcomeStatus.OK;
        final boolean makesToken = request.kind() == RequestKind.GENERATE;
        outputCount = model.shape().outputCount();
        final int strideBytes = outputCount * Float.BYTES;
        final long wantedBytes = (long) strideBytes * (request.isStream() ? stepCount : 1);
        if (wantedBytes > Integer.MAX_VALUE) {
            throw new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.REQUESTS, sequence,
                    "stepCount=" + stepCount + " of outputCount=" + outputCount + " is more than a record can hold");
        }
        outputsLength = (int) wantedBytes;
        features.copyFrom(request.buffer(), request.featuresOffset(), request.featuresLength());
        states.steps(
                slot,
                model.executor(),
                features.address(),
                stepCount,
                outputs.ensureLength(outputsLength),
                request.isStream() ? strideBytes : 0);
        totalStepCount += stepCount;
        if (makesToken) {
            model.draw().draw(generateFrame(request), 0, outputs.address());
            outputCount = Frames.MADE_OUTPUT_COUNT;
            outputsLength = TokenDraw.OUTPUTS_LENGTH;
        }
    }

    /** A draw reads a frame from its buffer's beginning. */
    private DirectBuffer generateFrame(final RequestFrame request) {
        frame.wrap(request.buffer(), request.offset(), request.length());
        return frame;
    }

    /** The session that is copied; its states may be in another block of memory than the copy's. */
    private int lend(final JoinedJournal journal) {
        final RequestFrame request = journal.requestFrame();
        final int sourceIndex = sessions.find(
                journal.requestPrincipalId(), modelIndex(model, request.modelId()), request.sourceKey());
        if (sourceIndex == SessionTable.ABSENT) {
            throw new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.REQUESTS, journal.sequence(),
                    "sourceKey=" + request.sourceKey() + " is no session's");
        }
        sessions.use(sourceIndex);
        model.states(sourceIndex).lend(ReplayModel.slot(sourceIndex), journal.sequence());
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
        final int modelIndex = modelIndex(owner, modelId);
        final int sessionIndex = sessions.indexOf(principalId, modelIndex, sessionKey);
        if (sessionIndex != SessionTable.FULL) {
            return sessionIndex;
        }
        sessions = sessions.withLimit(sessions.maxSessions() * 2);
        return sessions.indexOf(principalId, modelIndex, sessionKey);
    }

    private int use(final JoinedJournal journal) {
        final long principalId = journal.requestPrincipalId();
        final RequestFrame request = journal.requestFrame();
        final int modelIndex = modelIndex(model, request.modelId());
        final int known = sessions.find(principalId, modelIndex, request.sessionKey());
        if (known == SessionTable.ABSENT || journal.outcomeFrame().hasSessionBegun()) {
            liveCount += journal.outcomeFrame().hasSessionEvicted() ? 0 : 1;
        }
        final boolean makesRoom = known == SessionTable.ABSENT && journal.outcomeFrame().hasSessionBegun() &&
                journal.outcomeFrame().hasSessionEvicted() && liveCount > 0 && sessions.size() >= 2 * liveCount;
        final int sessionIndex = makesRoom
                ? sessions.replaceOldest(principalId, modelIndex, request.sessionKey())
                : indexOf(principalId, model, request.modelId(), request.sessionKey());
        sessions.use(sessionIndex);
        return sessionIndex;
    }

    private static int modelIndex(final ReplayModel owner, final int modelId) {
        return owner.index() << Short.SIZE | modelId;
    }

    private void selectModel(final long sequence, final DirectBuffer version) {
        version.getBytes(0, wantedVersion);
        if (model == null || !Arrays.equals(wantedVersion, lastVersion)) {
            model = find(HexFormat.of().formatHex(wantedVersion), sequence);
            System.arraycopy(wantedVersion, 0, lastVersion, 0, VERSION_BYTES);
        }
    }

    private ReplayModel find(final String versionHex, final long sequence) {
        for (final ReplayModel known : models) {
            if (known.versionHex().equals(versionHex)) {
                return known;
            }
        }
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

    OutcomeStatus status() {
        return status;
    }

    /** Steps asked for, made or not: 0 if the request was a reset. */
    int stepCount() {
        return stepCount;
    }

    /** Floats in one step's outputs: 0 if there were none. */
    int outputCount() {
        return outputCount;
    }

    /** All outputs that the outcome holds. */
    DirectBuffer outputs() {
        return outputs.buffer();
    }

    int outputsLength() {
        return outputsLength;
    }

    Arithmetic arithmetic() {
        return model.model().arithmetic();
    }

    /** Of the outputs with those in the journal. */
    OutputComparison comparison() {
        return model.comparison();
    }

    long stateHash() {
        return stateHash;
    }

    List<ReplayModel> models() {
        return models;
    }

    int sessionCount() {
        return sessions.size();
    }

    long totalStepCount() {
        return totalStepCount;
    }

    @Override
    public void close() {
        for (final ReplayModel loaded : models) {
            loaded.close();
        }
        models.clear();
    }
}
