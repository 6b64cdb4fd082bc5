package io.tiercel.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.config.Layout;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class MachineInfoTest {

    /** More infer workers than any machine has cores. */
    private static final int MANY_WORKERS = 1_000_000;

    @Test
    void shouldSayInOneLineWhenThreadsThatSpinAreMoreThanCores() {
        final String note = noteOf(Layout.DEDICATED, MANY_WORKERS);
        assertEquals(1, note.lines().count(), note);
        assertTrue(note.startsWith("note: layout=dedicated spins threads=" + (MANY_WORKERS + 5) + " on cores="), note);
    }

    @Test
    void shouldSayNothingWhenOneThreadSpins() {
        assertEquals("", noteOf(Layout.COMPACT, 1));
    }

    private static String noteOf(final Layout layout, final int inferWorkers) {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        MachineInfo.printNoteOfSpinningThreads(
                new PrintStream(out, true, StandardCharsets.UTF_8), layout, inferWorkers);
        return out.toString(StandardCharsets.UTF_8);
    }
}
