package io.tiercel.protocol;

import java.nio.charset.StandardCharsets;
import org.agrona.DirectBuffer;

/**
 * The name of who asks: 1 to {@value #MAX_LENGTH} of {@code A-Z a-z 0-9 . _ -}, US-ASCII. Sessions belong to it, so
 * it outlives a connection.
 */
public final class Principals {

    public static final int MAX_LENGTH = 64;

    /** The rule in words, for error messages. */
    public static final String RULE = "must be 1 to " + MAX_LENGTH + " of A-Z a-z 0-9 . _ -";

    private Principals() {
    }

    public static boolean isValid(final CharSequence principal) {
        if (principal == null || !isValidLength(principal.length())) {
            return false;
        }
        for (int i = 0; i < principal.length(); i++) {
            if (!isValidCharacter(principal.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /** The same rule over the bytes of a frame; allocates nothing. */
    public static boolean isValid(final DirectBuffer buffer, final int offset, final int length) {
        if (!isValidLength(length)) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (!isValidCharacter(buffer.getByte(offset + i))) {
                return false;
            }
        }
        return true;
    }

    /**
     * The principal in 64 bits, as in every journal record and the counters: the first 8 bytes, read as a
     * little-endian integer, of the SHA-256 of its US-ASCII bytes.
     *
     * @throws IllegalArgumentException if the principal is not valid.
     */
    public static long idOf(final String principal) {
        if (!isValid(principal)) {
            throw new IllegalArgumentException("principal=" + principal + " " + RULE);
        }
        final byte[] digest = Sha256.of(principal.getBytes(StandardCharsets.US_ASCII));
        long id = 0;
        for (int i = Long.BYTES - 1; i >= 0; i--) {
            id = (id << Byte.SIZE) | (digest[i] & 0xFFL);
        }
        return id;
    }

    private static boolean isValidLength(final int length) {
        return length >= 1 && length <= MAX_LENGTH;
    }

    private static boolean isValidCharacter(final int character) {
        return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
                (character >= '0' && character <= '9') || character == '.' || character == '_' || character == '-';
    }
}
