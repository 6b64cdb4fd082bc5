package io.tiercel.tools.admin;

import io.aeron.Aeron;
import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.ServedVersion;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.time.Duration;
import java.util.List;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SleepingMillisIdleStrategy;

/** One administrator's connection, for the one thread that uses it: a command, then its answer. */
final class AdminSession implements AutoCloseable, ResponseHandler {

    private static final int FRAGMENT_LIMIT = 8;
    private static final long NONE = -1;

    private final Aeron aeron;
    private final TiercelClient client;
    private final long timeoutMs;
    private final IdleStrategy idle = new SleepingMillisIdleStrategy(1);
    private boolean isAnswered;
    private long sequence;
    private List<ServedVersion> versions = List.of();
    private String refusal;

    AdminSession(final Aeron aeron, final ClientContext context, final Duration timeout) {
        this.aeron = aeron;
        timeoutMs = timeout.toMillis();
        try {
            client = TiercelClient.connect(context.aeron(aeron));
        } catch (final RuntimeException ex) {
            CloseHelper.quietClose(aeron);
            throw ex;
        }
    }

    /** The model of that alias, or the only one. */
    ModelInfo model(final String alias) {
        final List<ModelInfo> models = client.models();
        if (alias == null && models.size() == 1) {
            return models.get(0);
        }
        for (final ModelInfo model : models) {
            if (model.alias().equals(alias)) {
                return model;
            }
        }
        throw ToolException.badArgument((alias == null ? "--model is missing" : "--model=" + alias + " is unknown") +
                "; this principal may administer " + models.stream().map(ModelInfo::alias).toList());
    }

    /** All that this principal may administer. */
    List<ModelInfo> models() {
        return client.models();
    }

    /** The versions as they are now. */
    List<ServedVersion> versions() {
        ask(AdminRequest.versions());
        return versions;
    }

    /** The model's version that begins with these digits. */
    ServedVersion version(final ModelInfo model, final String digits) {
        final List<ServedVersion> found = versions().stream()
                .filter(version -> version.modelId() == model.modelId() && version.version().startsWith(digits))
                .toList();
        if (found.size() != 1) {
            throw ToolException.badArgument("version=" + digits + " begins " +
                    (found.isEmpty() ? "none" : "several") + " of model=" + model.alias() + ": " + versions.stream()
                            .filter(version -> version.modelId() == model.modelId())
                            .map(ServedVersion::version).toList());
        }
        return found.get(0);
    }

    /** Gives a command. @return its sequence in the journal. */
    long command(final AdminRequest request) {
        ask(request);
        return sequence;
    }

    private void ask(final AdminRequest request) {
        isAnswered = false;
        refusal = null;
        sequence = NONE;
        long waitedMs = 0;
        long sent = client.administer(request);
        while (sent < 0 || !isAnswered) {
            if (waitedMs++ > timeoutMs || sent == TiercelClient.CLOSED || !client.isConnected()) {
                throw ToolException.environment("no answer to " + request.command() + ": " +
                        (client.isConnected() ? "waited " + timeoutMs + " ms" : client.disconnectCause()) +
                        "; `tiercel admin versions` says whether it has had its effect");
            }
            idle.idle(client.poll(this, FRAGMENT_LIMIT));
            sent = sent < 0 ? client.administer(request) : sent;
        }
        if (refusal != null) {
            throw new ToolException(ExitCode.CHECK_FAILED, request.command() + " refused: " + refusal);
        }
    }

    @Override
    public void onResult(
            final long correlationId,
            final long sessionKey,
            final long atSequence,
            final ResultStatus status,
            final int applianceNs,
            final int batchSize,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        sequence = atSequence;
        isAnswered = true;
    }

    @Override
    public void onVersions(final long correlationId, final long atSequence, final List<ServedVersion> told) {
        versions = told;
        sequence = atSequence;
        isAnswered = true;
    }

    @Override
    public void onChunk(
            final long correlationId,
            final long sessionKey,
            final long atSequence,
            final int stepIndex,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        throw new IllegalStateException("a command has no chunks");
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        refusal = "code=" + code + ' ' + detail;
        isAnswered = true;
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        // The connection's end, which is next, says it.
    }

    @Override
    public void onDisconnect() {
        // Seen by whoever waits.
    }

    @Override
    public void close() {
        CloseHelper.quietCloseAll(client, aeron);
    }
}
