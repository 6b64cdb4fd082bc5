package io.tiercel.protocol.client;

import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.DirectBuffer;

/**
 * Takes a warm-up's answers in the place of a handler that is not known yet.
 *
 * <p>There are several classes of it on purpose. Code that has only ever seen one or two handlers is compiled for
 * just these, and thrown away, in the middle of trading, when the real one comes. Once it has seen more it calls
 * whatever handler there is: a few nanoseconds slower, and it stays.
 */
class SilentHandler implements ResponseHandler {

    static final class Second extends SilentHandler {
    }

    static final class Third extends SilentHandler {
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
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        throw new IllegalStateException("warm-up: the responder refuses nothing, code=" + code + " " + detail);
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
    }

    @Override
    public void onDisconnect() {
    }
}
