package io.tiercel.tools.admin;

import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;

/** What a command says that has had its effect. */
final class Applied {

    private Applied() {
    }

    static void say(final CommandSpec spec, final long sequence, final String command, final String subject) {
        final PrintWriter out = spec.commandLine().getOut();
        out.println("applied: " + command + ' ' + subject + " sequence=" + sequence);
        out.flush();
    }
}
