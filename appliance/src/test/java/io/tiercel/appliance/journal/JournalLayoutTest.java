package io.tiercel.appliance.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalLayoutTest {

    @TempDir
    private Path directory;

    @Test
    void shouldReadBackWhatWasWritten() throws IOException {
        for (final RollPeriod roll : RollPeriod.values()) {
            JournalLayout.write(directory, new JournalLayout.Description(roll, 0));
            assertEquals(roll, JournalLayout.read(directory).roll());
        }
    }

    @Test
    void shouldRefuseADescriptionThatIsNotFlat() throws IOException {
        assertRefused("not one flat mapping", "formatVersion: 1\nroll: [daily]\n");
        assertRefused("not one flat mapping", "formatVersion: 1\nroll: {daily: daily}\n");
        assertRefused("not one flat mapping", "formatVersion: 1\n---\nroll: daily\n");
        assertRefused("not one flat mapping", "[".repeat(20_000));
        assertRefused("not one flat mapping", "? [a]\n: b\n");
        assertRefused("not one flat mapping", "daily");
    }

    @Test
    void shouldRefuseADescriptionThatContainsItself() throws IOException {
        assertRefused("not one flat mapping", "formatVersion: &a [[*a]]\nroll: daily\n");
        assertRefused("not one flat mapping", "formatVersion: 1\nroll: &a [[*a]]\n");
        assertRefused("not one flat mapping", "a: &a 1\nformatVersion: *a\nroll: daily\n");
    }

    @Test
    void shouldRefuseADescriptionThatSaysTooLittleTwoThingsOrTooMuch() throws IOException {
        assertRefused("formatVersion=null", "");
        assertRefused("roll=null", "formatVersion: 1\n");
        assertRefused("key=roll is there twice", "formatVersion: 1\nroll: daily\nroll: hourly\n");
        assertRefused("length=65537 is above 65536", "#".repeat(65_537));
    }

    @Test
    void shouldRefuseADescriptionThatIsNoYaml() throws IOException {
        assertRefused("cannot be read", "formatVersion: 'one");
        assertRefused("cannot be read", "formatVersion: \"\\u");
    }

    private void assertRefused(final String expected, final String description) throws IOException {
        Files.writeString(directory.resolve(JournalLayout.DESCRIPTION), description);
        final JournalException ex = assertThrows(JournalException.class, () -> JournalLayout.read(directory));
        assertTrue(ex.getMessage().contains(expected), ex.getMessage());
    }
}
