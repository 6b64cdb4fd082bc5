package io.tiercel.tools.replay;

import io.tiercel.tools.TiercelCommand;
import java.io.PrintWriter;
import java.io.StringWriter;

/** One call of {@code tiercel}, as a user makes it, without a process of its own. */
record CommandLineRun(int exitCode, String out, String err) {

    static CommandLineRun of(final String... arguments) {
        final StringWriter out = new StringWriter();
        final StringWriter err = new StringWriter();
        final int exitCode =
                TiercelCommand.commandLine(new PrintWriter(out), new PrintWriter(err)).execute(arguments);
        return new CommandLineRun(exitCode, out.toString(), err.toString());
    }
}
