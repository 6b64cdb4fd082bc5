package io.tiercel.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

class PrincipalsTest {

    @Test
    void shouldAcceptTheNamesThatTheRuleAllows() {
        assertTrue(isValid("a"));
        assertTrue(isValid("Desk-7_fx.LDN"));
        assertTrue(isValid("x".repeat(64)));
    }

    @Test
    void shouldRefuseEveryOtherName() {
        assertFalse(isValid(""));
        assertFalse(isValid("x".repeat(65)));
        for (char character = 0; character < 256; character++) {
            final boolean isAllowed = (character >= 'a' && character <= 'z') ||
                    (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9') ||
                    "._-".indexOf(character) >= 0;
            assertEquals(isAllowed, isValid("a" + character), "character " + (int) character);
        }
        assertFalse(Principals.isValid(null));
        assertFalse(Principals.isValid("\u0130"));
    }

    /** The first 8 bytes of `printf abc | sha256sum` are ba7816bf8f01cfea. */
    @Test
    void shouldBeTheStartOfTheSha256ReadLittleEndian() {
        assertEquals(0xeacf018fbf1678baL, Principals.idOf("abc"));
    }

    @Test
    void shouldRefuseAnIdOfANameThatIsNone() {
        final Exception ex = assertThrows(IllegalArgumentException.class, () -> Principals.idOf("a b"));
        assertEquals("principal=a b must be 1 to 64 of A-Z a-z 0-9 . _ -", ex.getMessage());
    }

    private static boolean isValid(final String principal) {
        final UnsafeBuffer buffer = new UnsafeBuffer(("?" + principal).getBytes(StandardCharsets.ISO_8859_1));
        final boolean isValid = Principals.isValid(buffer, 1, principal.length());
        assertEquals(isValid, Principals.isValid(principal));
        return isValid;
    }
}
