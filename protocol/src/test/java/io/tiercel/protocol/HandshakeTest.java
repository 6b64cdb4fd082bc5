package io.tiercel.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/** The proofs, against README.md's words and worked example. */
class HandshakeTest {

    private static final int SESSION_ID = 0x0102_0304;

    private final Handshake handshake = new Handshake();
    private final byte[] key = filled(0x11);
    private final byte[] hello = SampleFrames.hello(7101, 42, "desk-7", "aeron:ipc").byteArray();
    private final byte[] applianceNonce = filled(0x22);
    private final byte[] clientNonce = filled(0x33);

    @Test
    void shouldProveWhatTheReadmeSays() throws GeneralSecurityException {
        assertEquals(hmac("tiercel hello\0", hello, new byte[0], new byte[0]),
                hex(handshake.helloProof(key, SESSION_ID, hello)));
        assertEquals(hmac("tiercel client proof\0", hello, applianceNonce, clientNonce),
                hex(handshake.clientProof(key, SESSION_ID, hello, applianceNonce, clientNonce)));
        assertEquals(hmac("tiercel appliance proof\0", hello, applianceNonce, clientNonce),
                hex(handshake.applianceProof(key, SESSION_ID, hello, applianceNonce, clientNonce)));
    }

    @Test
    void shouldHaveTheProofsOfTheReadme() {
        assertEquals("903160091358e698d08c68c3c20dd3332760b10ec09b99f6a1ab7baa07c5dfe0",
                hex(handshake.helloProof(key, SESSION_ID, hello)));
        assertEquals("6afd78d81cc3c1e1cf005f99019a4c4058b90e060eef9c82b044e0ae23e102cc",
                hex(handshake.clientProof(key, SESSION_ID, hello, applianceNonce, clientNonce)));
        assertEquals("e19e17b834fbc02c71fe9de6ac7f4e38d31b037634f13f582928326dfa78577d",
                hex(handshake.applianceProof(key, SESSION_ID, hello, applianceNonce, clientNonce)));
    }

    @Test
    void shouldProveSomethingElseWhenAnythingDiffers() {
        final String proof = hex(handshake.clientProof(key, SESSION_ID, hello, applianceNonce, clientNonce));
        assertNotEquals(proof, hex(handshake.clientProof(filled(1), SESSION_ID, hello, applianceNonce, clientNonce)));
        assertNotEquals(proof, hex(handshake.clientProof(key, SESSION_ID + 1, hello, applianceNonce, clientNonce)));
        assertNotEquals(proof, hex(handshake.clientProof(key, SESSION_ID, hello, filled(2), clientNonce)));
        assertNotEquals(proof, hex(handshake.clientProof(key, SESSION_ID, hello, applianceNonce, filled(3))));
        assertNotEquals(proof, hex(handshake.applianceProof(key, SESSION_ID, hello, applianceNonce, clientNonce)));
        for (int index = 0; index < hello.length; index++) {
            final byte[] other = hello.clone();
            other[index]++;
            final boolean isProof = index >= Frames.HELLO_PROOF_OFFSET &&
                    index < Frames.HELLO_PROOF_OFFSET + Handshake.PROOF_LENGTH;
            assertEquals(isProof, proof.equals(
                    hex(handshake.clientProof(key, SESSION_ID, other, applianceNonce, clientNonce))));
        }
    }

    @Test
    void shouldMakeNoNonceTwice() {
        assertNotEquals(hex(handshake.nonce(key, 1)), hex(handshake.nonce(key, 2)));
        assertEquals(hex(handshake.nonce(key, 1)), hex(handshake.nonce(key, 1)));
    }

    @Test
    void shouldKnowWhatAKeyIs() {
        assertFalse(Handshake.isKey(new byte[31]));
        assertTrue(Handshake.isKey(new byte[32]));
        assertFalse(Handshake.isKey(new byte[65]));
    }

    private String hmac(final String label, final byte[]... parts) throws GeneralSecurityException {
        final Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update(label.getBytes(StandardCharsets.US_ASCII));
        mac.update(new byte[] {4, 3, 2, 1});
        for (final byte[] part : parts) {
            mac.update(part);
        }
        return hex(mac.doFinal());
    }

    private static byte[] filled(final int value) {
        final byte[] bytes = new byte[32];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static String hex(final byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
