package io.tiercel.protocol;

import io.tiercel.protocol.wire.RejectCode;
import java.nio.charset.StandardCharsets;
import org.agrona.MutableDirectBuffer;

/**
 * A Reject's detail in {@code name=value} words: {@code frameLength=5000 maxFrameLength=4096}. Written straight into
 * the frame, without an allocation, so that a client that sends garbage makes no garbage here.
 */
public final class RejectDetail {

    /** No detail of this class is longer. */
    public static final int MAX_LENGTH = 96;

    private static final byte[][] OFFENDING_NAMES = new byte[RejectCode.SELF_TEST_FAILED.value() + 1][];
    private static final byte[][] ALLOWED_NAMES = new byte[RejectCode.SELF_TEST_FAILED.value() + 1][];
    private static final byte[] STEP_NAME = "step=".getBytes(StandardCharsets.US_ASCII);

    static {
        name(RejectCode.MALFORMED_FRAME, "value=", " expected=");
        name(RejectCode.UNKNOWN_SCHEMA, "schemaId=", " expected=");
        name(RejectCode.UNSUPPORTED_VERSION, "version=", " newest=");
        name(RejectCode.UNKNOWN_TEMPLATE, "templateId=", null);
        name(RejectCode.LENGTH_MISMATCH, "length=", " expected=");
        name(RejectCode.FRAME_TOO_LONG, "frameLength=", " maxFrameLength=");
        name(RejectCode.NON_FINITE_FEATURE, "featureIndex=", null);
        name(RejectCode.UNKNOWN_MODEL, "modelId=", " modelCount=");
        name(RejectCode.FEATURE_COUNT_MISMATCH, "featureCount=", " expected=");
        name(RejectCode.STEP_COUNT_OUT_OF_RANGE, "stepCount=", " maxSteps=");
        name(RejectCode.SESSION_LIMIT, "sessions=", " maxSessions=");
        name(RejectCode.IN_FLIGHT_LIMIT, "inFlight=", " maxInFlight=");
        name(RejectCode.CLIENT_LIMIT, "clients=", " maxClients=");
        name(RejectCode.DUPLICATE_HELLO, "clientId=", null);
        name(RejectCode.BAD_HELLO, "value=", " allowed=");
        name(RejectCode.PRINCIPAL_REFUSED, "principalId=", null);
        name(RejectCode.SHUTTING_DOWN, "inFlight=", null);
        name(RejectCode.JOURNAL_UNAVAILABLE, "sequence=", null);
        name(RejectCode.UNKNOWN_FLAGS, "flags=", " known=");
        name(RejectCode.OVERLOADED, "unfinished=", " allowed=");
        name(RejectCode.RATE_LIMIT, "ratePerSecond=", " maxRatePerSecond=");
        name(RejectCode.CORRELATION_ID_REUSED, "sequence=", null);
        name(RejectCode.JOURNAL_SPACE_LOW, "freeBytes=", " refuseBelowBytes=");
        name(RejectCode.TOKEN_OUT_OF_VOCABULARY, "token=", " vocabularySize=");
        name(RejectCode.UNKNOWN_SESSION, "sourceKey=", null);
        name(RejectCode.GENERATION_OUT_OF_RANGE, "value=", " allowed=");
        name(RejectCode.NOT_A_GENERATOR, "modelId=", null);
        name(RejectCode.GENERATION_LIMIT, "generations=", " allowed=");
        name(RejectCode.ACCESS_DENIED, "templateId=", null);
        name(RejectCode.NOT_AN_ADMINISTRATOR, "templateId=", null);
        name(RejectCode.UNKNOWN_VERSION, "version=", null);
        name(RejectCode.WEIGHTS_DO_NOT_ADD_UP, "sum=", " expected=");
        name(RejectCode.VERSION_ROUTED, "weight=", " expected=");
        name(RejectCode.NO_FORMER_ROUTE, "modelId=", null);
        name(RejectCode.VERSION_LIMIT, "versions=", " allowed=");
        name(RejectCode.VERSION_LOADED, "version=", null);
        name(RejectCode.LOAD_IN_PROGRESS, "modelId=", null);
        name(RejectCode.BUNDLE_REFUSED, "modelId=", null);
        name(RejectCode.SELF_TEST_FAILED, "modelId=", null);
    }

    private RejectDetail() {
    }

    /**
     * Writes the detail of a refusal at {@code offset}; at most {@value #MAX_LENGTH} bytes.
     *
     * @return bytes written.
     */
    public static int put(
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final MutableDirectBuffer buffer,
            final int offset) {
        final byte[] offendingName = OFFENDING_NAMES[code.value()];
        final byte[] allowedName = ALLOWED_NAMES[code.value()];
        int limit = offset;
        buffer.putBytes(limit, offendingName);
        limit += offendingName.length;
        limit += buffer.putLongAscii(limit, offendingValue);
        if (allowedName != null) {
            buffer.putBytes(limit, allowedName);
            limit += allowedName.length;
            limit += buffer.putLongAscii(limit, allowedValue);
        }
        return limit - offset;
    }

    /**
     * As {@link #put}, of a refusal for what one step of a request holds: {@code step=2 token=99 vocabularySize=64}.
     *
     * @param step from 0.
     * @return bytes written.
     */
    public static int putOfStep(
            final RejectCode code,
            final int step,
            final long offendingValue,
            final long allowedValue,
            final MutableDirectBuffer buffer,
            final int offset) {
        buffer.putBytes(offset, STEP_NAME);
        int limit = offset + STEP_NAME.length;
        limit += buffer.putIntAscii(limit, step);
        buffer.putByte(limit++, (byte) ' ');
        return limit - offset + put(code, offendingValue, allowedValue, buffer, limit);
    }

    private static void name(final RejectCode code, final String offending, final String allowed) {
        OFFENDING_NAMES[code.value()] = offending.getBytes(StandardCharsets.US_ASCII);
        ALLOWED_NAMES[code.value()] = allowed == null ? null : allowed.getBytes(StandardCharsets.US_ASCII);
    }
}
