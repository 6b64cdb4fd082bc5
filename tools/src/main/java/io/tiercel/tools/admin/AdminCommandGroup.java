package io.tiercel.tools.admin;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel admin}: the group of an administrator's commands. */
@Command(
        name = "admin",
        mixinStandardHelpOptions = true,
        description = {
            "Gives commands to a running appliance: which versions of a model there are, and which of them sessions "
                    + "are with.",
            "A session stays with the version that it began with, until that one is drained: then it begins anew. "
                    + "Each command has a place in the journal, among all requests."
        },
        subcommands = {VersionsCommand.class, LoadVersionCommand.class, RouteCommand.class, PromoteCommand.class,
            RollBackCommand.class, DrainCommand.class, TakeSnapshotCommand.class})
public final class AdminCommandGroup implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing required subcommand");
    }
}
