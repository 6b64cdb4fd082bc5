package io.tiercel.protocol.client;

import io.tiercel.protocol.wire.RejectCode;

/** No connection could be made: the appliance refused it, did not answer in time, or is not there. */
public final class TiercelClientException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final RejectCode code;
    private final String detail;

    /** Not refused: a timeout, or an appliance that broke the protocol. */
    TiercelClientException(final String detail) {
        this(null, detail, null);
    }

    TiercelClientException(final String detail, final Throwable cause) {
        this(null, detail, cause);
    }

    TiercelClientException(final RejectCode code, final String detail) {
        this(code, detail, null);
    }

    private TiercelClientException(final RejectCode code, final String detail, final Throwable cause) {
        super(code == null ? detail : "rejected: code=" + code + " " + detail, cause);
        this.code = code;
        this.detail = detail;
    }

    /** The appliance's reason, or null if it did not say one. */
    public RejectCode code() {
        return code;
    }

    /** {@code name=value} words for a log. */
    public String detail() {
        return detail;
    }
}
