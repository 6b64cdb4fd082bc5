package io.tiercel.tools.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TopCommandTest {

    @TempDir
    private Path directory;

    @Test
    void shouldPrintAFrameAndFailWhenThereIsNoAppliance() {
        final CapturedCommand top = run("--once", "--wait", "0");
        assertEquals(ExitCode.CHECK_FAILED, top.exitCode(), top.err());
        assertTrue(top.out().contains("ABSENT"), top.out());
    }

    @Test
    void shouldRefuseWhatIsNoFrameAndWhatIsNoTerminal() {
        final CapturedCommand narrow = run("--once", "--columns", "10");
        assertEquals(ExitCode.BAD_ARGUMENTS, narrow.exitCode());
        assertTrue(narrow.err().contains("--columns=10"), narrow.err());
        final CapturedCommand piped = run();
        assertEquals(ExitCode.BAD_ARGUMENTS, piped.exitCode());
        assertTrue(piped.err().contains("use --once"), piped.err());
    }

    private CapturedCommand run(final String... options) {
        final List<String> top = List.of("ops", "top", "--aeron", directory.resolve("aeron").toString());
        return CapturedCommand.run(top, options);
    }
}
