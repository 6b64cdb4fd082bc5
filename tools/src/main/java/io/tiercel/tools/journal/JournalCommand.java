package io.tiercel.tools.journal;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel journal}: the group of commands that show a journal. */
@Command(
        name = "journal",
        mixinStandardHelpOptions = true,
        description = "Shows a journal.",
        subcommands = JournalDumpCommand.class)
public final class JournalCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing required subcommand");
    }
}
