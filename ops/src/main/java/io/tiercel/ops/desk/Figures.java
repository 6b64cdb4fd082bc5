package io.tiercel.ops.desk;

import java.util.Locale;

/** Figures as an operator reads them at a glance: three digits that count, and a unit. */
public final class Figures {

    private static final double NS_PER_US = 1_000;
    private static final double US_PER_MS = 1_000;
    private static final long BYTES_PER_KIB = 1_024;
    private static final String[] SIZES = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    private static final int MAX_PLAIN_US = 100_000;
    private static final long SECONDS_PER_MINUTE = 60;
    private static final long SECONDS_PER_HOUR = 3_600;
    private static final long SECONDS_PER_DAY = 86_400;

    private Figures() {
    }

    /** Nanoseconds as microseconds without the unit; from 100 ms on as milliseconds with it. */
    public static String micros(final double ns) {
        final double us = ns / NS_PER_US;
        return us < MAX_PLAIN_US ? digits(us) : digits(us / US_PER_MS) + " ms";
    }

    /** {@code 1,234}. */
    public static String count(final long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /** A rate: {@code 9,998}, {@code 0.25}. */
    public static String rate(final double perSecond) {
        return perSecond == 0 || perSecond >= 100 ? count(Math.round(perSecond)) : digits(perSecond);
    }

    /** {@code 1.21 GiB}. */
    public static String bytes(final double bytes) {
        double value = bytes;
        int unit = 0;
        while (Math.abs(value) >= BYTES_PER_KIB && unit < SIZES.length - 1) {
            value /= BYTES_PER_KIB;
            unit++;
        }
        return (unit == 0 ? String.valueOf(Math.round(value)) : digits(value)) + " " + SIZES[unit];
    }

    /** {@code 3d 04:05:06}, or without the days. */
    public static String duration(final long seconds) {
        final String time = String.format(Locale.ROOT, "%02d:%02d:%02d", seconds % SECONDS_PER_DAY / SECONDS_PER_HOUR,
                seconds % SECONDS_PER_HOUR / SECONDS_PER_MINUTE, seconds % SECONDS_PER_MINUTE);
        return seconds < SECONDS_PER_DAY ? time : seconds / SECONDS_PER_DAY + "d " + time;
    }

    /** With a number of decimals. */
    public static String fixed(final double value, final int decimals) {
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    private static String digits(final double value) {
        final double size = Math.abs(value);
        if (size < 9.995) {
            return fixed(value, 2);
        }
        return fixed(value, size < 99.95 ? 1 : 0);
    }
}
