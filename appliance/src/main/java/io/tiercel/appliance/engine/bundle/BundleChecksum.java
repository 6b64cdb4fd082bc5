package io.tiercel.appliance.engine.bundle;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * The CRC-32C of a bundle, inside it: eight hexadecimal digits under {@value #METADATA_KEY} of {@code __metadata__},
 * taken over the whole file with those digits as zeros. Without it a damaged letter in a label or a damaged weight
 * would open as another, valid bundle.
 */
final class BundleChecksum {

    static final String METADATA_KEY = "tiercel.crc32c";
    static final String UNSET = "00000000";

    /** A quote inside a JSON string is escaped, so these bytes can only be the key itself. */
    private static final byte[] MARK = ("\"" + METADATA_KEY + "\":\"").getBytes(StandardCharsets.UTF_8);

    private BundleChecksum() {
    }

    /** Replaces the zeros that the writer left. */
    static void put(final byte[] file) {
        final int offset = offset(file);
        if (offset < 0) {
            throw new IllegalStateException("no place for the checksum");
        }
        final byte[] digits = digits(file, offset);
        System.arraycopy(digits, 0, file, offset, digits.length);
    }

    static void verify(final SafetensorsReader tensors, final byte[] file) {
        final String stated = tensors.metadata().get(METADATA_KEY);
        final int offset = offset(file);
        if (stated == null || offset < 0) {
            throw new BundleException(tensors.source() + ": " + SafetensorsReader.METADATA + " key=" + METADATA_KEY +
                    " is missing: not a bundle, or damaged");
        }
        final String actual = new String(digits(file, offset), StandardCharsets.US_ASCII);
        if (!actual.equals(stated)) {
            throw new BundleException(tensors.source() + ": " + METADATA_KEY + "=" + stated + ", but the file has " +
                    actual + ": damaged");
        }
    }

    private static int offset(final byte[] file) {
        final int limit = Math.min(file.length, SafetensorsReader.MAX_HEADER_LENGTH) - MARK.length - UNSET.length();
        for (int offset = SafetensorsReader.LENGTH_BYTES; offset <= limit; offset++) {
            int matched = 0;
            while (matched < MARK.length && file[offset + matched] == MARK[matched]) {
                matched++;
            }
            if (matched == MARK.length) {
                return offset + MARK.length;
            }
        }
        return -1;
    }

    private static byte[] digits(final byte[] file, final int offset) {
        final CRC32C crc = new CRC32C();
        crc.update(file, 0, offset);
        crc.update(UNSET.getBytes(StandardCharsets.US_ASCII));
        final int after = offset + UNSET.length();
        crc.update(file, after, file.length - after);
        return HexFormat.of().toHexDigits(crc.getValue(), UNSET.length()).getBytes(StandardCharsets.US_ASCII);
    }
}
