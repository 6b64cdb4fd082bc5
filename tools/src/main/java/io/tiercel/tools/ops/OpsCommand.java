package io.tiercel.tools.ops;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel ops}: the group of an operator's commands. */
@Command(
        name = "ops",
        mixinStandardHelpOptions = true,
        description = "Looks after an appliance and its host.",
        subcommands = {DoctorCommand.class, ExporterCommand.class, KeyCommand.class, ProbeCommand.class,
            TopCommand.class, WebCommand.class})
public final class OpsCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing required subcommand");
    }
}
