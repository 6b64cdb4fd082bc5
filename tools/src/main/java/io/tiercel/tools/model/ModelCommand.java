package io.tiercel.tools.model;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The group {@code tiercel model}. */
@Command(
        name = "model",
        description = "Make a bundle from a trained network, look into one, run one; import a language model.",
        subcommands = {QuantiseCommand.class, InspectCommand.class, RunCommand.class, ImportCommand.class},
        synopsisSubcommandLabel = "(quantize | inspect | run | import)")
public final class ModelCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help and exit.")
    private boolean help;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "tiercel model: which of quantize, inspect, run, import?");
    }

    /** For a process of its own: the group without the rest of the tool. */
    public static CommandLine commandLine() {
        return new CommandLine(new ModelCommand()).setCaseInsensitiveEnumValuesAllowed(true);
    }
}
