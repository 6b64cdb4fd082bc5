package io.tiercel.protocol.client;

import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.DirectBuffer;

/** Counts, and allocates nothing. */
class CountingHandler implements ResponseHandler {

    int resultCount;
    int chunkCount;
    int disconnectCount;
    int rejectCount;
    boolean expectsRejects;

    /** After an answer was counted. */
    void onAnswer() {
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
        resultCount++;
        onAnswer();
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
        chunkCount++;
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        if (!expectsRejects) {
            throw new AssertionError(code + " " + detail);
        }
        rejectCount++;
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        throw new AssertionError(reason);
    }

    @Override
    public void onDisconnect() {
        disconnectCount++;
    }
}
