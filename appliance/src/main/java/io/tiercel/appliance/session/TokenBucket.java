package io.tiercel.appliance.session;

/**
 * How often something may be done: a token bucket that holds what 100 ms bring, and at least one. One thread;
 * allocates nothing and reads no clock.
 *
 * <p>All integers: a nanosecond brings {@code maxRatePerSecond} units of credit, an act costs 10^9 of them, so the
 * rate is exact over any length of time. It begins full. Looking and taking are two calls, because what passes here may
 * still be refused for another reason, and then costs nothing.
 */
public final class TokenBucket {

    private static final long TOKEN_CREDIT = 1_000_000_000;
    private static final long BURST_NS = 100_000_000;

    private int maxRatePerSecond;
    private long burstCredit;
    private long fillNs;
    private long credit;
    private long tickNs;

    /**
     * Begins with a full bucket.
     *
     * @param ratePerSecond tokens that come in a second; 0 for no limit.
     */
    public void begin(final int ratePerSecond, final long nowTickNs) {
        maxRatePerSecond = ratePerSecond;
        burstCredit = Math.max(ratePerSecond * BURST_NS, TOKEN_CREDIT);
        fillNs = ratePerSecond == 0 ? 0 : Math.max(BURST_NS, TOKEN_CREDIT / ratePerSecond + 1);
        credit = burstCredit;
        tickNs = nowTickNs;
    }

    public int maxRatePerSecond() {
        return maxRatePerSecond;
    }

    /** Whether a token is there now. */
    public boolean admits(final long nowTickNs) {
        if (maxRatePerSecond == 0) {
            return true;
        }
        final long elapsedNs = nowTickNs - tickNs;
        if (elapsedNs > 0) {
            tickNs = nowTickNs;
            credit = elapsedNs >= fillNs ? burstCredit : Math.min(burstCredit, credit + elapsedNs * maxRatePerSecond);
        }
        return credit >= TOKEN_CREDIT;
    }

    /** Takes a token; {@link #admits} has said that it is there. */
    public void take() {
        if (maxRatePerSecond != 0) {
            credit -= TOKEN_CREDIT;
        }
    }
}
