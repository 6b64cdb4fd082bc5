package io.tiercel.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether standard output is a terminal on which a line can be drawn again. */
public final class Terminal {

    private Terminal() {
    }

    /**
     * Asks the kernel what file descriptor 1 is: {@code System.console()} also looks at standard input, and from JDK
     * 22 on is there without a terminal.
     */
    public static boolean isInteractive() {
        if ("dumb".equals(System.getenv("TERM"))) {
            return false;
        }
        try {
            final String target = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (final IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
