package io.tiercel.tools.journal;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel snapshot}: what a journal's snapshots of session states are good for. */
@Command(
        name = "snapshot",
        mixinStandardHelpOptions = true,
        description = "Lists and verifies the snapshots of a journal.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {SnapshotListCommand.class, SnapshotVerifyCommand.class})
public final class SnapshotCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing required subcommand");
    }
}
