package io.tiercel.tools;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/**
 * A command that was run in this process.
 *
 * @param out what it printed, also past picocli.
 */
public record CapturedCommand(int exitCode, String out, String err) {

    public static CapturedCommand run(final List<String> command, final String... arguments) {
        final StringWriter err = new StringWriter();
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final PrintStream console = System.out;
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        final int exitCode;
        try {
            exitCode = TiercelCommand.commandLine(new PrintWriter(out, true), new PrintWriter(err, true))
                    .execute(Stream.concat(command.stream(), Stream.of(arguments)).toArray(String[]::new));
        } finally {
            System.setOut(console);
        }
        return new CapturedCommand(exitCode, out.toString(StandardCharsets.UTF_8), err.toString());
    }
}
