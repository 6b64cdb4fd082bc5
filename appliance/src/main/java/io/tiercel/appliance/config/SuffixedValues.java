package io.tiercel.appliance.config;

/**
 * Numbers with their unit, as people write them in configuration: {@code 10us}, {@code 5ms}, {@code 64m}, {@code 1g}.
 *
 * <p>A duration must have a unit ({@code ns}, {@code us}, {@code ms}, {@code s}): a bare number would be wrong by a
 * thousand, silently. A size may have one ({@code k}, {@code m}, {@code g}: powers of 1,024), for without it is bytes.
 * Nothing overflows: what does not fit is refused. Underscores may part the digits.
 */
public final class SuffixedValues {

    private static final String[] DURATION_UNITS = {"s", "ms", "us", "ns"};
    private static final long[] DURATION_UNIT_NS = {1_000_000_000L, 1_000_000L, 1_000L, 1L};
    private static final String[] SIZE_UNITS = {"g", "m", "k", ""};
    private static final long[] SIZE_UNIT_BYTES = {1L << 30, 1L << 20, 1L << 10, 1L};

    private SuffixedValues() {
    }

    /**
     * @return nanoseconds.
     * @throws IllegalArgumentException whose message completes "key=value: …".
     */
    public static long parseDurationNs(final String text) {
        final int digitsLength = digitsLength(text);
        final String unit = text.substring(digitsLength);
        for (int index = 0; index < DURATION_UNITS.length; index++) {
            if (digitsLength > 0 && DURATION_UNITS[index].equals(unit)) {
                return multiply(text.substring(0, digitsLength), DURATION_UNIT_NS[index], "duration");
            }
        }
        throw new IllegalArgumentException(
                unit.isEmpty() && digitsLength > 0
                        ? "a duration needs its unit: ns, us, ms or s"
                        : "must be a duration like 10us, 5ms or 1s");
    }

    /**
     * @return bytes.
     * @throws IllegalArgumentException whose message completes "key=value: …".
     */
    public static long parseBytes(final String text) {
        final int digitsLength = digitsLength(text);
        final String unit = text.substring(digitsLength);
        for (int index = 0; index < SIZE_UNITS.length; index++) {
            if (digitsLength > 0 && SIZE_UNITS[index].equalsIgnoreCase(unit)) {
                return multiply(text.substring(0, digitsLength), SIZE_UNIT_BYTES[index], "size");
            }
        }
        throw new IllegalArgumentException("must be a size like 4096, 64k, 16m or 1g");
    }

    /**
     * @return a count, which has no unit.
     * @throws IllegalArgumentException whose message completes "key=value: …".
     */
    public static long parseCount(final String text) {
        final int digitsLength = digitsLength(text);
        if (digitsLength == 0 || digitsLength < text.length()) {
            throw new IllegalArgumentException("must be a whole number");
        }
        return multiply(text, 1, "number");
    }

    /** In the largest unit that states it exactly; what {@link #parseDurationNs} reads back. */
    public static String formatDuration(final long durationNs) {
        return format(durationNs, DURATION_UNITS, DURATION_UNIT_NS);
    }

    /** In the largest unit that states it exactly; what {@link #parseBytes} reads back. */
    public static String formatBytes(final long bytes) {
        return format(bytes, SIZE_UNITS, SIZE_UNIT_BYTES);
    }

    private static String format(final long value, final String[] units, final long[] unitValues) {
        for (int index = 0; index < units.length; index++) {
            if (value != 0 && value % unitValues[index] == 0) {
                return value / unitValues[index] + units[index];
            }
        }
        return value + units[units.length - 1];
    }

    /** Length of the leading digits and of the underscores between them. */
    private static int digitsLength(final String text) {
        int length = 0;
        while (length < text.length() && isDigit(text, length)) {
            length++;
            if (length < text.length() - 1 && text.charAt(length) == '_' && isDigit(text, length + 1)) {
                length++;
            }
        }
        return length;
    }

    private static boolean isDigit(final String text, final int index) {
        return text.charAt(index) >= '0' && text.charAt(index) <= '9';
    }

    private static long multiply(final String digits, final long unitValue, final String what) {
        try {
            return Math.multiplyExact(Long.parseLong(digits.replace("_", "")), unitValue);
        } catch (final NumberFormatException | ArithmeticException ignore) {
            throw new IllegalArgumentException("this " + what + " does not fit in 63 bits");
        }
    }
}
