package io.tiercel.appliance;

import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.DirectBuffer;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Everything that a client hears, kept for a test to look at. */
class Answers implements ResponseHandler {

    /** A result and its outputs. */
    record Result(
            long correlationId, long sessionKey, long sequence, ResultStatus status, int applianceNs, int batchSize,
            float[] outputs, boolean hasSessionBegun) {
    }

    /** One step of a streamed answer. */
    record Chunk(long correlationId, long sequence, int stepIndex, float[] outputs) {
    }

    /** A refusal. */
    record Rejection(long correlationId, RejectCode code, long offendingValue, long allowedValue, String detail) {
    }

    final List<Result> results = new ArrayList<>();
    final List<Chunk> chunks = new ArrayList<>();
    final List<Rejection> rejections = new ArrayList<>();
    final List<GoodbyeReason> goodbyes = new ArrayList<>();
    int disconnectCount;
    private final Set<Long> begun = new HashSet<>();

    Result lastResult() {
        return results.get(results.size() - 1);
    }

    Rejection lastRejection() {
        return rejections.get(rejections.size() - 1);
    }

    int count() {
        return results.size() + rejections.size();
    }

    @Override
    public void onSessionBegan(final long correlationId, final long sessionKey, final long sequence) {
        begun.add(sequence);
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
        results.add(new Result(correlationId, sessionKey, sequence, status, applianceNs, batchSize,
                floats(outputs, offset, outputCount), begun.remove(sequence)));
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
        chunks.add(new Chunk(correlationId, sequence, stepIndex, floats(outputs, offset, outputCount)));
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        rejections.add(new Rejection(correlationId, code, offendingValue, allowedValue, detail));
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        goodbyes.add(reason);
    }

    @Override
    public void onDisconnect() {
        disconnectCount++;
    }

    private static float[] floats(final DirectBuffer buffer, final int offset, final int count) {
        final float[] values = new float[count];
        for (int index = 0; index < count; index++) {
            values[index] = buffer.getFloat(offset + index * Float.BYTES);
        }
        return values;
    }
}
