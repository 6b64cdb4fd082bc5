package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.Generation;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.ToolException;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.IntConsumer;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/** Tokens that an appliance makes, told as they come. One thread. */
final class ApplianceText implements AutoCloseable, ResponseHandler {

    private static final String PRINCIPAL = "generate";

    private final TiercelClient client;
    private final ModelInfo model;
    private final long sessionKey;
    private final IdleStrategy idle = new BackoffIdleStrategy();
    private IntConsumer tokens;
    private boolean isGenerating;
    private boolean isAnswered;
    private ResultStatus status;
    private String failure;

    /**
     * @throws ToolException       if there is no appliance.
     * @throws ModelInputException if it does not serve the bundle.
     */
    ApplianceText(final String aeronDirectoryName, final Bundle bundle, final long sessionKey) {
        this.sessionKey = sessionKey;
        try {
            client = TiercelClient.connect(new ClientContext()
                    .aeronDirectoryName(aeronDirectoryName)
                    .principal(PRINCIPAL));
        } catch (final TiercelClientException ex) {
            throw ToolException.environment("cannot connect to the appliance at aeron-dir=" + aeronDirectoryName +
                    ": " + ex.getMessage());
        }
        model = find(bundle);
    }

    private ModelInfo find(final Bundle bundle) {
        for (final ModelInfo served : client.models()) {
            if (served.version().equals(bundle.versionHex())) {
                return served;
            }
        }
        client.close();
        throw new ModelInputException(bundle.path() + ": the appliance does not serve version=" + bundle.versionHex() +
                "; it serves " + client.models());
    }

    /** Tokens that a session takes before it is full; 0 if any number. */
    int contextTokens() {
        return model.contextTokens();
    }

    /**
     * Begins the session anew, and lets it go on with a text.
     *
     * @param consumer told each token when it is there.
     * @return whether the context has ended it.
     */
    boolean goOn(final int[] prompt, final Generation generation, final IntConsumer consumer) {
        tokens = consumer;
        await(client.resetSession(model.modelId(), sessionKey));
        int begin = 0;
        for (; prompt.length - begin > client.maxSteps(); begin += client.maxSteps()) {
            await(client.inferTokens(model.modelId(), sessionKey, prompt, begin, client.maxSteps(), 0, false));
        }
        final int[] rest = Arrays.copyOfRange(prompt, begin, prompt.length);
        isGenerating = true;
        await(client.generate(model.modelId(), sessionKey, rest, generation, 0));
        return status == ResultStatus.CONTEXT_FULL;
    }

    /** One request is under way at a time, so there is room for it. */
    private void await(final long correlationId) {
        if (correlationId < 0) {
            throw ToolException.environment("the appliance takes nothing: " + client.disconnectCause());
        }
        isAnswered = false;
        while (!isAnswered) {
            idle.idle(client.poll(this, 16));
        }
        if (failure != null) {
            throw ToolException.environment(failure);
        }
    }

    @Override
    public void onChunk(
            final long correlationId, final long session, final long sequence, final int stepIndex,
            final DirectBuffer outputs, final int offset, final int outputCount) {
        tokens.accept(outputs.getInt(offset, ByteOrder.LITTLE_ENDIAN));
    }

    @Override
    public void onResult(
            final long correlationId, final long session, final long sequence, final ResultStatus resultStatus,
            final int applianceNs, final int batchSize, final DirectBuffer outputs, final int offset,
            final int outputCount) {
        status = resultStatus;
        isAnswered = true;
        if (isGenerating && outputCount > 0) {
            tokens.accept(outputs.getInt(offset, ByteOrder.LITTLE_ENDIAN));
        }
    }

    @Override
    public void onReject(
            final long correlationId, final RejectCode code, final long offendingValue, final long allowedValue,
            final String detail) {
        isAnswered = true;
        failure = "the appliance refuses: code=" + code + " " + detail;
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        // onDisconnect follows.
    }

    @Override
    public void onDisconnect() {
        isAnswered = true;
        failure = "the connection is over: " + client.disconnectCause();
    }

    @Override
    public void close() {
        client.close();
    }
}
