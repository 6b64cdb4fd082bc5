package io.tiercel.protocol;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The proofs by which client and appliance show each other that they have the same key, without saying it. Both ends
 * use this; README.md has it byte for byte.
 *
 * <p>A proof is HMAC-SHA-256 under the key of a label, the Aeron session id and the whole Hello, in which stand
 * principal, version, response channel and stream: so it is of no use on another connection, for another principal, in
 * another version or for answers that go elsewhere. The proofs behind a Challenge cover both nonces too, so they are of
 * no use a second time. The labels differ, so none of them can be sent back as another.
 *
 * <p>Single-threaded; allocates; a few microseconds a proof.
 */
public final class Handshake {

    public static final int NONCE_LENGTH = 32;
    public static final int PROOF_LENGTH = 32;
    /** Bytes of a key, at least: as many as the hash has. */
    public static final int MIN_KEY_LENGTH = 32;
    /** Bytes of a key, at most: a longer one would be hashed first, and be no stronger. */
    public static final int MAX_KEY_LENGTH = 64;

    private static final String ALGORITHM = "HmacSHA256";
    private static final byte[] HELLO_LABEL = label("tiercel hello");
    private static final byte[] CLIENT_LABEL = label("tiercel client proof");
    private static final byte[] APPLIANCE_LABEL = label("tiercel appliance proof");
    private static final byte[] NONCE_LABEL = label("tiercel nonce");
    private static final byte[] NO_NONCE = {};

    private final Mac mac;
    private final byte[] number = new byte[Integer.BYTES];
    private final byte[] noProof = new byte[PROOF_LENGTH];

    public Handshake() {
        try {
            mac = Mac.getInstance(ALGORITHM);
        } catch (final NoSuchAlgorithmException ex) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, ex);
        }
    }

    /**
     * The proof in a Hello: over the frame as it would be with zeros in its place.
     *
     * @param hello the whole frame, of a version that has a proof; what stands where the proof belongs is not read.
     */
    public byte[] helloProof(final byte[] key, final int aeronSessionId, final byte[] hello) {
        return proof(key, HELLO_LABEL, aeronSessionId, hello, NO_NONCE, NO_NONCE);
    }

    /** A client's proof in answer to a Challenge. */
    public byte[] clientProof(
            final byte[] key, final int aeronSessionId, final byte[] hello, final byte[] applianceNonce,
            final byte[] clientNonce) {
        return proof(key, CLIENT_LABEL, aeronSessionId, hello, applianceNonce, clientNonce);
    }

    /** An appliance's proof in answer to a client's. */
    public byte[] applianceProof(
            final byte[] key, final int aeronSessionId, final byte[] hello, final byte[] applianceNonce,
            final byte[] clientNonce) {
        return proof(key, APPLIANCE_LABEL, aeronSessionId, hello, applianceNonce, clientNonce);
    }

    /** A nonce: the value at {@code count} of a generator that a secret keys. */
    public byte[] nonce(final byte[] secret, final long count) {
        begin(secret);
        mac.update(NONCE_LABEL);
        for (int index = 0; index < Long.BYTES; index++) {
            mac.update((byte) (count >>> index * Byte.SIZE));
        }
        return mac.doFinal();
    }

    /** Compares in a time that does not tell where two proofs differ. */
    public static boolean isEqual(final byte[] proof, final byte[] expected) {
        return MessageDigest.isEqual(proof, expected);
    }

    /** Whether bytes can be a key. */
    public static boolean isKey(final byte[] key) {
        return key.length >= MIN_KEY_LENGTH && key.length <= MAX_KEY_LENGTH;
    }

    private byte[] proof(
            final byte[] key,
            final byte[] label,
            final int aeronSessionId,
            final byte[] hello,
            final byte[] applianceNonce,
            final byte[] clientNonce) {
        begin(key);
        mac.update(label);
        for (int index = 0; index < number.length; index++) {
            number[index] = (byte) (aeronSessionId >>> index * Byte.SIZE);
        }
        mac.update(number);
        final int proofEnd = Frames.HELLO_PROOF_OFFSET + PROOF_LENGTH;
        mac.update(hello, 0, Frames.HELLO_PROOF_OFFSET);
        mac.update(noProof);
        mac.update(hello, proofEnd, hello.length - proofEnd);
        mac.update(applianceNonce);
        mac.update(clientNonce);
        return mac.doFinal();
    }

    private void begin(final byte[] key) {
        try {
            mac.init(new SecretKeySpec(key, ALGORITHM));
        } catch (final InvalidKeyException ex) {
            throw new IllegalStateException("any bytes are a key of " + ALGORITHM, ex);
        }
    }

    /** Ends with a zero, so that no label is the beginning of another. */
    private static byte[] label(final String text) {
        return Arrays.copyOf(text.getBytes(StandardCharsets.US_ASCII), text.length() + 1);
    }
}
