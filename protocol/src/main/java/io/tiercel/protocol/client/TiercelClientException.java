package io.tiercel.protocol.client;

import io.tiercel.protocol.wire.RejectCode;

/** No connection could be made: the appliance refused it, did not answer in time, or is not there. */
public final class TiercelClientException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final RejectCode code;
    private final String detail;
    private final boolean isApplianceUnproved;

    /** Not refused: a timeout, or an appliance that broke the protocol. */
    TiercelClientException(final String detail) {
        this(null, detail, null, false);
    }

    TiercelClientException(final String detail, final Throwable cause) {
        this(null, detail, cause, false);
    }

    TiercelClientException(final RejectCode code, final String detail) {
        this(code, detail, null, false);
    }

    private TiercelClientException(
            final RejectCode code, final String detail, final Throwable cause, final boolean isApplianceUnproved) {
        super(code == null ? detail : "rejected: code=" + code + " " + detail, cause);
        this.code = code;
        this.detail = detail;
        this.isApplianceUnproved = isApplianceUnproved;
    }

    /** The client has a key, and who answered does not: nothing was asked of it. */
    static TiercelClientException applianceUnproved(final String detail) {
        return new TiercelClientException(null, "unproved: " + detail, null, true);
    }

    /**
     * Whether it was this client that refused, because the appliance has not proved that it has the key. Another try
     * changes nothing; somebody may be standing in its place.
     */
    public boolean isApplianceUnproved() {
        return isApplianceUnproved;
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
