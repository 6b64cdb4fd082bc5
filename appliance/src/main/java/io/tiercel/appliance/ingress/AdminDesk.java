package io.tiercel.appliance.ingress;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.rollout.VersionLoader;
import io.tiercel.appliance.routing.AdminAnswers;
import io.tiercel.appliance.routing.AdminFrame;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.session.AnswerPosition;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.util.HexFormat;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Administrators' commands: checks them, and applies them to the {@link Routes} when ingress has a place in the ring
 * for them. A bundle is loaded elsewhere first; its command goes into the ring when all of that has gone well, and not
 * if the administrator has gone meanwhile. So a command has its effect at its sequence, whole, or none.
 *
 * <p>Ingress only. Allocates: administrators are few.
 */
final class AdminDesk {

    private static final int SHORT_VERSION_LENGTH = 6;

    private final ModelVersions versions;
    private final Routes routes;
    private final Sessions sessions;
    private final SessionDoor door;
    private final VersionLoader loader;
    private final AdminFrame frame = new AdminFrame();
    private long offendingValue;
    private long allowedValue;
    /** Of the load under way, if there is one; its frame as it came. */
    private ClientConnection loadingClient;
    private int loadingGeneration;
    private UnsafeBuffer loadingFrame;
    private VersionLoader.Loaded loaded;

    AdminDesk(
            final ModelVersions versions,
            final Routes routes,
            final Sessions sessions,
            final SessionDoor door,
            final VersionLoader loader) {
        this.versions = versions;
        this.routes = routes;
        this.sessions = sessions;
        this.door = door;
        this.loader = loader;
        routes.tell();
    }

    int versionCount() {
        return versions.size();
    }

    Routes routes() {
        return routes;
    }

    AdminFrame read(final DirectBuffer buffer, final int offset) {
        return frame.wrap(buffer, offset);
    }

    /** What there is, of the models that the client may administer. */
    DirectBuffer versions(final ClientConnection client, final long sequence) {
        return AdminAnswers.versions(
                frame.correlationId(), sequence, routes, versions, client.served, door::sessionCountOf);
    }

    /** Whether the frame at hand can be applied, or its bundle loaded: {@link Routes#OK}, or why not. */
    int check(final ClientConnection client) {
        final AdminCommand command = frame.command();
        final int modelId = frame.modelId();
        if (command == AdminCommand.SNAPSHOT) { // about no model, which is written as 0
            return modelId == 0 ? Routes.OK : refuse(RejectCode.UNKNOWN_MODEL, modelId, 0);
        }
        if (modelId >= client.served.length || !client.served[modelId]) {
            return refuse(RejectCode.UNKNOWN_MODEL, modelId, routes.modelCount());
        }
        final int code = routes.check(frame);
        if (code != Routes.OK) {
            offendingValue = routes.offendingValue();
            allowedValue = routes.allowedValue();
            return code;
        }
        return command == AdminCommand.LOAD ? checkLoad() : Routes.OK;
    }

    /** The frame at hand in words, and whose it is; null if that one has gone. */
    String nameFor(final ClientConnection client) {
        final StringBuilder name = new StringBuilder(frame.command().toString());
        if (frame.command() != AdminCommand.SNAPSHOT && frame.modelId() < routes.modelCount()) {
            name.append(' ').append(versions.get(frame.modelId()).alias());
        }
        if (frame.version().getLong(0) != 0) {
            final byte[] digits = new byte[SHORT_VERSION_LENGTH];
            frame.version().getBytes(0, digits);
            name.append(' ').append(HexFormat.of().formatHex(digits));
        }
        return name.append(" by ").append(client == null ? "one who has gone" : client.principal).toString();
    }

    /** Of the frame at hand. */
    long correlationId() {
        return frame.correlationId();
    }

    long offendingValue() {
        return offendingValue;
    }

    long allowedValue() {
        return allowedValue;
    }

    /** Has the bundle of the frame at hand loaded. */
    void beginLoad(final ClientConnection client, final DirectBuffer buffer, final int offset, final int length) {
        loadingFrame = new UnsafeBuffer(new byte[length]);
        loadingFrame.putBytes(0, buffer, offset, length);
        loadingClient = client;
        loadingGeneration = client.generation;
        final byte[] version = new byte[LoadedModel.VERSION_LENGTH];
        frame.version().getBytes(0, version);
        loader.order(new VersionLoader.Order(
                versions.get(frame.modelId()), HexFormat.of().formatHex(version), frame.bundle()));
    }

    /** Whether something has come of the load, which has not been {@linkplain #endLoad ended}; reads its frame then. */
    boolean hasLoaded() {
        if (loadingClient == null) {
            return false;
        }
        if (loaded == null) {
            loaded = loader.poll();
        }
        if (loaded == null) {
            return false;
        }
        frame.wrap(loadingFrame, 0);
        return true;
    }

    /** Who asked for it; null if that one is not there any more. */
    ClientConnection loadingClient() {
        return loadingClient.state == ClientConnection.State.OPEN && loadingClient.generation == loadingGeneration
                ? loadingClient
                : null;
    }

    DirectBuffer loadingFrame() {
        return loadingFrame;
    }

    VersionLoader.Loaded loaded() {
        return loaded;
    }

    /** What the administrator hears of a bundle that was refused. */
    DirectBuffer refusalOfLoad() {
        return AdminAnswers.refusal(frame.correlationId(), loaded.code(), frame.modelId(), loaded.reason());
    }

    /** @param isApplied whether the version is served now; else it goes. */
    void endLoad(final boolean isApplied) {
        if (!isApplied) {
            loaded.close();
        }
        loaded = null;
        loadingClient = null;
        loadingFrame = null;
    }

    /** Nobody waits for the load under way any more. Ingress must not run any more. */
    void close() {
        if (loaded != null) {
            endLoad(false);
        }
    }

    /**
     * Applies the frame at hand, and puts into a slot that is certain to be published what became of it.
     *
     * @param version of a LOAD; else null.
     */
    void apply(final RequestSlot slot, final VersionLoader.Loaded version) {
        slot.kind = RequestKind.ADMINISTER;
        slot.modelId = frame.modelId();
        slot.modelIndex = routes.foremost(slot.modelId);
        slot.prepared = null;
        if (version != null) {
            versions.add(version.version());
            sessions.add(version.states());
            slot.prepared = version.executors();
        }
        routes.apply(frame, versions.size() - 1);
        routes.tell();
        slot.stateHash = routes.hash(slot.modelId);
        slot.status = ResultStatus.APPLIED;
        slot.correlationId = frame.correlationId();
        beNoSessions(slot);
    }

    private static void beNoSessions(final RequestSlot slot) {
        slot.stream = false;
        slot.stepCount = 0;
        slot.featuresOffset = 0;
        slot.budgetNs = 0;
        slot.sessionKey = 0;
        slot.sessionIndex = 0;
        slot.workerIndex = RequestSlot.NO_WORKER;
        slot.formerWorkerIndex = RequestSlot.NO_WORKER;
        slot.begins = false;
        slot.moves = false;
        slot.evicts = false;
        slot.isBeginningDecided = false;
        slot.generationIndex = RequestSlot.NO_GENERATION;
        slot.answerPosition = AnswerPosition.NONE;
        slot.isOnStandby = false;
        slot.isRecalled = false;
        slot.batchSize = 0;
        slot.outputsLength = 0;
        slot.outputCount = 0;
    }

    private int checkLoad() {
        if (versions.isFull()) {
            return refuse(RejectCode.VERSION_LIMIT, versions.size() + 1L, versions.capacity());
        }
        return loadingClient == null
                ? Routes.OK
                : refuse(RejectCode.LOAD_IN_PROGRESS, new AdminFrame().wrap(loadingFrame, 0).modelId(), 0);
    }

    private int refuse(final RejectCode code, final long offending, final long allowed) {
        offendingValue = offending;
        allowedValue = allowed;
        return code.value();
    }
}
