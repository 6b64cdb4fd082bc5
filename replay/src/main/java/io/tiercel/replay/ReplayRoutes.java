package io.tiercel.replay;

import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.AdminCommand;
import java.util.HexFormat;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Follows the routes of sessions to versions through a journal, as its commands change them, and compares them with
 * what the outcomes of the commands say. A model's first version is that of the first record which names the model.
 */
final class ReplayRoutes {

    private static final int MAX_MODELS = 1 << Short.SIZE;
    /** Versions that one journal may tell of. */
    private static final int MAX_VERSIONS = 4_096;

    private final Routes routes = new Routes(MAX_MODELS, MAX_VERSIONS);
    private final boolean[] hasBegun = new boolean[MAX_MODELS];
    private int versionCount;

    /** A version of a snapshot with which the replay begins. */
    void restore(final SnapshotReader.ModelEntry entry) {
        hasBegun[entry.modelId()] = true;
        routes.put(versionCount++, entry.modelId(), new UnsafeBuffer(HexFormat.of().parseHex(entry.versionHex())),
                entry.weight(), entry.formerWeight(), entry.isDrained());
    }

    /** Any request. Costs a look where its model is known. */
    void onRequest(final JoinedJournal journal) {
        final int modelId = journal.requestFrame().modelId();
        if (!hasBegun[modelId]) {
            hasBegun[modelId] = true;
            routes.begin(versionCount++, modelId, journal.requestModelVersion());
        }
    }

    /** A command. */
    void apply(final JoinedJournal journal) {
        onRequest(journal);
        final RequestFrame request = journal.requestFrame();
        final DirectBuffer version = request.command().version();
        if (request.command().command() == AdminCommand.LOAD) {
            final int known = routes.find(request.modelId(), version);
            check(journal, versionCount < MAX_VERSIONS, "versions", versionCount, MAX_VERSIONS);
            routes.apply(request.command(), known < 0 ? versionCount++ : known);
        } else {
            final int code = request.command().command() == AdminCommand.SNAPSHOT
                    ? Routes.OK
                    : routes.check(request.command());
            check(journal, code == Routes.OK, "rejectCode", code, Routes.OK);
            routes.apply(request.command(), 0);
        }
        final OutcomeFrame outcome = journal.outcomeFrame();
        check(journal, outcome.correlationId() == request.correlationId(), "correlationId", outcome.correlationId(),
                request.correlationId());
        check(journal, outcome.status() == OutcomeStatus.APPLIED, "status", outcome.status().value(),
                OutcomeStatus.APPLIED.value());
        final long hash = routes.hash(request.modelId());
        check(journal, outcome.stateHash() == hash, "routesHash", outcome.stateHash(), hash);
    }

    private static void check(
            final JoinedJournal journal, final boolean isRight, final String field, final long journaled,
            final long computed) {
        if (!isRight) {
            throw new DamageException(DamageKind.OTHER_ROUTES, JoinedJournal.OUTCOMES, journal.sequence(),
                    "command=" + journal.requestFrame().command().command() + ' ' + field + "=0x" +
                            Long.toHexString(journaled) + " but it comes to 0x" + Long.toHexString(computed));
        }
    }
}
