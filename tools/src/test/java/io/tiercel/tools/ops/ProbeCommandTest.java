package io.tiercel.tools.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong before anything is asked; the rest is ProbeSystemTest's. */
class ProbeCommandTest {

    @TempDir
    private Path directory;

    @Test
    void shouldRefuseArgumentsThatCannotBe() {
        assertRefused("no such file", "--key", directory.resolve("key").toString());
        assertRefused("lateNs=2000000000", "--late", "2s");
        assertRefused("a probe is no load", "--every", "1ms");
        assertRefused("cannot be read", "--bundle", directory.resolve("bundle").toString());
        assertRefused("principal=a b", "--principal", "a b");
        assertRefused("a port is 0 to 65535", "--listen", "65536");
    }

    @Test
    void shouldSayThatTheAddressIsTaken() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            for (final String name : List.of("probe", "exporter")) {
                final CapturedCommand command = CapturedCommand.run(List.of("ops", name), "--aeron",
                        directory.toString(), "--listen", Integer.toString(taken.getLocalPort()));
                assertEquals(ExitCode.ENVIRONMENT, command.exitCode());
                assertTrue(command.err().contains("cannot listen at --listen=127.0.0.1:"), command.err());
            }
        }
    }

    private void assertRefused(final String part, final String... arguments) {
        final CapturedCommand command =
                CapturedCommand.run(List.of("ops", "probe", "--once", "--aeron", directory.toString()), arguments);
        assertEquals(ExitCode.BAD_ARGUMENTS, command.exitCode(), command.toString());
        assertTrue(command.err().contains(part), command.err());
    }
}
