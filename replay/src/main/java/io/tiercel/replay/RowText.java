package io.tiercel.replay;

import java.nio.ByteOrder;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Locale;
import org.agrona.DirectBuffer;

/** The spellings that all forms of a journal's rows share: of {@code journal dump}, of tables. */
public final class RowText {

    private static final long NS_PER_SECOND = 1_000_000_000L;
    private static final HexFormat HEX = HexFormat.of();
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.nnnnnnnnn'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private RowText() {
    }

    /** UTC, to the nanosecond. */
    public static String time(final long epochNs) {
        return TIME.format(Instant.ofEpochSecond(
                Math.floorDiv(epochNs, NS_PER_SECOND), Math.floorMod(epochNs, NS_PER_SECOND)));
    }

    public static String hex(final long value) {
        return HEX.toHexDigits(value);
    }

    /** The first bytes of a SHA-256, as hexadecimal digits. */
    public static String hex(final DirectBuffer sha256, final int byteCount) {
        final byte[] bytes = new byte[byteCount];
        sha256.getBytes(0, bytes);
        return HEX.formatHex(bytes);
    }

    /** A 4-byte cell that is a token. */
    public static long tokenAt(final DirectBuffer buffer, final int offset, final int index) {
        return Integer.toUnsignedLong(buffer.getInt(offset + index * Integer.BYTES, ByteOrder.LITTLE_ENDIAN));
    }

    public static float floatAt(final DirectBuffer buffer, final int offset, final int index) {
        return buffer.getFloat(offset + index * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
    }
}
