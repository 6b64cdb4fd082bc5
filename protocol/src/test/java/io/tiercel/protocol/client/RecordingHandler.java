package io.tiercel.protocol.client;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.DirectBuffer;

/** Writes down each callback as one line of words. */
final class RecordingHandler implements ResponseHandler {

    final List<String> lines = new ArrayList<>();

    @Override
    public void onSessionBegan(final long correlationId, final long sessionKey, final long sequence) {
        lines.add("began " + correlationId + " session " + sessionKey + " sequence " + sequence);
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
        lines.add("result " + correlationId + " session " + sessionKey + " sequence " + sequence + " " + status +
                " ns " + applianceNs + " batch " + batchSize + " " + floats(outputs, offset, outputCount));
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
        lines.add("chunk " + correlationId + " session " + sessionKey + " sequence " + sequence +
                " step " + stepIndex + " " + floats(outputs, offset, outputCount));
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        lines.add("reject " + correlationId + " " + code + " " + offendingValue + " " + allowedValue + " " + detail);
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        lines.add("goodbye " + reason);
    }

    @Override
    public void onDisconnect() {
        lines.add("disconnect");
    }

    private static String floats(final DirectBuffer buffer, final int offset, final int count) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = buffer.getFloat(offset + i * Float.BYTES, LITTLE_ENDIAN);
        }
        return Arrays.toString(values);
    }
}
