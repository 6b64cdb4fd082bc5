package io.tiercel.tools.load;

import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.util.LinkedHashMap;
import java.util.Map;
import org.agrona.DirectBuffer;
import org.agrona.collections.Long2LongHashMap;

/**
 * Sends the requests of a {@link RequestSource} to an appliance through {@link TiercelClient}, one step each. Owned by
 * the generator's thread; allocates nothing but the text of a refusal, and room for a session when it is first asked.
 *
 * <p>Sessions of a model that refuses more than a context of steps are reset in between, when they are full and before
 * their first step, as nobody knows how they stand. The resets are no requests of the run: they are neither timed nor
 * counted.
 */
public final class ApplianceTarget implements LoadTarget, ResponseHandler {

    private static final int FRAGMENT_LIMIT = 16;
    private static final long UNKNOWN = Long.MIN_VALUE;

    private final TiercelClient client;
    private final int modelId;
    private final RequestSource source;
    private final long budgetNs;
    private final OutputSink outputSink;
    /** Steps that a session takes; 0 for any number. */
    private final int contextTokens;
    private final Long2LongHashMap stepsOfSession = new Long2LongHashMap(UNKNOWN);
    private final Long2LongHashMap sessionOfReset = new Long2LongHashMap(UNKNOWN);
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
        contextTokens = client.models().stream()
                .filter(model -> model.modelId() == modelId)
                .mapToInt(ModelInfo::contextTokens)
                .findFirst()
                .orElseThrow();
    }

    @Override
    public long send(final long requestIndex) {
        final long sessionKey = source.sessionKey(requestIndex);
        final long roomy = contextTokens == 0 ? 1 : makeRoom(sessionKey);
        final long result = roomy > 0 ? infer(requestIndex, sessionKey) : roomy;
        if (result > 0) {
            if (contextTokens > 0) {
                stepsOfSession.put(sessionKey, stepsOfSession.get(sessionKey) + 1);
            }
            return result;
        }
        return result == TiercelClient.BACK_PRESSURED ? BACK_PRESSURED : DISCONNECTED;
    }

    private long infer(final long requestIndex, final long sessionKey) {
        return client.infer(
                modelId,
                sessionKey,
                source.features(),
                source.featuresOffset(requestIndex),
                1,
                budgetNs,
                false);
    }

    /** Resets a session that has no room for a step, or may have none. Above 0, or what the client returned. */
    private long makeRoom(final long sessionKey) {
        final long steps = stepsOfSession.get(sessionKey);
        if (steps != UNKNOWN && steps < contextTokens) {
            return 1;
        }
        final long reset = client.resetSession(modelId, sessionKey);
        if (reset > 0) {
            sessionOfReset.put(reset, sessionKey);
            stepsOfSession.put(sessionKey, 0);
        }
        return reset;
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
        if (status == ResultStatus.RESET) {
            sessionOfReset.remove(correlationId);
            return;
        }
        if (status == ResultStatus.CONTEXT_FULL) {
            reject(correlationId, status.name());
            return;
        }
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
        final long sessionKey = sessionOfReset.remove(correlationId);
        if (sessionKey != UNKNOWN) {
            stepsOfSession.remove(sessionKey);
        } else if (reject(correlationId, code + " " + detail)) {
            rejectCounts[code.ordinal()]++;
        }
    }

    private boolean reject(final long correlationId, final String why) {
        if (firstReject == null) {
            firstReject = why;
        }
        return answers.onAnswer(correlationId, AnswerKind.REJECTED) >= 0;
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
