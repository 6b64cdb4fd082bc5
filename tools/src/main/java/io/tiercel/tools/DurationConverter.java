package io.tiercel.tools;

import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads durations as the configuration writes them: a whole number and one of {@code ns us ms s m h}; or 0. */
public final class DurationConverter implements ITypeConverter<Duration> {

    private static final long MAX_SECONDS = 7 * 24 * 3600L;

    @Override
    public Duration convert(final String text) {
        if ("0".equals(text)) {
            return Duration.ZERO;
        }
        int digits = 0;
        while (digits < text.length() && Character.isDigit(text.charAt(digits))) {
            digits++;
        }
        if (digits == 0 || digits > 18) {
            throw unreadable(text);
        }
        final Duration duration = of(Long.parseLong(text.substring(0, digits)), text.substring(digits), text);
        if (duration.getSeconds() > MAX_SECONDS) {
            throw new TypeConversionException("'" + text + "' is longer than a week");
        }
        return duration;
    }

    private static Duration of(final long count, final String unit, final String text) {
        switch (unit) {
            case "ns":
                return Duration.ofNanos(count);
            case "us":
                return scaled(count, 1_000L, text);
            case "ms":
                return scaled(count, 1_000_000L, text);
            case "s":
                return scaled(count, 1_000_000_000L, text);
            case "m":
                return scaled(count, 60_000_000_000L, text);
            case "h":
                return scaled(count, 3_600_000_000_000L, text);
            default:
                throw unreadable(text);
        }
    }

    private static Duration scaled(final long count, final long unitNs, final String text) {
        if (count > Long.MAX_VALUE / unitNs) {
            throw new TypeConversionException("'" + text + "' is longer than a week");
        }
        return Duration.ofNanos(count * unitNs);
    }

    private static TypeConversionException unreadable(final String text) {
        return new TypeConversionException("'" + text + "' is not a duration such as 10s, 500ms, 20us");
    }
}
