package io.tiercel.protocol;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256, which names principals and model versions. Allocates; not for a hot path. */
public final class Sha256 {

    private Sha256() {
    }

    /** For bytes that come piece by piece. */
    public static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (final NoSuchAlgorithmException ex) {
            throw new IllegalStateException("every Java platform has SHA-256", ex);
        }
    }

    /** 32 bytes. */
    public static byte[] of(final byte[] bytes) {
        return digest().digest(bytes);
    }

    /** 64 lower-case hexadecimal digits. */
    public static String hexOf(final byte[] bytes) {
        return HexFormat.of().formatHex(of(bytes));
    }
}
