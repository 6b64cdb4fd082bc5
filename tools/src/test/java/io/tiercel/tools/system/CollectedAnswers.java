package io.tiercel.tools.system;

import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import org.agrona.DirectBuffer;

/** The outputs of answers, by correlation id; whatever is no answer fails the test. */
final class CollectedAnswers implements ResponseHandler {

    private static final int FRAGMENT_LIMIT = 16;

    private final Map<Long, float[]> outputs = new LinkedHashMap<>();

    /** Polls until the answer is there. */
    float[] await(final TiercelClient client, final long correlationId) {
        if (correlationId <= 0) {
            throw new AssertionError("not sent: " + correlationId);
        }
        while (!outputs.containsKey(correlationId)) {
            client.poll(this, FRAGMENT_LIMIT);
            Thread.onSpinWait();
        }
        return outputs.get(correlationId);
    }

    @Override
    public void onResult(
            final long correlationId, final long sessionKey, final long sequence, final ResultStatus status,
            final int applianceNs, final int batchSize, final DirectBuffer buffer, final int offset,
            final int outputCount) {
        final float[] values = new float[outputCount];
        for (int i = 0; i < outputCount; i++) {
            values[i] = buffer.getFloat(offset + i * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
        }
        outputs.put(correlationId, values);
    }

    @Override
    public void onChunk(
            final long correlationId, final long sessionKey, final long sequence, final int stepIndex,
            final DirectBuffer buffer, final int offset, final int outputCount) {
        // The result has the last one; replay compares them all.
    }

    @Override
    public void onReject(
            final long correlationId, final RejectCode code, final long offendingValue, final long allowedValue,
            final String detail) {
        throw new AssertionError("refused: " + code + " " + detail);
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        throw new AssertionError("goodbye: " + reason);
    }

    @Override
    public void onDisconnect() {
        throw new AssertionError("the connection was lost");
    }
}
