package io.tiercel.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ChildProcessTest {

    private static final long TIMEOUT_MS = 30_000;

    @TempDir
    private Path folder;

    @Test
    void shouldSeeTheReadyLineAndEndOnTermination() {
        try (ChildProcess child = start("echo starting; echo ready now; exec sleep 60")) {
            assertEquals("ready now", child.awaitLine("ready", TIMEOUT_MS));
            assertTrue(child.isAlive());
            assertEquals(143, child.terminate(TIMEOUT_MS));
            assertFalse(child.isAlive());
        }
    }

    @Test
    void shouldShowWhatTheChildSaidWhenItFailsToStart() {
        try (ChildProcess child = start("echo the reason >&2; exit 7")) {
            final ToolException error = assertThrows(ToolException.class, () -> child.awaitLine("ready", TIMEOUT_MS));
            assertEquals(ExitCode.ENVIRONMENT, error.exitCode());
            assertTrue(error.getMessage().contains("exit code 7"), error.getMessage());
            assertTrue(error.getMessage().contains("the reason"), error.getMessage());
        }
    }

    @Test
    void shouldKillAChildThatDoesNotEnd() {
        try (ChildProcess child = start("trap '' TERM; echo ready; while :; do sleep 0.05; done")) {
            child.awaitLine("ready", TIMEOUT_MS);
            assertThrows(ToolException.class, () -> child.terminate(200));
            assertFalse(child.isAlive());
        }
    }

    @Test
    void shouldEndTheChildWhenClosed() {
        final ChildProcess child = start("echo ready; exec sleep 60");
        child.awaitLine("ready", TIMEOUT_MS);
        child.close();
        assertFalse(child.isAlive());
    }

    private ChildProcess start(final String script) {
        return ChildProcess.start("child", List.of("/bin/sh", "-c", script), folder.resolve("child.log"));
    }
}
