package io.tiercel.appliance.ingress;

import io.tiercel.appliance.session.ClientConnection;

/**
 * How often a client may ask: a token bucket for each connection, which holds what 100 ms bring, and at least one
 * request. Ingress thread only; allocates nothing and reads no clock.
 *
 * <p>All integers: a nanosecond brings {@code maxRatePerSecond} units of credit, a request costs 10^9 of them, so the
 * rate is exact over any length of time. A connection begins with a full bucket. Looking and taking are two calls,
 * because a request that passes here may still be refused for another reason, and then costs nothing.
 */
final class RateLimit {

    private static final long REQUEST_CREDIT = 1_000_000_000;
    private static final long BURST_NS = 100_000_000;

    private final int maxRatePerSecond;
    private final long burstCredit;
    private final long fillNs;

    /** @param maxRatePerSecond requests a second of one client; 0 for no limit. */
    RateLimit(final int maxRatePerSecond) {
        this.maxRatePerSecond = maxRatePerSecond;
        burstCredit = Math.max(maxRatePerSecond * BURST_NS, REQUEST_CREDIT);
        fillNs = maxRatePerSecond == 0 ? 0 : Math.max(BURST_NS, REQUEST_CREDIT / maxRatePerSecond + 1);
    }

    int maxRatePerSecond() {
        return maxRatePerSecond;
    }

    /** Fills the bucket of a place that is given to a new client. */
    void begin(final ClientConnection client, final long nowTickNs) {
        client.rateCredit = burstCredit;
        client.rateTickNs = nowTickNs;
    }

    /** Whether the client may ask now. */
    boolean admits(final ClientConnection client, final long nowTickNs) {
        if (maxRatePerSecond == 0) {
            return true;
        }
        final long elapsedNs = nowTickNs - client.rateTickNs;
        if (elapsedNs > 0) {
            client.rateTickNs = nowTickNs;
            client.rateCredit = elapsedNs >= fillNs
                    ? burstCredit
                    : Math.min(burstCredit, client.rateCredit + elapsedNs * maxRatePerSecond);
        }
        return client.rateCredit >= REQUEST_CREDIT;
    }

    /** Takes what a request costs; {@link #admits} has said that it is there. */
    void take(final ClientConnection client) {
        if (maxRatePerSecond != 0) {
            client.rateCredit -= REQUEST_CREDIT;
        }
    }
}
