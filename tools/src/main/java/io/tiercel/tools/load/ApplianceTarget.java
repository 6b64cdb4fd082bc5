package io.tiercel.tools.load;

import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.util.LinkedHashMap;
import java.util.Map;
import org.agrona.DirectBuffer;

/**
 * Sends the requests of a {@link RequestSource} to an appliance through {@link TiercelClient}, one step each. Owned by
 * the generator's thread; allocates nothing but the text of a refusal.
 */
public final class ApplianceTarget implements LoadTarget, ResponseHandler {

    private static final int FRAGMENT_LIMIT = 16;

    private final TiercelClient client;
    private final int modelId;
    private final RequestSource source;
    private final long budgetNs;
    private final OutputSink outputSink;
    private AnswerHandler answers;
    private final long[] rejectCounts = new long[RejectCode.values().length];
    private String firstReject;
    private GoodbyeReason goodbye;

    /**
     * @param budgetNs of each request; 0 for none.
     */
    public ApplianceTarget(
            final TiercelClient client,
            final int modelId,
            final RequestSource source,
            final long budgetNs,
            final OutputSink outputSink) {
        this.client = client;
        this.modelId = modelId;
        this.source = source;
        this.budgetNs = budgetNs;
        this.outputSink = outputSink;
    }

    @Override
    public long send(final long requestIndex) {
        final long result = client.infer(
                modelId,
                source.sessionKey(requestIndex),
                source.features(),
                source.featuresOffset(requestIndex),
                1,
                budgetNs,
                false);
        if (result > 0) {
            return result;
        }
        return result == TiercelClient.BACK_PRESSURED ? BACK_PRESSURED : DISCONNECTED;
    }

    @Override
    public int poll(final AnswerHandler handler) {
        answers = handler;
        return client.poll(this, FRAGMENT_LIMIT);
    }

    /** Why the first refused request was refused, or null. */
    public String firstReject() {
        return firstReject;
    }

    /** Requests refused, by code; codes that did not occur are left out. */
    public Map<String, Long> rejectsByCode() {
        final Map<String, Long> counts = new LinkedHashMap<>();
        for (final RejectCode code : RejectCode.values()) {
            if (rejectCounts[code.ordinal()] > 0) {
                counts.put(code.name(), rejectCounts[code.ordinal()]);
            }
        }
        return counts;
    }

    /** Why the appliance ended the connection, or null. */
    public GoodbyeReason goodbye() {
        return goodbye;
    }

    @Override
    public void onResult(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final ResultStatus status,
            final int applianceNs,
            final int batchSize,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        if (status == ResultStatus.EXPIRED) {
            answers.onAnswer(correlationId, AnswerKind.EXPIRED);
            return;
        }
        final long requestIndex = answers.onAnswer(correlationId, AnswerKind.OK);
        if (requestIndex >= 0) {
            outputSink.onOutputs(requestIndex, sequence, outputs, offset, outputCount);
        }
    }

    @Override
    public void onChunk(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final int stepIndex,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        throw new IllegalStateException("a chunk for correlationId=" + correlationId + ", which was not streamed");
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        if (firstReject == null) {
            firstReject = code + " " + detail;
        }
        if (answers.onAnswer(correlationId, AnswerKind.REJECTED) >= 0) {
            rejectCounts[code.ordinal()]++;
        }
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        goodbye = reason;
    }

    @Override
    public void onDisconnect() {
        answers.onDisconnect();
    }
}
