package io.tiercel.replay.markout;

import org.agrona.SystemUtil;

/**
 * A stretch of a tape: time of the exchange's clock, or a number of events.
 *
 * @param amount nanoseconds or events; not below 0.
 */
public record Span(Clock clock, long amount) {

    /** What it is measured by. */
    public enum Clock {
        TIME, EVENTS
    }

    /** Behind this no tape goes. */
    private static final long MAX_NS = 30L * 86_400_000_000_000L;
    private static final long MAX_EVENTS = Integer.MAX_VALUE / 2;

    private static final String[] UNITS = {"s", "ms", "us", "ns"};
    private static final long[] UNIT_NS = {1_000_000_000L, 1_000_000L, 1_000L, 1L};

    public static Span ofNs(final long ns) {
        return new Span(Clock.TIME, ns);
    }

    public static Span ofEvents(final long count) {
        return new Span(Clock.EVENTS, count);
    }

    /**
     * @param text {@code 10us}, with one of {@code ns us ms s}; or a number alone, of events.
     * @throws IllegalArgumentException if it is neither.
     */
    public static Span parse(final String text) {
        try {
            final boolean isCount = !text.isEmpty() && text.chars().allMatch(Character::isDigit);
            final Span span = isCount ? ofEvents(Long.parseLong(text)) : ofNs(SystemUtil.parseDuration("span", text));
            if (span.amount >= 0 && span.amount <= (isCount ? MAX_EVENTS : MAX_NS)) {
                return span;
            }
        } catch (final NumberFormatException ex) {
            throw new IllegalArgumentException(text + " is neither a time such as 10us nor a number of events", ex);
        }
        throw new IllegalArgumentException(text + " is out of range");
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        if (clock == Clock.EVENTS) {
            return Long.toString(amount);
        }
        int unit = 0;
        while (amount % UNIT_NS[unit] != 0) {
            unit++;
        }
        return amount / UNIT_NS[unit] + UNITS[unit];
    }
}
