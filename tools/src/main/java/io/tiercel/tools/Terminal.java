package io.tiercel.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether standard output or standard error is a terminal on which a line can be drawn again. */
public final class Terminal {

    private Terminal() {
    }

    /** Of standard output. */
    public static boolean isInteractive() {
        return isTerminal(1);
    }

    /** Of standard error, where a status may stand beside results that go to a file. */
    public static boolean isErrorInteractive() {
        return isTerminal(2);
    }

    /**
     * Asks the kernel what a file descriptor is: {@code System.console()} also looks at standard input, and from JDK
     * 22 on is there without a terminal.
     */
    private static boolean isTerminal(final int fileDescriptor) {
        if ("dumb".equals(System.getenv("TERM"))) {
            return false;
        }
        try {
            final String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fileDescriptor)).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (final IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
