package io.tiercel.tools.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ExitCode;
import io.tiercel.tools.TiercelCommand;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChaosCommandTest {

    @TempDir
    Path directory;

    @Test
    void shouldNameTheArgumentWhenItIsBad() throws IOException {
        Files.createFile(directory.resolve("something"));

        assertRefused("--rounds=0 is not in 1..10000", "--rounds", "0");
        assertRefused("--clients=17 is not in 1..16", "--clients", "17");
        assertRefused("--rate=0.5 is not in 1..20000", "--rate", "0.5");
        assertRefused("--snapshot-interval=1ms is below 10ms", "--snapshot-interval", "1ms");
        assertRefused("--model=/nowhere cannot be read", "--model", "/nowhere");
        assertRefused("Invalid value for option '--durability'", "--durability", "none");
        assertRefused("--dir=" + directory + " is not empty: chaos starts a journal of its own",
                "--dir", directory.toString());
    }

    @Test
    void shouldAimAtEveryMomentInAShortRun() {
        for (final KillMoment moment : KillMoment.values()) {
            boolean isMet = false;
            for (int round = 0; round < 5; round++) {
                isMet |= KillMoment.ofRound(round) == moment;
            }
            assertTrue(isMet, moment::toString);
        }
    }

    private static void assertRefused(final String message, final String... options) {
        final String[] arguments = new String[1 + options.length];
        arguments[0] = "chaos";
        System.arraycopy(options, 0, arguments, 1, options.length);
        final StringWriter err = new StringWriter();
        final int exitCode = TiercelCommand.commandLine(new PrintWriter(new StringWriter()), new PrintWriter(err))
                .execute(arguments);
        assertEquals(ExitCode.BAD_ARGUMENTS, exitCode, err::toString);
        assertTrue(err.toString().contains(message), err::toString);
        assertEquals(1, err.toString().lines().count(), err::toString);
    }
}
