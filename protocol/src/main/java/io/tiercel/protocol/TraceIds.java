package io.tiercel.protocol;

import java.util.HexFormat;

/**
 * The id of a request's trace, in W3C's and OpenTelemetry's form of 128 bits as 32 hexadecimal digits: the principal's
 * id, then the client's correlation id. So a client knows the trace of each of its requests without being told, and may
 * make it the one of what it does itself around the request; and the journal, read a year later, gives the same.
 */
public final class TraceIds {

    private TraceIds() {
    }

    /** @param principalId {@link Principals#idOf}. */
    public static String of(final long principalId, final long correlationId) {
        return HexFormat.of().toHexDigits(principalId) + HexFormat.of().toHexDigits(correlationId);
    }
}
